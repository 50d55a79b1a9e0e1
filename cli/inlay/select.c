/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what a user types to a segment or a map. An ambiguous selector is an error that lists the
 * choices; nothing is ever picked at random.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"

enum {
	MAX_LISTED = 16,
	WAIT_MS = 20,	/* between two looks for a target */
};

void segment_opts(const struct args *args, struct inlay_segment_opts *ret_opts)
{
	const char *dir = getenv("INLAY_DIR");

	memset(ret_opts, 0, sizeof(*ret_opts));
	ret_opts->sz = sizeof(*ret_opts);
	ret_opts->is_owner_given = args->is_owner_given;
	ret_opts->owner = args->owner;
	if (dir && *dir)
		ret_opts->dir = dir;
	/* a directory that is named is all that is looked at */
	ret_opts->has_memfds = !ret_opts->dir;
}

const char *segment_program(const struct inlay_segment_info *info)
{
	const char *slash = strrchr(info->exe, '/');

	if (slash && slash[1])
		return slash + 1;
	return *info->exe ? info->exe : info->comm;
}

const char *state_name(const struct inlay_segment_info *info)
{
	if (info->nr_alive)
		return "live";
	return info->state == INLAY_SEGMENT_EXITED ? "exited" : "died";
}

const char *map_type_name(const struct inlay_map_info *info, char *buffer, size_t bytes)
{
	switch (info->type) {
	case INLAY_MAP_TYPE_HASH:
		return "hash";
	case INLAY_MAP_TYPE_ARRAY:
		if (info->flags & INLAY_MAP_RODATA)
			return "constants";
		return info->flags & INLAY_MAP_GLOBAL ? "globals" : "array";
	case INLAY_MAP_TYPE_PERCPU_HASH:
		return "percpu_hash";
	case INLAY_MAP_TYPE_LRU_HASH:
		return "lru_hash";
	case INLAY_MAP_TYPE_LRU_PERCPU_HASH:
		return "lru_percpu_hash";
	case INLAY_MAP_TYPE_PERCPU_ARRAY:
		return "percpu_array";
	case INLAY_MAP_TYPE_PERF_EVENT_ARRAY:
		return "perf_event_array";
	case INLAY_MAP_TYPE_RINGBUF:
		return "ringbuf";
	case INLAY_MAP_TYPE_USER_RINGBUF:
		return "user_ringbuf";
	case INLAY_MAP_TYPE_CGROUP_ARRAY:
		return "cgroup_array";
	case INLAY_MAP_TYPE_LPM_TRIE:
		return "lpm_trie";
	case INLAY_MAP_TYPE_ARRAY_OF_MAPS:
		return "array_of_maps";
	case INLAY_MAP_TYPE_HASH_OF_MAPS:
		return "hash_of_maps";
	case INLAY_MAP_TYPE_QUEUE:
		return "queue";
	case INLAY_MAP_TYPE_STACK:
		return "stack";
	case INLAY_MAP_TYPE_BLOOM_FILTER:
		return "bloom_filter";
	case INLAY_MAP_TYPE_STACK_TRACE:
		return "stack_trace";
	case INLAY_MAP_TYPE_ARENA:
		return "arena";
	default:
		snprintf(buffer, bytes, "type %u", info->type);
		return buffer;
	}
}

const char *prog_kind_name(uint32_t kind)
{
	switch (kind) {
	case INLAY_PROG_ENTRY:
		return "entry";
	case INLAY_PROG_RETURN:
		return "return";
	case INLAY_PROG_SESSION:
		return "session";
	case INLAY_PROG_USDT:
		return "usdt";
	default:
		return "?";
	}
}

/* ---- Targets ---------------------------------------------------------------------------- */

static bool is_pid(const char *text)
{
	size_t n = strlen(text);

	return n && n < 10 && strspn(text, "0123456789") == n;
}

bool target_is_one(const char *target)
{
	return target && (is_pid(target) || strchr(target, '/'));
}

