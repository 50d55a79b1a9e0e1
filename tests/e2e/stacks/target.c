/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program whose stacks are known: what leaf() and outside() are called by is written here.
 * `target N` does it N times, then waits for its standard input to end.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <inlay/probe.h>

int leaf(int n);
int outside(int n); /* in a file of its own, without probes */

#define OWN __attribute__((noinline))

static volatile int sink;
static char alternate[64 << 10];

OWN int leaf(int n)
{
	sink += n;
	return n + 1;
}

OWN static int middle(int n)
{
	int rc = leaf(n);

	sink += rc;
	return rc;
}

OWN static int other(int n)
{
	int rc = leaf(n) + leaf(n + 1);

	sink += rc;
	return rc;
}

OWN static int recurse(int n)
{
	int rc = n ? recurse(n - 1) : leaf(n);

	sink += rc;
	return rc;
}

static inline __attribute__((always_inline)) int inlined(int n)
{
	sink += n;
	return n;
}

static inline __attribute__((always_inline)) int wrapped(int n)
{
	int rc = leaf(n);

	sink += rc;
	return rc;
}

OWN static int wrapper(int n)
{
	int rc = wrapped(n + 1);

	sink += rc;
	return rc;
}

OWN static int marked(int n)
{
	int rc = n * 2;

	sink += rc;
	INLAY_PROBE(target, mark, rc);
	sink += rc;
	return rc;
}

OWN static int caller(int n)
{
	int rc = outside(n) + inlined(n);

	sink += rc;
	return rc;
}

OWN static void on_signal(int sig)
{
	sink += middle(sig);
}

OWN static void *thread_main(void *arg)
{
	sink += middle(1);
	return arg;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	char byte;

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	for (int i = argc > 1 ? atoi(argv[1]) : 1; i > 0; i--) {
		pthread_t thread;

		middle(1);
		other(2);
		recurse(5);
		recurse(200);
		wrapper(4);
		caller(3);
		marked(3);
		raise(SIGUSR1);
		if (!pthread_create(&thread, NULL, thread_main, NULL))
			pthread_join(thread, NULL);
	}
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
