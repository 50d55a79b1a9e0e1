/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds clang's command line. Every flag is one that clang uses in the phases that run, so that
 * -Werror finds no unused one; flags for the compiler proper go through -Xclang, because clang
 * hands a plain -mllvm to its assembler as well, which does not know the plugin.
 */
#include "cli/driver/command.h"

#include <errno.h>
#include <string.h>

static int add_plugin_option(struct bpfcc_arena *arena, struct cc_words *flags, const char *name,
			     const char *value)
{
	const char *words[] = { "-Xclang", "-mllvm", "-Xclang", NULL };

	words[3] = value ? bpfcc_arena_printf(arena, "-inlay-%s=%s", name, value) :
			   bpfcc_arena_printf(arena, "-inlay-%s", name);
	return words[3] ? cc_words_add_all(arena, flags, words, 4) : -ENOMEM;
}

static int add_each(struct bpfcc_arena *arena, struct cc_words *flags, const char *name,
		    const struct cc_words *values)
{
	int err = 0;

	for (size_t i = 0; i < values->nr && !err; i++)
		err = add_plugin_option(arena, flags, name, values->items[i]);
	return err;
}

int cc_compile_flags(struct bpfcc_arena *arena, const struct cc_options *options,
		     const struct cc_paths *paths, const char *hash, const char *report,
		     struct cc_words *flags)
{
	const char *load = bpfcc_arena_printf(arena, "-fplugin=%s", paths->plugin);
	const char *run = bpfcc_arena_printf(arena, "-fpass-plugin=%s", paths->plugin);
	int err;

	if (!load || !run)
		return -ENOMEM;
	err = cc_words_add(arena, flags, load);
	if (!err)
		err = cc_words_add(arena, flags, run);
	if (!err)
		err = add_each(arena, flags, "probes", &options->probes);
	if (!err)
		err = add_each(arena, flags, "set", &options->sets);
	if (!err)
		err = add_each(arena, flags, "map", &options->maps);
	if (!err)
		err = add_each(arena, flags, "attach", &options->attaches);
	if (!err)
		err = add_each(arena, flags, "skip", &options->skips);
	if (!err && options->target_btf)
		err = add_plugin_option(arena, flags, "target-btf", options->target_btf);
	if (!err && options->binary)
		err = add_plugin_option(arena, flags, "binary", options->binary);
	if (!err && options->allow_override)
		err = add_plugin_option(arena, flags, "allow-override", NULL);
	if (!err && options->allow_write)
		err = add_plugin_option(arena, flags, "allow-write", NULL);
	if (!err && options->unsafe_no_verify)
		err = add_plugin_option(arena, flags, "unsafe-no-verify", NULL);
	if (!err && options->stats)
		err = add_plugin_option(arena, flags, "stats", NULL);
	if (!err && options->verbose)
		err = add_plugin_option(arena, flags, "verbose", NULL);
	if (!err && report)
		err = add_plugin_option(arena, flags, "report", report);
	if (!err && hash)
		err = add_plugin_option(arena, flags, "hash", hash);
	return err;
}

int cc_link_flags(struct bpfcc_arena *arena, const struct cc_options *options,
		  const struct cc_paths *paths, struct cc_words *flags)
{
	/* -Xlinker keeps its place among the inputs and, unlike a bare path, is no source after `-x c`. */
	const char *const words[] = { "-Xlinker", paths->runtime };
	int err = 0;

	if (options->no_handler) {
		const char *const defsym[] = { "-Xlinker", "--defsym=__inlay_no_handler_v1=1" };

		err = cc_words_add_all(arena, flags, defsym, 2);
	}
	if (!err)
		err = cc_words_add_all(arena, flags, words, 2);
	return err;
}

/*
 * The user's words, with the inputs behind "--" written so that they need no "--": flags must be
 * able to stand behind them.
 */
static int add_user(struct bpfcc_arena *arena, const struct cc_words *user,
		    struct cc_words *command)
{
	bool is_input_only = false;
	int err = 0;

	for (size_t i = 0; i < user->nr && !err; i++) {
		const char *word = user->items[i];

		if (is_input_only && (word[0] == '-' || word[0] == '@')) {
			word = bpfcc_arena_printf(arena, "./%s", word);
			if (!word)
				return -ENOMEM;
		}
		if (!is_input_only && strcmp(word, "--") == 0)
			is_input_only = true;
		else
			err = cc_words_add(arena, command, word);
	}
	return err;
}

/* make's rule for the object names the probe objects, so that a changed probe rebuilds it. */
static int add_depfile_entries(struct bpfcc_arena *arena, const struct cc_options *options,
			       struct cc_words *command)
{
	int err = 0;

	for (size_t i = 0; i < options->probes.nr && !err; i++) {
		const char *words[] = { "-Xclang", NULL };

		words[1] = bpfcc_arena_printf(arena, "-fdepfile-entry=%s",
					      options->probes.items[i]);
		err = words[1] ? cc_words_add_all(arena, command, words, 2) : -ENOMEM;
	}
	if (options->target_btf && !err) {
		const char *words[] = { "-Xclang", NULL };

		words[1] = bpfcc_arena_printf(arena, "-fdepfile-entry=%s", options->target_btf);
		err = words[1] ? cc_words_add_all(arena, command, words, 2) : -ENOMEM;
	}
	return err;
}

int cc_command_build(struct bpfcc_arena *arena, const struct cc_request *request,
		     struct cc_words *command)
{
	const struct cc_args *args = request->args;
	bool has_link = args->mode == CC_LINK && !args->is_relocatable;
	int err;

	err = cc_words_add(arena, command, request->paths->clang);
	if (!err && args->has_source && request->options->probes.nr > 0) {
		err = cc_compile_flags(arena, request->options, request->paths, request->hash,
				       request->report, command);
		if (!err && args->has_depfile)
			err = add_depfile_entries(arena, request->options, command);
	}
	/* GNU ld reads LLVM's bitcode only with a plugin that Debian packages apart. */
	if (!err && args->mode == CC_LINK && args->lto != CC_LTO_NONE && !args->has_linker)
		err = cc_words_add(arena, command, "-fuse-ld=lld");
	if (!err)
		err = add_user(arena, request->user, command);
	if (!err && has_link)
		err = cc_link_flags(arena, request->options, request->paths, command);
	return err;
}