struct finding {
	const char *program;	/* NULL: any */
	bool is_live;		/* only live ones */
	char **paths;
	size_t nr;
	size_t nr_refused;
	char reason[512];	/* the first refusal */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int find_one(void *arg, const char *path, struct inlay_reader *reader, int error,
		    const char *reason)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct finding *finding = arg;
	char **more, name[256];

	if (!reader && finding->program &&
	    strncmp(base_name(path), finding->program, strlen(finding->program)))
		return 0;
	if (!reader) {
		if (!finding->nr_refused++)
			snprintf(finding->reason, sizeof(finding->reason), "%s: %s",
				 escape(path, name, sizeof(name)), reason);
		return error == -ENOMEM ? error : 0;
	}
	if (inlay_segment_info(reader, &info))
		return 0;
	if (finding->is_live && !info.nr_alive)
		return 0;
	if (finding->program && strcmp(segment_program(&info), finding->program) &&
	    strcmp(info.comm, finding->program) && strcmp(base_name(path), finding->program))
		return 0;
	more = reallocarray(finding->paths, finding->nr + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	finding->paths = more;
	finding->paths[finding->nr] = strdup(path);
	return finding->paths[finding->nr++] ? 0 : -ENOMEM;
}

static void finding_fini(struct finding *finding)
{
	for (size_t i = 0; i < finding->nr; i++)
		free(finding->paths[i]);
	free(finding->paths);
}

/* Live segments of a program; if there is none, those that are left. Prints why it fails. */
static int find(const struct args *args, const char *program, struct finding *ret_finding)
{
	struct inlay_segment_opts opts;
	char reason[256] = "";
	int err = 0;

	segment_opts(args, &opts);
	opts.is_unlocked = true;
	opts.reason = reason;
	opts.reason_bytes = sizeof(reason);
	for (int is_live = 1; is_live >= 0; is_live--) {
		memset(ret_finding, 0, sizeof(*ret_finding));
		ret_finding->program = program;
		ret_finding->is_live = is_live;
		err = inlay_segment_list(&opts, find_one, ret_finding);
		if (err && !ret_finding->nr) {
			finding_fini(ret_finding);
			return *reason ? fail("%s", reason) : fail_read("segments", err);
		}
		if (ret_finding->nr)
			return EXIT_DONE;
	}
	return EXIT_DONE;
}

static int open_path(const struct args *args, const char *path, bool is_writable,
		     struct inlay_reader **ret_reader)
{
	struct inlay_segment_opts opts;
	char reason[256] = "", name[256];
	int err;

	segment_opts(args, &opts);
	opts.is_writable = is_writable;
	opts.reason = reason;
	opts.reason_bytes = sizeof(reason);
	err = inlay_segment_open(path, &opts, ret_reader);
	if (err)
		return fail("%s: %s", escape(path, name, sizeof(name)),
			    *reason ? reason : read_error(err));
	return EXIT_DONE;
}

static int open_pid(const struct args *args, const char *text, bool is_writable,
		    struct inlay_reader **ret_reader)
{
	struct inlay_segment_opts opts;
	char reason[256] = "";
	int err;

	segment_opts(args, &opts);
	opts.is_writable = is_writable;
	opts.reason = reason;
	opts.reason_bytes = sizeof(reason);
	err = inlay_segment_open_pid((pid_t)strtol(text, NULL, 10), &opts, ret_reader);
	if (err)
		return fail("%s", *reason ? reason : read_error(err));
	return EXIT_DONE;
}

static void list_choice(struct inlay_reader *reader)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	char name[128];

	if (!inlay_segment_info(reader, &info))
		fprintf(stderr, "  %-8u %s (%s)\n", info.pid,
			escape(segment_program(&info), name, sizeof(name)), state_name(&info));
}

int targets_open(const struct args *args, const char *target, bool is_writable,
		 struct targets *ret_targets)
{
	struct finding finding;
	int code;

