/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading /proc/PID/exe and /proc/PID/maps. See modules.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/inlay/modules.h"

static int add(struct modules *modules, const char *path, const char *shown)
{
	struct module_file *more = reallocarray(modules->files, modules->nr + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	modules->files = more;
	more += modules->nr++;
	more->path = strdup(path);
	more->shown = strdup(shown);
	return more->path && more->shown ? 0 : -ENOMEM;
}

static int has(const struct modules *modules, const char *shown)
{
	for (size_t i = 0; i < modules->nr; i++)
		if (!strcmp(modules->files[i].shown, shown))
			return 1;
	return 0;
}

/* Memory that is shared or anonymous has names too: segments are among them. */
static int is_library(const char *file)
{
	return strncmp(file, "/dev/", 5) && strncmp(file, "/memfd:", 7) &&
	       strncmp(file, "/SYSV", 5);
}

static int add_libraries(struct modules *modules, uint32_t pid)
{
	char path[PATH_MAX + 64], *line = NULL;
	size_t max = 0;
	int err = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (!err && getline(&line, &max, maps) > 0) {
		char *file = strchr(line, '/'), bits[8];

		/* Of a library some part is executable; regions of a segment never are. */
		if (!file || sscanf(line, "%*s %7s", bits) != 1 || !strchr(bits, 'x'))
			continue;
		file[strcspn(file, "\n")] = 0;
		if (!is_library(file) || has(modules, file))
			continue;
		snprintf(path, sizeof(path), "/proc/%u/root%.4000s", pid, file);
		err = add(modules, path, file);
	}
	free(line);
	fclose(maps);
	return err;
}

int modules_read(uint32_t pid, struct modules *ret_modules)
{
	char path[64], exe[PATH_MAX];
	ssize_t n;
	int err;

	memset(ret_modules, 0, sizeof(*ret_modules));
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n < 0)
		return -errno;
	exe[n] = 0;
	err = add(ret_modules, path, exe);
	if (!err)
		err = add_libraries(ret_modules, pid);
	if (err)
		modules_fini(ret_modules);
	return err;
}

void modules_fini(struct modules *modules)
{
	for (size_t i = 0; i < modules->nr; i++) {
		free(modules->files[i].path);
		free(modules->files[i].shown);
	}
	free(modules->files);
	memset(modules, 0, sizeof(*modules));
}
