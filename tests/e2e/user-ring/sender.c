/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sender PID FIRST NUMBER: sends that many messages to the process's map "messages", waiting for room. Each
 * fifth one is discarded and made anew, and the last one stays unfinished. Says how often it waited.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <inlay/inlay.h>

struct message {
	unsigned long long number, check;
};

int main(int argc, char **argv)
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	struct inlay_user_ring_buffer *ring;
	struct inlay_reader *reader;
	unsigned long long first, number, waits = 0;
	unsigned int map = 0;
	struct message *message;
	int err;

	if (argc != 4)
		return 2;
	opts.dir = getenv("INLAY_DIR");
	opts.is_writable = true;
	err = inlay_segment_open_pid(atoi(argv[1]), &opts, &reader);
	while (!err && !(err = inlay_segment_map(reader, map, &info)) &&
	       strcmp(info.name, "messages"))
		map++;
	if (!err)
		err = inlay_user_ring_buffer_new(reader, map, NULL, &ring);
	if (err) {
		fprintf(stderr, "%s\n", strerror(-err));
		return 1;
	}
	first = strtoull(argv[2], NULL, 10);
	number = strtoull(argv[3], NULL, 10);
	for (unsigned long long i = first; i <= first + number; i++) {
		message = inlay_user_ring_buffer_reserve(ring, sizeof(*message));
		if (!message && errno == ENOSPC) {
			waits++;
			message = inlay_user_ring_buffer_reserve_blocking(ring, sizeof(*message),
									  20000);
		}
		if (!message) {
			perror("reserve");
			return 1;
		}
		if (i == first + number)
			break;
		message->number = i;
		message->check = i * 31 + 7;
		if (i % 5 == 4) {
			inlay_user_ring_buffer_discard(ring, message);
			message = inlay_user_ring_buffer_reserve_blocking(ring, sizeof(*message), 20000);
			if (!message)
				return 1;
			message->number = i;
			message->check = i * 31 + 7;
		}
		inlay_user_ring_buffer_submit(ring, message);
	}
	printf("%llu\n", waits);
	/* without giving back the last one, as if it had been killed */
	return 0;
}
