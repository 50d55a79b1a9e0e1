/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the plugin and the runtime from the place of the executable, links resolved.
 */
#include "cli/driver/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef INLAY_LIBDIR_FROM_BIN
#error "the build says where lib is, seen from bin"
#endif

static int find(struct bpfcc_arena *arena, const char *bin, const char *name, const char **ret_path,
		const char **ret_missing)
{
	/* An installation may have lib/<triple>; the build tree has lib. */
	static const char *const dirs[] = { INLAY_LIBDIR_FROM_BIN, "../lib" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		char *path = bpfcc_arena_printf(arena, "%s/%s/%s", bin, dirs[i], name);
		char real[PATH_MAX];

		if (!path)
			return -ENOMEM;
		if (i == 0)
			*ret_missing = path;
		if (!realpath(path, real))
			continue;
		*ret_path = bpfcc_arena_strdup(arena, real);
		return *ret_path ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

int cc_paths_find(struct bpfcc_arena *arena, bool is_cxx, struct cc_paths *ret_paths,
		  const char **ret_missing)
{
	char bin[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", bin, sizeof(bin) - 1);
	int err;

	*ret_missing = "/proc/self/exe";
	if (len < 0)
		return -ENOENT;
	bin[len] = '\0';
	*strrchr(bin, '/') = '\0';
	ret_paths->clang = is_cxx ? INLAY_CLANGXX_PATH : INLAY_CLANG_PATH;
	err = find(arena, bin, "inlay-pass.so", &ret_paths->plugin, ret_missing);
	if (!err)
		err = find(arena, bin, "libinlay.a", &ret_paths->runtime, ret_missing);
	return err;
}
