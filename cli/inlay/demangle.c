/* SPDX-License-Identifier: BSD-2-Clause */
/* __cxa_demangle() of the C++ ABI, by dlopen(). See demangle.h. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/demangle.h"

/* The files are whoever's; the demanglers recurse along their names. */
#define NAME_MAX_BYTES 4096

typedef char *cxa_demangle_fn(const char *name, char *buffer, size_t *bytes, int *ret_status);

static cxa_demangle_fn *find(void)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libc++abi.so.1", "libc++.so.1" };
	static cxa_demangle_fn *fn;
	static bool is_done;

	for (size_t i = 0; !is_done && !fn && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);

		if (library)
			*(void **)&fn = dlsym(library, "__cxa_demangle");
	}
	is_done = true;
	return fn;
}

char *demangle(const char *name)
{
	cxa_demangle_fn *fn;
	char *plain;
	int status;

	/* without that prefix a name may be taken for a type: "i" is int */
	if (strncmp(name, "_Z", 2) || strlen(name) > NAME_MAX_BYTES)
		return NULL;
	fn = find();
	plain = fn ? fn(name, NULL, NULL, &status) : NULL;
	if (plain && status) {
		free(plain);
		plain = NULL;
	}
	return plain;
}
