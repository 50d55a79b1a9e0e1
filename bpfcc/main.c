/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command bpfcc: which subcommand is meant. Exit codes: 0 done, 1 refused or failed, 2 usage, 70
 * a bug of ours.
 */
#include <string.h>

#include "bpfcc/cmd/cmd.h"

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {{"verify", cmd_verify}, {"run", cmd_run}};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc > 1 && !strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return cmd_compile(argc, argv);
}