	memset(ret_targets, 0, sizeof(*ret_targets));
	if (target_is_one(target)) {
		ret_targets->readers = calloc(1, sizeof(struct inlay_reader *));
		if (!ret_targets->readers)
			return out_of_memory();
		code = is_pid(target) ?
			       open_pid(args, target, is_writable, ret_targets->readers) :
			       open_path(args, target, is_writable, ret_targets->readers);
		ret_targets->nr = code == EXIT_DONE;
		if (code)
			targets_close(ret_targets);
		return code;
	}
	code = find(args, target, &finding);
	if (code)
		return code;
	if (!finding.nr) {
		char name[128];

		if (finding.nr_refused)
			return fail("%s", finding.reason);
		if (target)
			return fail("no program '%s' with probes runs or has left a segment%s",
				    escape(target, name, sizeof(name)),
				    args->can_wait ? "; -w waits for one" : "");
		return fail("no program with probes runs or has left a segment%s",
			    args->can_wait ? "; -w waits for one" : "");
	}
	ret_targets->readers = calloc(finding.nr, sizeof(struct inlay_reader *));
	for (size_t i = 0; ret_targets->readers && i < finding.nr; i++) {
		/* One may have ended since; what is gone is no target. */
		code = open_path(args, finding.paths[i], is_writable,
				 &ret_targets->readers[ret_targets->nr]);
		ret_targets->nr += code == EXIT_DONE;
	}
	finding_fini(&finding);
	if (!ret_targets->readers)
		return out_of_memory();
	if (!ret_targets->nr) {
		targets_close(ret_targets);
		return code;
	}
	return EXIT_DONE;
}

/* A memfd has a path in each process that has it open: not its path is what it is known by. */
static bool has_target(const struct targets *targets, struct inlay_reader *reader)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info), known = info;

	if (inlay_segment_info(reader, &info))
		return true;
	for (size_t i = 0; i < targets->nr; i++)
		if (!inlay_segment_info(targets->readers[i], &known) && known.pid == info.pid &&
		    known.starttime == info.starttime && known.created_ns == info.created_ns)
			return true;
	return false;
}

int targets_refresh(const struct args *args, const char *target, bool is_writable,
		    struct targets *targets)
{
	struct finding finding = { .program = target, .is_live = true };
	struct inlay_segment_opts opts;
	struct inlay_reader **more;
	int err = 0;

	if (target_is_one(target))
		return EXIT_DONE;
	segment_opts(args, &opts);
	opts.is_unlocked = true;
	/* what cannot be read now is looked at again the next time */
	(void)inlay_segment_list(&opts, find_one, &finding);
	opts.is_unlocked = false;
	opts.is_writable = is_writable;
	for (size_t i = 0; i < finding.nr && !err; i++) {
		more = reallocarray(targets->readers, targets->nr + 1, sizeof(*more));
		if (!more) {
			err = -ENOMEM;
			break;
		}
		targets->readers = more;
		if (inlay_segment_open(finding.paths[i], &opts, &more[targets->nr]))
			continue;
		if (has_target(targets, more[targets->nr]))
			inlay_segment_close(more[targets->nr]);
		else
			targets->nr++;
	}
	finding_fini(&finding);
	return err ? out_of_memory() : EXIT_DONE;
}

int targets_wait(const struct args *args, const char *target, bool is_writable,
		 struct targets *ret_targets)
{
	const struct timespec pause = { .tv_nsec = WAIT_MS * 1000000 };
	bool is_said = false;
	char name[128];
	int code;

	memset(ret_targets, 0, sizeof(*ret_targets));
	for (;;) {
		code = targets_refresh(args, target, is_writable, ret_targets);
		if (code || ret_targets->nr)
			return code;
		if (!is_said && target)
			fprintf(stderr, "waiting for a program '%s' with probes\n",
				escape(target, name, sizeof(name)));
		else if (!is_said)
			fprintf(stderr, "waiting for a program with probes\n");
		is_said = true;
		nanosleep(&pause, NULL);
	}
}

void targets_close(struct targets *targets)
{
	for (size_t i = 0; i < targets->nr; i++)
		inlay_segment_close(targets->readers[i]);
	free(targets->readers);
	memset(targets, 0, sizeof(*targets));
}

