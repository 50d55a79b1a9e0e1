/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments that crashed processes left: at the start of a target all but the newest 16 of its
 * directory are removed, as a service that crashes and is started again would fill the memory of
 * the machine with them. What somebody may still want stays: segments that a process writes to
 * or reads, those that were kept on purpose (their processes ended normally), and what is no
 * segment, or one that is just being made. At most some hundred system calls.
 */
#include <errno.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

#define KEPT 16u	/* as `inlay gc` */
#define EXAMINED_MAX 256u

struct entry {	/* as getdents64() fills it */
	__u64 ino;
	__s64 off;
	__u16 bytes;
	__u8 type;
	char name[];
};

struct left {
	__s64 sec, nsec;	/* of its last change */
	char name[160];
};

struct look {
	int dir_fd;
	__u32 nr, nr_left;
	struct left left[KEPT];
};

/* Nobody has a lock of any kind on it. */
static bool is_unlocked(int fd)
{
	struct flock lock;

	/* not by an initialiser, which may become a call of memset() */
	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = 0;
	lock.l_len = 0;
	lock.l_pid = 0;
	return !sys_fcntl(fd, F_OFD_GETLK, (long)&lock) && lock.l_type == F_UNLCK;
}

static bool is_left(int fd, struct left *ret_left)
{
	struct inlay_segment head;
	struct stat st;

	if (sys_fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != sys_geteuid() ||
	    sys_call4(__NR_pread64, fd, &head, sizeof(head), 0) != sizeof(head))
		return false;
	ret_left->sec = st.st_ctim.tv_sec;
	ret_left->nsec = st.st_ctim.tv_nsec;
	/* a fork child that has no row yet is somebody, too */
	return head.magic == INLAY_SEGMENT_MAGIC && head.abi_major == INLAY_ABI_MAJOR &&
	       head.state == INLAY_SEGMENT_LIVE && !head.forking && is_unlocked(fd);
}

static int open_file(const struct look *look, const char *name)
{
	return sys_openat(look->dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
}

/* Under the lock of who joins segments: nobody begins to use it meanwhile. */
static void remove_left(const struct look *look, const char *name)
{
	int fd = open_file(look, name);
	struct left left;

	if (fd < 0)
		return;
	if (is_left(fd, &left) && !__inlay_lock_set(fd, INLAY_TABLE_LOCK, true) && is_left(fd, &left))
		sys_unlinkat(look->dir_fd, name);
	sys_close(fd);
}

static void left_copy(struct left *to, const struct left *from)
{
	to->sec = from->sec;
	to->nsec = from->nsec;
	str_copy(to->name, sizeof(to->name), from->name);
}

static bool is_older(const struct left *a, const struct left *b)
{
	return a->sec != b->sec ? a->sec < b->sec : a->nsec < b->nsec;
}

/* Keeps the newest that were seen so far; one that is one too many is removed. */
static void examine(struct look *look, const char *name)
{
	struct left left, *oldest = look->left;
	int fd;

	if (str_bytes(name) >= sizeof(left.name))
		return;
	fd = open_file(look, name);
	if (fd < 0)
		return;
	str_copy(left.name, sizeof(left.name), name);
	if (!is_left(fd, &left)) {
		sys_close(fd);
		return;
	}
	sys_close(fd);
	if (look->nr_left < KEPT) {
		left_copy(&look->left[look->nr_left++], &left);
		return;
	}
	for (__u32 i = 1; i < KEPT; i++)
		if (is_older(&look->left[i], oldest))
			oldest = &look->left[i];
	if (is_older(&left, oldest)) {
		remove_left(look, left.name);
		return;
	}
	remove_left(look, oldest->name);
	left_copy(oldest, &left);
}

/* Counts the files of the directory, and looks into them if is_thorough. */
static void walk(struct look *look, bool is_thorough)
{
	_Alignas(8) char buffer[2048];
	long n, at;

	look->nr = 0;
	while ((n = sys_call3(__NR_getdents64, look->dir_fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < n;) {
			const struct entry *entry = (const void *)(buffer + at);

			at += entry->bytes;
			if (entry->name[0] == '.')
				continue;
			if (++look->nr > EXAMINED_MAX)
				return;
			if (is_thorough)
				examine(look, entry->name);
		}
	}
}

void __inlay_old_remove(void)
{
	struct look look;

	if (__inlay_rt.mode != RT_FILE)
		return;
	look.nr_left = 0;
	look.dir_fd = __inlay_backing_dir_open(__inlay_rt.dir);
	if (look.dir_fd < 0)
		return;
	walk(&look, false);
	if (look.nr > KEPT && !sys_call3(__NR_lseek, look.dir_fd, 0, SEEK_SET))
		walk(&look, true);
	sys_close(look.dir_fd);
}
