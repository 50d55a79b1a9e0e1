/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target that does known work, then what stdin says: "work N", "greet N", "loop MS" (work until
 * another line comes), "exit", "kill". Answers each command with "ok" when it is done.
 * Built twice, without functions and without main, it is a program and its library.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void work(unsigned int id);
void greet(unsigned int id, const char *name);

#ifndef TARGET_WITHOUT_FUNCTIONS
static volatile unsigned int sink;

__attribute__((noinline)) void work(unsigned int id)
{
	sink += id;
}

__attribute__((noinline)) void greet(unsigned int id, const char *name)
{
	sink += id + (unsigned int)strlen(name);
}

#endif

#ifndef TARGET_WITHOUT_MAIN
static void *second(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 25; i++)
		work(i % 4);
	return NULL;
}

static void loop(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	while (poll(&in, 1, 1) == 0)
		for (unsigned int i = 0; i < 100; i++)
			work(2);
}

int main(void)
{
	char line[64], word[16];
	pthread_t thread;
	unsigned int n;

	setbuf(stdout, NULL);
	setbuf(stdin, NULL);
	for (unsigned int i = 0; i < 75; i++)
		work(i % 4);
	if (pthread_create(&thread, NULL, second, NULL) || pthread_join(thread, NULL))
		return 1;
	greet(1, "alice");
	greet(2, "a \"long\" name that is cut");
	greet(1, "alice");
	greet(7, "\033[31mred");
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%15s %u", word, &n) < 1)
			continue;
		if (!strcmp(word, "exit"))
			return 0;
		if (!strcmp(word, "kill"))
			raise(SIGKILL);
		if (!strcmp(word, "work"))
			while (n--)
				work(3);
		if (!strcmp(word, "loop"))
			loop();
		puts("ok");
	}
	return 0;
}
#endif
