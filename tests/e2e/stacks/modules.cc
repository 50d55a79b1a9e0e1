// SPDX-License-Identifier: BSD-2-Clause
// Calls reached() through a library that it is linked with, and one that it loads when it runs; then
// unloads that one and waits, to be killed. `child`: a child goes on when its input ends. `hidden`: it
// goes on itself then, without the page that has its program headers.
#define LIBRARY program
#include "modules.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

extern "C" const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
static volatile int sink;

extern "C" void linked_entry(reached_fn *fn, int n);
extern "C" __attribute__((noinline)) int reached(int n)
{
	sink += n;
	return n + 1;
}

/* A caller that is nowhere: each stack makes the runtime look for what was loaded. */
static __attribute__((noinline)) int lost(unsigned long seed)
{
	unsigned long record[2] = { 0, (seed * 2654435761u) << 13 | 1ul << 46 };
	unsigned long **fp = (unsigned long **)__builtin_frame_address(0), *saved = *fp;
	int rc;

	*(unsigned long *volatile *)fp = record;
	__asm__ volatile("" : : "r"(record) : "memory");
	rc = reached(1);
	*(unsigned long *volatile *)fp = saved;
	return rc;
}

static volatile bool is_over;

static void *lose(void *arg)
{
	for (unsigned long i = (unsigned long)arg; !is_over; i += 2)
		sink += lost(i);
	return NULL;
}

/* Libraries come and go while two threads look at the list of them. */
static int storm(const char *library, int seconds)
{
	time_t end = time(NULL) + seconds;
	pthread_t threads[2];
	unsigned long i;
	int nr = 0;

	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, lose, (void *)i))
			return 2;
	for (; time(NULL) < end; nr++) {
		void *handle = dlopen(library, RTLD_NOW);

		if (!handle || dlclose(handle))
			return 3;
	}
	is_over = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("%d times\n", nr);
	return 0;
}

/* New stacks of a child. */
static __attribute__((noinline)) int child_goes_on(void)
{
	linked_entry(reached, 5);
	return sink;
}

static void have_child(void)
{
	char byte;

	if (fork())
		return;
	puts("child");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	sink += child_goes_on();
	puts("done");
	fflush(stdout);
	pause();
}

/* As hardened programs do, and those that unpack themselves. */
static void hide_headers(void)
{
	char byte;

	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	if (mprotect((void *)&__ehdr_start, 4096, PROT_NONE))
		_exit(2);
	sink += child_goes_on();
	_exit(0);
}

int main(int argc, char **argv)
{
	void (*entry)(reached_fn *, int);
	void *library;

	if (argc > 2 && !strcmp(argv[2], "storm"))
		return storm(argv[1], 2);
	linked_entry(reached, 1);
	CALL(program, reached, 2);
	library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	if (argc > 1 && !library)
		fprintf(stderr, "%s\n", dlerror());
	*(void **)&entry = library ? dlsym(library, "loaded_entry") : NULL;
	if (entry)
		entry(reached, 3);
	if (library && argc > 2 && !strcmp(argv[2], "unload"))
		dlclose(library);
	if (argc > 2 && !strcmp(argv[2], "child"))
		have_child();
	if (argc > 2 && !strcmp(argv[2], "hidden"))
		hide_headers();
	puts("ready");
	fflush(stdout);
	pause();
	return sink;
}
