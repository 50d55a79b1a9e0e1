/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program without probes that loads libraries with probes, so that one of the libraries leads.
 * Loads, hits, unloads each in turn: the first one's runtime must outlive it.
 *	host LIB...
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long long total;

static void *hit(void *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void (*lib_hit)(void);
	unsigned long long (*lib_count)(void);

	if (!lib) {
		printf("wrong=%s\n", dlerror());
		exit(1);
	}
	lib_hit = (void (*)(void))dlsym(lib, "lib_hit");
	lib_count = (unsigned long long (*)(void))dlsym(lib, "lib_count");
	lib_hit();
	if (lib_count() != ++total) {
		printf("wrong=count is %llu, not %llu\n", lib_count(), total);
		exit(1);
	}
	dlclose(lib);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 1; i < argc; i++) {
			hit(argv[i]);
			if (pthread_create(&thread, NULL, hit, argv[i]))
				return 1;
			pthread_join(thread, NULL);
		}
	}
	printf("total=%llu\n", total);
	return 0;
}
