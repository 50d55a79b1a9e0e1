/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inlay-cc and inlay-c++ (one program, told apart by its name): clang 19 that sets probes. Reads
 * the command line, runs clang with what the probes need, and after a link checks what became of
 * them. With nothing to do it becomes clang with the arguments unchanged.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/driver/args.h"
#include "cli/driver/command.h"
#include "cli/driver/hash.h"
#include "cli/driver/link.h"
#include "cli/driver/options.h"
#include "cli/driver/paths.h"
#include "cli/driver/words.h"

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 70 };

extern char **environ;

struct driver {
	struct bpfcc_arena *arena;
	const char *name;		/* of this command, for messages */
	bool is_cxx;
	struct cc_options options;
	struct cc_words user;		/* clang's arguments as given */
	struct cc_args args;
	struct cc_paths paths;
};

static int fail(const struct driver *driver, int status, const char *what, const char *subject,
		int err)
{
	fprintf(stderr, "%s: error: %s%s%s%s%s\n", driver->name, what, subject ? " " : "",
		subject ? subject : "", err ? ": " : "", err ? strerror(-err) : "");
	return status;
}

static int fail_internal(const struct driver *driver, int err)
{
	return fail(driver, EXIT_INTERNAL, "cannot read the command line", NULL, err);
}

/* Options from one source; a word that is none of ours is refused unless `rest` takes it. */
static int take_options(struct driver *driver, const char *const *argv, size_t nr,
			struct cc_words *rest)
{
	const char *wrong = NULL;
	int err = cc_options_take(driver->arena, argv, nr, &driver->options, rest, &wrong);

	if (err == -EINVAL)
		return fail(driver, EXIT_USAGE, wrong, NULL, 0);
	return err ? fail_internal(driver, err) : 0;
}

/* INLAY_FLAGS comes first, so that the command line has the last word. */
static int read_environment(struct driver *driver)
{
	const char *text = secure_getenv("INLAY_FLAGS");
	struct cc_words words = { 0 }, rest = { 0 };
	int status;

	if (!text)
		return 0;
	if (cc_words_add_quoted(driver->arena, &words, text))
		return fail_internal(driver, -ENOMEM);
	status = take_options(driver, words.items, words.nr, &rest);
	if (!status && rest.nr > 0)
		status = fail(driver, EXIT_USAGE, "INLAY_FLAGS holds what is no option of Inlay:",
			      rest.items[0], 0);
	return status;
}

static int read_arguments(struct driver *driver, char **argv, int argc)
{
	struct cc_words given = { 0 }, expanded = { 0 }, rest = { 0 };
	const char *probes, *wrong = NULL;
	int status, err;

	status = read_environment(driver);
	if (!status)
		status = take_options(driver, (const char *const *)argv, (size_t)argc, &given);
	if (status)
		return status;

	/* Options of ours may stand in an @file; only then clang gets the file's words instead. */
	err = cc_words_expand(driver->arena, &expanded, given.items, given.nr);
	if (err)
		return fail_internal(driver, err);
	status = take_options(driver, expanded.items, expanded.nr, &rest);
	if (status)
		return status;
	driver->user = rest.nr == expanded.nr ? given : rest;
	cc_args_read(rest.items, rest.nr, &driver->args);

	probes = secure_getenv("INLAY_PROBES");
	if (probes && driver->options.probes.nr == 0)
		err = cc_words_add_list(driver->arena, &driver->options.probes, probes);
	if (!err)
		err = cc_options_check(driver->arena, &driver->options, &wrong);
	if (err == -EINVAL)
		return fail(driver, EXIT_USAGE, wrong, NULL, 0);
	return err ? fail_internal(driver, err) : 0;
}

/* Adds the launcher in front, if there is one: it runs a compiler whose command line says all. */
static int add_launcher(struct driver *driver, struct cc_words *command)
{
	const char *launcher = secure_getenv("INLAY_LAUNCHER");

	return launcher ? cc_words_add_quoted(driver->arena, command, launcher) : 0;
}

