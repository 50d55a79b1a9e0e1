/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls reached() through code of every kind: the program, libraries that are there from the start,
 * one that is loaded and one that takes its place, and code that is in no file. `ids FIRST SECOND`:
 * libraries to load. Says where they were.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

typedef int fn_t(int n);
int through_linked(fn_t *fn, int n);
int through_bare(fn_t *fn, int n);
int through_short(fn_t *fn, int n);
int through_long(fn_t *fn, int n);
int other(int n);
int reached(int n);

static volatile int sink;

__attribute__((noinline)) int reached(int n)
{
	sink += n;
	return n + 1;
}

__attribute__((noinline)) int other(int n)
{
	sink += n;
	return n + 2;
}

__attribute__((noinline)) static void through_loaded(const char *path)
{
	int (*fn)(fn_t *, int);
	void *library = dlopen(path, RTLD_NOW);

	*(void **)&fn = library ? dlsym(library, "through") : NULL;
	if (!fn) {
		fprintf(stderr, "%s\n", dlerror());
		return;
	}
	for (int i = 0; i < 2; i++)
		sink += fn(reached, 1);
	printf("%p\n", (void *)fn);
	dlclose(library);
}

/* A frame of its own around a call of its argument, in no file. NULL: it cannot be had. */
static void *make_code(void)
{
#if defined(__x86_64__)
	static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf8, 0x89,
					      0xf7, 0xff, 0xd0, 0x5d, 0xc3 };
#else
	static const unsigned int code[] = { 0xa9bf7bfd, 0x910003fd, 0xaa0003e9, 0x2a0103e0,
					     0xd63f0120, 0xa8c17bfd, 0xd65f03c0 };
#endif
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	memcpy(page, code, sizeof(code));
	__builtin___clear_cache(page, (char *)page + sizeof(code));
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) ? NULL : page;
}

__attribute__((noinline)) static void through_memory(void *code)
{
	int (*fn)(fn_t *, int);

	*(void **)&fn = code;
	for (int i = 0; i < 2; i++)
		sink += fn(reached, 1);
}

static void on_signal(int sig)
{
	sink += reached(sig);
}

int main(int argc, char **argv)
{
	void *code = make_code(); /* before a library was at its place, which would give it a name */

	if (!code)
		return 1;
	sink += reached(1);
	sink += through_linked(reached, 1);
	sink += through_bare(reached, 1);
	sink += through_short(reached, 1);
	sink += through_long(reached, 1);
	for (int i = 1; i < argc; i++)
		through_loaded(argv[i]);
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	sink += other(1);
	through_memory(code);
	return 0;
}
