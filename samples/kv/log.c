/* SPDX-License-Identifier: BSD-2-Clause */
/* The append-only log. */
#include "kv.h"

#include <fcntl.h>
#include <unistd.h>

int kv_log_open(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

int kv_log_append(int fd, const char *line, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, line, bytes);

		if (n < 0)
			return -1;
		line += n;
		bytes -= (size_t)n;
	}
	return 0;
}

int kv_log_sync(int fd)
{
	return fdatasync(fd);
}
