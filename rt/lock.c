/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-file-description locks on single bytes of the segment file. The kernel drops them with the
 * last reference to the open file, whichever way a process ends; they are what "alive" means.
 */
#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

/* Never waits: -EAGAIN when another open file holds it. */
int __inlay_lock_set(int fd, __u64 byte, bool is_write)
{
	struct flock lock = {
		.l_type = is_write ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)byte,
		.l_len = 1,
	};

	return (int)sys_fcntl(fd, F_OFD_SETLK, (long)&lock);
}

/* For good, also where a child has a copy of the descriptor: closing ours would leave it locked. */
void __inlay_lock_drop(int fd, __u64 byte)
{
	struct flock lock = {
		.l_type = F_UNLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)byte,
		.l_len = 1,
	};

	sys_fcntl(fd, F_OFD_SETLK, (long)&lock);
}

/* Whether another open file holds it, shared or not; true when the kernel does not say. */
bool __inlay_lock_is_held(int fd, __u64 byte)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)byte,
		.l_len = 1,
	};

	return sys_fcntl(fd, F_OFD_GETLK, (long)&lock) < 0 || lock.l_type != F_UNLCK;
}
