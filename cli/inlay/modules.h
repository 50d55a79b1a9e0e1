/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that a process has mapped: its executable first, then each library once. */
#ifndef INLAY_CLI_MODULES_H
#define INLAY_CLI_MODULES_H

#include <stddef.h>
#include <stdint.h>

struct module_file {
	char *path;	/* to open, through the process's own root: it may run in a container */
	char *shown;	/* as the process names it */
};

struct modules {
	struct module_file *files;
	size_t nr;
};

/* -ENOENT: there is no such process; -EACCES: another user's. The caller calls modules_fini(). */
int modules_read(uint32_t pid, struct modules *ret_modules);
void modules_fini(struct modules *modules);

#endif /* INLAY_CLI_MODULES_H */