static int become(const struct driver *driver, const struct cc_words *command)
{
	execvp(command->items[0], (char *const *)command->items);
	return fail(driver, EXIT_REFUSED, "cannot run", command->items[0], -errno);
}

static int become_plain_clang(struct driver *driver)
{
	struct cc_words command = { 0 };
	int err = add_launcher(driver, &command);

	if (!err)
		err = cc_words_add(driver->arena, &command,
				   driver->is_cxx ? INLAY_CLANGXX_PATH : INLAY_CLANG_PATH);
	if (!err)
		err = cc_words_add_all(driver->arena, &command, driver->user.items,
				       driver->user.nr);
	return err ? fail_internal(driver, err) : become(driver, &command);
}

static int run(const struct driver *driver, const struct cc_words *command)
{
	int state, err;
	pid_t pid;

	err = posix_spawnp(&pid, command->items[0], NULL, NULL, (char *const *)command->items,
			   environ);
	if (err)
		return fail(driver, EXIT_REFUSED, "cannot run", command->items[0], -err);
	while (waitpid(pid, &state, 0) < 0)
		if (errno != EINTR)
			return fail(driver, EXIT_INTERNAL, "lost", command->items[0], -errno);
	return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return path[0] && (path[strlen(path) - 1] == '/' ||
			   (stat(path, &st) == 0 && S_ISDIR(st.st_mode)));
}

/*
 * Where the pass puts the reports of translation units: into the folder that was named, or beside
 * the file, which is the link's.
 */
static int prepare_report(const struct driver *driver, const char **ret_report)
{
	const char *report = driver->options.report;

	*ret_report = NULL;
	if (!report)
		return 0;
	if (!is_folder(report))
		report = bpfcc_arena_printf(driver->arena, "%s.d", report);
	if (!report)
		return fail_internal(driver, -ENOMEM);
	if (mkdir(report, 0777) != 0 && errno != EEXIST)
		return fail(driver, EXIT_REFUSED, "cannot make", report, -errno);
	*ret_report = report;
	return 0;
}

static int write_link_report(const struct driver *driver, const struct cc_link *link)
{
	const char *path = driver->options.report;
	int err;

	if (!path)
		return 0;
	if (is_folder(path))
		path = bpfcc_arena_printf(driver->arena, "%s/%s.link.json", path, link->name);
	err = path ? cc_link_write_report(link, path) : -ENOMEM;
	return err ? fail(driver, EXIT_REFUSED, "cannot write the report", path, err) : 0;
}

static void remove_output(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(path);
}

static int check_link(const struct driver *driver, const char *output)
{
	struct cc_link link;
	int err, status;

	err = cc_link_read(driver->arena, &driver->options, output, &link);
	/* -o /dev/null, a binary image: nothing to read, so nothing to say. */
	if (err == -ENOEXEC || err == -ENOENT)
		return 0;
	if (err)
		return fail(driver, EXIT_REFUSED, "cannot check", output, err);
	cc_link_print(&link, driver->options.verbose);
	status = write_link_report(driver, &link);
	if (link.nr_errors > 0 || status) {
		remove_output(output);
		return EXIT_REFUSED;
	}
	return 0;
}

static int find_parts(struct driver *driver, char ret_hash[CC_HASH_TEXT_BYTES])
{
	const char *subject = NULL;
	int err;

	err = cc_paths_find(driver->arena, driver->is_cxx, &driver->paths, &subject);
	if (err)
		return fail(driver, EXIT_REFUSED, "Inlay is not installed whole: cannot find",
			    subject, err);
	err = cc_hash(driver->arena, &driver->options, &driver->paths, ret_hash, &subject);
	return err ? fail(driver, EXIT_REFUSED, "cannot read", subject, err) : 0;
}

