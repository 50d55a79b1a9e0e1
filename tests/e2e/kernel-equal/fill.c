/* SPDX-License-Identifier: BSD-2-Clause */
/* fill PID: sends the messages of messages.h to the process's ring "filled", by the library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <inlay/inlay.h>

#include "messages.h"

int main(int argc, char **argv)
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	struct inlay_user_ring_buffer *ring = NULL;
	struct inlay_reader *reader;
	uint32_t map = 0;
	int err;

	if (argc != 2)
		return 2;
	opts.dir = getenv("INLAY_DIR");
	opts.is_writable = true;
	err = inlay_segment_open_pid(atoi(argv[1]), &opts, &reader);
	while (!err && !(err = inlay_segment_map(reader, map, &info)) && strcmp(info.name, "filled"))
		map++;
	if (!err)
		err = inlay_user_ring_buffer_new(reader, map, NULL, &ring);
	if (err) {
		fprintf(stderr, "fill: %s\n", strerror(-err));
		return 1;
	}
	for (uint32_t nr = 0; nr < MESSAGES_NR; nr++) {
		char *data = inlay_user_ring_buffer_reserve(ring, message_bytes(nr));

		if (!data) {
			perror("fill");
			return 1;
		}
		message_fill(nr, data);
		if (message_is_discarded(nr))
			inlay_user_ring_buffer_discard(ring, data);
		else
			inlay_user_ring_buffer_submit(ring, data);
	}
	inlay_user_ring_buffer_free(ring);
	inlay_segment_close(reader);
	return 0;
}
