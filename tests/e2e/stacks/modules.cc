// SPDX-License-Identifier: BSD-2-Clause
// Calls reached() through a library that it is linked with, and one that it loads when it runs; then
// unloads that one and waits, to be killed.
#define LIBRARY program
#include "modules.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

static volatile int sink;

extern "C" void linked_entry(reached_fn *fn, int n);
extern "C" __attribute__((noinline)) int reached(int n)
{
	sink += n;
	return n + 1;
}

int main(int argc, char **argv)
{
	void (*entry)(reached_fn *, int);
	void *library;

	linked_entry(reached, 1);
	CALL(program, reached, 2);
	library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	if (argc > 1 && !library)
		fprintf(stderr, "%s\n", dlerror());
	*(void **)&entry = library ? dlsym(library, "loaded_entry") : NULL;
	if (entry)
		entry(reached, 3);
	if (library && argc > 2)
		dlclose(library);
	puts("ready");
	fflush(stdout);
	pause();
	return sink;
}
