/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --emit=so: the compiler driver links the object file with libinlay.a, which is beside bpfcc or
 * where it was installed. Exported are the programs and the accessors of maps and variables;
 * the runtime inside stays private.
 */
#include "bpfcc/ll/link.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpfcc/handle.h"

extern char **environ;

#ifndef INLAY_LIBDIR
#define INLAY_LIBDIR "/usr/local/lib"
#endif

static bool find_runtime(char *path, size_t size)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (len > 0) {
		exe[len] = '\0';
		slash = strrchr(exe, '/');
		if (slash)
			*slash = '\0';
		snprintf(path, size, "%s/../lib/libinlay.a", exe);
		if (!access(path, R_OK))
			return true;
	}
	snprintf(path, size, "%s/libinlay.a", INLAY_LIBDIR);
	return !access(path, R_OK);
}

static int write_exports(char *path)
{
	static const char text[] = "{ global: __inlay_prog_*; __inlay_memory_*; __inlay_map_*; "
				   "local: *; };\n";
	int fd = mkstemp(path), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1)
		err = -EIO;
	close(fd);
	return err;
}

static int run(struct inlay_bpfcc_object *object, char *const *argv)
{
	int status, err;
	pid_t pid;

	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (err)
		return bpfcc_error(&object->diag, NULL, "install it, or emit a .o and link that",
				   "cannot run the linker '%s': %s", argv[0], strerror(err));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return bpfcc_error(&object->diag, NULL, NULL, "the linker '%s' failed", argv[0]);
	return 0;
}

int bpfcc_link(struct inlay_bpfcc_object *object, const char *input, const char *output)
{
	char runtime[PATH_MAX + 32], exports[] = "/tmp/bpfcc-exports-XXXXXX", option[128];
	char *argv[] = {"cc",	"-shared", "-o",    (char *)output, (char *)input, runtime,
			option, "-Wl,-z,defs", "-Wl,--build-id=none", NULL};
	int err;

	if (object->opts.target)
		return bpfcc_error(&object->diag, NULL, "emit a .o and link it on that machine",
				   "a shared library is linked for this machine only");
	if (!find_runtime(runtime, sizeof(runtime)))
		return bpfcc_error(&object->diag, NULL, "install Inlay's runtime beside bpfcc",
				   "libinlay.a is not found");
	err = write_exports(exports);
	if (!err) {
		snprintf(option, sizeof(option), "-Wl,--version-script=%s", exports);
		err = run(object, argv);
	}
	unlink(exports);
	return err;
}