static int work(struct driver *driver)
{
	struct cc_request request = {
		.options = &driver->options,
		.paths = &driver->paths,
		.args = &driver->args,
		.user = &driver->user,
	};
	struct cc_words command = { 0 };
	char hash[CC_HASH_TEXT_BYTES];
	int status, err;

	status = find_parts(driver, hash);
	if (!status)
		status = prepare_report(driver, &request.report);
	if (status)
		return status;
	request.hash = hash;
	err = add_launcher(driver, &command);
	if (!err)
		err = cc_command_build(driver->arena, &request, &command);
	if (err)
		return fail_internal(driver, err);
	/* The plugin knows its probes from the command line; it needs no second opinion. */
	unsetenv("INLAY_PROBES");

	if (driver->args.mode != CC_LINK || driver->args.is_dry_run ||
	    driver->args.is_relocatable || driver->options.probes.nr == 0)
		return become(driver, &command);
	status = run(driver, &command);
	if (status)
		return status;
	return check_link(driver, driver->args.output ? driver->args.output : "a.out");
}

static bool has_work(const struct driver *driver)
{
	const struct cc_args *args = &driver->args;

	if (args->is_foreign)
		return false;
	if (args->mode == CC_COMPILE)
		return args->has_source && driver->options.probes.nr > 0;
	return args->mode == CC_LINK &&
	       (driver->options.probes.nr > 0 || driver->options.runtime);
}

/* One line, ready for a shell. */
static void print_words(const struct cc_words *words)
{
	for (size_t i = 0; i < words->nr; i++) {
		const char *word = words->items[i];
		bool is_plain = word[0] && !word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
							      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							      "0123456789_-+=./,:@%")];

		fputs(i > 0 ? " " : "", stdout);
		if (!is_plain)
			putchar('\'');
		for (const char *c = word; *c; c++) {
			if (*c == '\'')
				fputs("'\\''", stdout);
			else
				putchar(*c);
		}
		if (!is_plain)
			putchar('\'');
	}
	putchar('\n');
}

static int print_flags(struct driver *driver)
{
	struct cc_words compile = { 0 }, link = { 0 };
	enum cc_print print = driver->options.print;
	char hash[CC_HASH_TEXT_BYTES];
	int status, err;

	status = find_parts(driver, hash);
	if (status)
		return status;
	err = cc_compile_flags(driver->arena, &driver->options, &driver->paths, hash,
			       driver->options.report, &compile);
	if (!err)
		err = cc_link_flags(driver->arena, &driver->options, &driver->paths, &link);
	if (err)
		return fail_internal(driver, err);
	if (print != CC_PRINT_LINK) {
		fputs(print == CC_PRINT_FLAGS ? "compile: " : "", stdout);
		print_words(&compile);
	}
	if (print != CC_PRINT_COMPILE) {
		fputs(print == CC_PRINT_FLAGS ? "link: " : "", stdout);
		print_words(&link);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct driver driver = { 0 };
	const char *slash;
	int status;

	if (argc < 1)
		return EXIT_USAGE;
	slash = strrchr(argv[0], '/');
	driver.name = slash ? slash + 1 : argv[0];
	driver.is_cxx = strstr(driver.name, "++") != NULL;
	driver.arena = bpfcc_arena_new();
	if (!driver.arena)
		return fail_internal(&driver, -ENOMEM);

	status = read_arguments(&driver, argv + 1, argc - 1);
	if (status)
		return status;
	switch (driver.options.print) {
	case CC_PRINT_HELP:
		fputs(cc_options_help, stdout);
		return 0;
	case CC_PRINT_FLAGS:
	case CC_PRINT_COMPILE:
	case CC_PRINT_LINK:
		return print_flags(&driver);
	case CC_PRINT_NOTHING:
		break;
	}
	if (driver.options.check)
		return check_link(&driver, driver.options.check);
	return has_work(&driver) ? work(&driver) : become_plain_clang(&driver);
}
