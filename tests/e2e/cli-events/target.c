/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls what stdin says: "tell N", "mumble N", "sample N", N times with 0 to N - 1; "exit"; "kill".
 * Answers each command with "ok" when it is done.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile unsigned int sink;

__attribute__((noinline)) void tell(unsigned int id, const char *name)
{
	sink += id + (unsigned int)strlen(name);
}

__attribute__((noinline)) void mumble(unsigned int id)
{
	sink += id;
}

__attribute__((noinline)) void sample(unsigned int id)
{
	sink -= id;
}

int main(void)
{
	char line[64], word[16];
	unsigned int n = 0;

	setbuf(stdout, NULL);
	setbuf(stdin, NULL);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%15s %u", word, &n) < 1)
			continue;
		if (!strcmp(word, "exit"))
			return 0;
		if (!strcmp(word, "kill"))
			raise(SIGKILL);
		for (unsigned int i = 0; i < n; i++) {
			if (!strcmp(word, "tell"))
				tell(i, i % 3 ? "al\033ice" : "bob \"b\"");
			else if (!strcmp(word, "mumble"))
				mumble(i);
			else if (!strcmp(word, "sample"))
				sample(i);
		}
		puts("ok");
	}
	return 0;
}
