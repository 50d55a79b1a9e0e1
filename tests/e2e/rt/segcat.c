/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints parts of a segment for the runtime's end-to-end tests.
 *	segcat FILE MAP INDEX	a value, or the sum of a per-CPU map's shards
 *	segcat FILE state	MAKING, LIVE or EXITED
 *	segcat FILE procs	processes that are alive by their locks
 *	segcat FILE hold	hold the reader's lock until the end of the input
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/segment_read.h"

static bool is_locked(int fd, uint64_t byte)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = (off_t)byte, .l_len = 1 };

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

int main(int argc, char **argv)
{
	static const char *const states[] = { "MAKING", "LIVE", "EXITED" };
	struct inlay_segment seg;
	int fd, alive = 0;
	uint32_t i;

	if (argc < 3)
		return 2;
	fd = open(argv[1], O_RDONLY);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	seg = segment_head(fd);
	if (argc > 3) {
		printf("%llu\n", (unsigned long long)segment_value(fd, argv[2],
								   (uint32_t)atoi(argv[3])));
	} else if (!strcmp(argv[2], "state")) {
		printf("%s\n", seg.state < 3 ? states[seg.state] : "?");
	} else if (!strcmp(argv[2], "procs")) {
		for (i = 0; i < seg.procs.nr; i++)
			alive += is_locked(fd, INLAY_PROC_LOCK_BASE + i);
		printf("%d\n", alive);
	} else if (!strcmp(argv[2], "hold")) {
		struct flock lock = { .l_type = F_RDLCK, .l_start = (off_t)INLAY_READER_LOCK,
				      .l_len = 1 };
		char byte;

		if (fcntl(fd, F_OFD_SETLK, &lock))
			return 1;
		puts("held");
		fflush(stdout);
		while (read(0, &byte, 1) > 0)
			;
	} else {
		return 2;
	}
	return 0;
}
