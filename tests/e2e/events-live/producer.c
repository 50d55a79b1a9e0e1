/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * producer THREADS NUMBER: each thread makes that many events and the program says how many it made in all;
 * with NUMBER 0 they go on until the process is killed.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile unsigned long long sink;
static unsigned long long number;

__attribute__((noinline)) void produce(unsigned long long thread, unsigned long long seq)
{
	sink = thread + seq;
}

static void *run(void *arg)
{
	unsigned long long thread = (unsigned long long)getpid() << 32 | (unsigned long)arg;

	for (unsigned long long seq = 0; !number || seq < number; seq++) {
		produce(thread, seq);
		/* not faster than anybody could read */
		if (seq % 64 == 63)
			usleep(100);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[16];
	int nr = argc > 2 ? atoi(argv[1]) : 0;

	if (nr < 1 || nr > 16)
		return 2;
	number = strtoull(argv[2], NULL, 10);
	for (long i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)i))
			return 1;
	for (int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	printf("%llu\n", number * (unsigned int)nr);
	return 0;
}