int target_open(const struct args *args, const char *target, bool is_writable,
		struct inlay_reader **ret_reader)
{
	struct targets targets;
	int code = targets_open(args, target, is_writable, &targets);

	if (code)
		return code;
	if (targets.nr > 1) {
		code = fail("%zu targets fit; choose one with its process id:", targets.nr);
		for (size_t i = 0; i < targets.nr && i < MAX_LISTED; i++)
			list_choice(targets.readers[i]);
	} else {
		*ret_reader = targets.readers[0];
		targets.nr = 0;
	}
	targets_close(&targets);
	return code;
}

/* ---- Maps ------------------------------------------------------------------------------- */

bool selects_map(const char *selector, const char *object, const char *map)
{
	size_t n = strlen(object);

	if (!strcmp(selector, map))
		return true;
	if (strncmp(selector, object, n))
		return false;
	selector += n;
	/* "object.map", and for ".bss" also "object.bss" */
	return (*selector == '.' && !strcmp(selector + 1, map)) ||
	       (*map == '.' && !strcmp(selector, map));
}

struct matches {
	struct choice *found;
	size_t nr;
};

/* selector NULL: every map */
static int match_maps(struct inlay_reader *reader, const char *selector, struct matches *matches)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	int err = inlay_segment_info(reader, &segment);

	for (uint32_t i = 0; !err && i < segment.nr_maps; i++) {
		struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
		struct choice *more;

		err = inlay_segment_map(reader, i, &info);
		if (!err)
			err = inlay_segment_object(reader, info.object, &object);
		if (err || (selector && !selects_map(selector, object.name, info.name)))
			continue;
		more = reallocarray(matches->found, matches->nr + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		matches->found = more;
		more = &more[matches->nr++];
		memset(more, 0, sizeof(*more));
		more->reader = reader;
		more->index = i;
		more->info = info;
		more->pid = segment.pid;
		snprintf(more->object, sizeof(more->object), "%s", object.name);
	}
	return err;
}

static void list_maps(const struct matches *matches)
{
	for (size_t i = 0; i < matches->nr && i < MAX_LISTED; i++) {
		char object[2 * INLAY_NAME_BYTES], map[2 * INLAY_NAME_BYTES];

		escape(matches->found[i].object, object, sizeof(object));
		escape(matches->found[i].info.name, map, sizeof(map));
		fprintf(stderr, "  %u:%s%s%s\n", matches->found[i].pid, object,
			*map == '.' ? "" : ".", map);
	}
	if (matches->nr > MAX_LISTED)
		fprintf(stderr, "  ... and %zu more\n", matches->nr - MAX_LISTED);
}

int choice_open(const struct args *args, const char *selector, struct choice *ret_choice)
{
	const char *colon = strrchr(selector, ':'), *map = colon ? colon + 1 : selector;
	char *target = NULL, name[160];
	struct matches matches = { 0 };
	struct targets targets;
	int code, err = 0;

	if (colon && !(target = strndup(selector, (size_t)(colon - selector))))
		return out_of_memory();
	code = targets_open(args, target ? target : args->target, false, &targets);
	free(target);
	if (code)
		return code;
	for (size_t i = 0; i < targets.nr && !err; i++)
		err = match_maps(targets.readers[i], map, &matches);
	escape(map, name, sizeof(name));
	if (matches.nr == 1) {
		*ret_choice = matches.found[0];
		for (size_t i = 0; i < targets.nr; i++)
			if (targets.readers[i] == ret_choice->reader)
				targets.readers[i] = NULL;
	} else if (matches.nr) {
		code = fail("'%s' means %zu maps; choose one:", name, matches.nr);
		list_maps(&matches);
	} else if (err) {
		code = fail_read("segment", err);
	} else {
		code = fail("there is no map '%s'; the maps are:", name);
		for (size_t i = 0; i < targets.nr && !err; i++)
			err = match_maps(targets.readers[i], NULL, &matches);
		list_maps(&matches);
	}
	free(matches.found);
	targets_close(&targets);
	return code;
}

void choice_close(struct choice *choice)
{
	inlay_segment_close(choice->reader);
}
