/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the commands of `inlay` share: arguments, exit codes, targets and map selectors.
 */
#ifndef INLAY_CLI_CLI_H
#define INLAY_CLI_CLI_H

#include "inlay/inlay.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 70 };

/* Options of all commands; each command allows some (struct command.options). */
struct args {
	bool is_json;		/* -j */
	bool is_all;		/* -a */
	bool is_threads;	/* -t */
	bool is_once;		/* -1 */
	bool is_wait;		/* -w */
	bool is_dry;		/* -d */
	bool can_wait;		/* the command takes -w */
	int sym;		/* --sym 1, --no-sym -1, default 0: where every key is a function */
	bool is_mangled;	/* --no-demangle */
	const char *target;	/* -p */
	const char *unit;	/* -U */
	const char *type;	/* --type */
	bool is_folded;		/* --folded */
	bool is_inlines;	/* --inlines */
	const char *stacks;	/* --stacks */
	const char *id_member;	/* --id-member */
	const char *count_member;	/* --count-member */
	double interval;	/* -i, seconds */
	uint64_t count;		/* -n; 0: no limit */
	bool is_count_given;
	bool is_owner_given;	/* -u */
	uid_t owner;
	char **words;		/* what is no option */
	int nr_words;
};

struct command {
	const char *name;
	const char *usage;	/* what follows the name */
	const char *summary;
	const char *help;
	const char *options;	/* letters of the options it takes */
	int min_words, max_words;
	int (*run)(const struct args *args);	/* returns an exit code */
};

extern const struct command commands[];	/* ends with a NULL name */

int cmd_list(const struct args *args);
int cmd_ps(const struct args *args);
int cmd_maps(const struct args *args);
int cmd_dump(const struct args *args);
int cmd_hist(const struct args *args);
int cmd_watch(const struct args *args);
int cmd_stat(const struct args *args);
int cmd_on(const struct args *args);
int cmd_off(const struct args *args);
int cmd_trace(const struct args *args);
int cmd_stacks(const struct args *args);
int cmd_gc(const struct args *args);

/* Prints "inlay: ..." on stderr and returns EXIT_REFUSED. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
int out_of_memory(void);
/* fail() for an error of the reader library that has no reason of its own. */
int fail_read(const char *what, int error);
const char *read_error(int error);

/* ---- Targets (select.c) ----------------------------------------------------------------- */

void segment_opts(const struct args *args, struct inlay_segment_opts *ret_opts);

/*
 * Opens the segment of a process id, a file, a segment's name or a program's name. Returns an exit code;
 * prints why not.
 */
int target_open(const struct args *args, const char *target, bool is_writable,
		struct inlay_reader **ret_reader);

/* All targets that `target` names; NULL: every live one, or if none lives every one. */
struct targets {
	struct inlay_reader **readers;
	size_t nr;
};
int targets_open(const struct args *args, const char *target, bool is_writable,
		 struct targets *ret_targets);
/*
 * Appends the live ones that have come since, silently; `target` as it was given to
 * targets_open(). None where it named one segment or process. Returns an exit code.
 */
int targets_refresh(const struct args *args, const char *target, bool is_writable,
		    struct targets *targets);
/* Waits until there is one that lives; says on stderr that it does. */
int targets_wait(const struct args *args, const char *target, bool is_writable,
		 struct targets *ret_targets);
/* "4242" and "/dev/shm/...": one segment, that is there or is not. */
bool target_is_one(const char *target);
void targets_close(struct targets *targets);

/* A map of a target. map_close_choice() closes both. */
struct choice {
	struct inlay_reader *reader;
	uint32_t index;
	struct inlay_map_info info;
	char object[INLAY_NAME_BYTES + 1];
	uint32_t pid;
};
/* Finds the one map that [TARGET:][OBJECT.]MAP means. */
int choice_open(const struct args *args, const char *selector, struct choice *ret_choice);
void choice_close(struct choice *choice);
/* Whether a selector without its target means the map. */
bool selects_map(const char *selector, const char *object, const char *map);

/* "redis-server" of a segment: the base name of its executable. Raw text. */
const char *segment_program(const struct inlay_segment_info *info);
const char *state_name(const struct inlay_segment_info *info);
const char *map_type_name(const struct inlay_map_info *info, char *buffer, size_t bytes);
const char *prog_kind_name(uint32_t kind);

#endif /* INLAY_CLI_CLI_H */
