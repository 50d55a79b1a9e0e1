/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file behind the segment: a file in a directory that only the user can enter, or a memfd.
 *
 * Invariant: pages are reserved before anything maps them, because a sparse file on a full tmpfs is
 * a SIGBUS at first touch. The descriptor lives in the target's table, where a daemon may close it
 * and open something else in its place: no use of it goes unchecked.
 */
#include <errno.h>
#include <linux/memfd.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_SEAL_SHRINK 2
#endif
/* Out of the way of programs that count on getting the lowest descriptors. */
#define BACKING_FD_MIN 900
/* fallocate() gives up when a signal is pending; the handler runs when it returns. */
#define RESERVE_TRIES 100

/*
 * Gives the directory that was just made what a umask took from its owner, or every later target of
 * that user would be without one. By a descriptor that needs no rights, so that it is no link.
 */
static void dir_complete(const char *path)
{
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	char by_fd[64] = "/proc/self/fd/";
	struct stat st;

	if (fd < 0)
		return;
	if (!sys_fstat(fd, &st) && st.st_uid == sys_geteuid() && (st.st_mode & 0777) != 0700) {
		str_append_u64(by_fd, sizeof(by_fd), (__u64)fd);
		sys_chmod(by_fd, 0700);
	}
	sys_close(fd);
}

/*
 * Opens (and makes, if need be) a directory for segments. It must be the user's own, closed to
 * everybody else and no link: in a world-writable parent another user could have made it first.
 */
int __inlay_backing_dir_open(const char *path)
{
	struct stat st;
	int fd;

	if (!sys_mkdir(path, 0700))
		dir_complete(path);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	if (sys_fstat(fd, &st) || !S_ISDIR(st.st_mode) || st.st_uid != sys_geteuid() ||
	    (st.st_mode & 0777) != 0700) {
		sys_close(fd);
		return -EPERM;
	}
	return fd;
}

int __inlay_backing_file(const char *dir, const char *name)
{
	int dir_fd = __inlay_backing_dir_open(dir);
	int fd;

	if (dir_fd < 0)
		return dir_fd;
	fd = sys_openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	sys_close(dir_fd);
	return fd;
}

/* Sealed against shrinking, so that a reader which was handed it need not fear SIGBUS; it grows. */
int __inlay_backing_memfd(const char *name)
{
	int fd = sys_memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0)
		sys_fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
	return fd;
}

/* Never one of the first three: a target that was started without them prints there. */
static int dup_high(int fd)
{
	int high = (int)sys_fcntl(fd, F_DUPFD_CLOEXEC, BACKING_FD_MIN);
	struct sys_rlimit limit;

	if (high < 0 && !sys_getrlimit(7 /* RLIMIT_NOFILE */, &limit) && limit.soft / 2 > 3)
		high = (int)sys_fcntl(fd, F_DUPFD_CLOEXEC, (long)(limit.soft / 2));
	return high < 0 ? (int)sys_fcntl(fd, F_DUPFD_CLOEXEC, 3) : high;
}

int __inlay_backing_set(int fd)
{
	struct stat st;
	int high, err;

	err = sys_fstat(fd, &st);
	if (err)
		return err;
	/* by a umask: it has to be opened again, and readers want to */
	if ((st.st_mode & 0600) != 0600)
		sys_fchmod(fd, 0600);
	high = dup_high(fd);
	if (high < 0)
		return high;
	sys_close(fd);
	__inlay_rt.fd = high;
	__inlay_rt.dev = st.st_dev;
	__inlay_rt.ino = st.st_ino;
	return 0;
}

static bool is_backing(int fd)
{
	struct stat st;

	return !sys_fstat(fd, &st) && st.st_dev == __inlay_rt.dev && st.st_ino == __inlay_rt.ino;
}

static int checked(int fd)
{
	if (fd < 0)
		return -EBADF;
	if (is_backing(fd))
		return fd;
	sys_close(fd);
	return -EBADF;
}

void __inlay_backing_close(int fd)
{
	if (fd >= 0 && is_backing(fd))
		sys_close(fd);
}

static int open_by_name(void)
{
	int dir_fd, fd;

	if (__inlay_rt.mode != RT_FILE)
		return -EBADF;
	dir_fd = __inlay_backing_dir_open(__inlay_rt.dir);
	if (dir_fd < 0)
		return dir_fd;
	fd = sys_openat(dir_fd, __inlay_rt.name, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
	sys_close(dir_fd);
	return checked(fd);
}

/* The copy is made first and checked then: nobody else knows its number. */
static int dup_checked(void)
{
	return checked(dup_high(__inlay_rt.fd));
}

int __inlay_backing_dup(void)
{
	int fd;

	if (__inlay_rt.mode < RT_MEMFD)
		return -EBADF;
	fd = dup_checked();
	return fd >= 0 ? fd : open_by_name();
}

int __inlay_backing_reopen(void)
{
	char path[64] = "/proc/self/fd/";
	int fd = -EBADF, same;

	if (__inlay_rt.mode < RT_MEMFD)
		return -EBADF;
	/* opening a terminal or a device has effects: by a number that is known to be ours */
	same = dup_checked();
	if (same >= 0) {
		str_append_u64(path, sizeof(path), (__u64)same);
		fd = checked(sys_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0));
		sys_close(same);
	}
	return fd >= 0 ? fd : open_by_name();
}

/* Extends the file as needed. Beyond the target's file size limit the kernel would send SIGXFSZ. */
int __inlay_backing_reserve(int fd, __u64 off, __u64 bytes)
{
	struct sys_rlimit limit;
	int tries, err = -EINTR;

	if (sys_getrlimit(1 /* RLIMIT_FSIZE */, &limit) || off > limit.soft ||
	    bytes > limit.soft - off)
		return -EFBIG;
	for (tries = 0; err == -EINTR && tries < RESERVE_TRIES; tries++)
		err = sys_fallocate(fd, 0, off, bytes);
	return err;
}

/* Removes the name, if it is still ours: somebody may have put another file there. */
void __inlay_backing_unlink(void)
{
	struct stat st;
	int dir_fd;

	if (__inlay_rt.mode != RT_FILE)
		return;
	dir_fd = __inlay_backing_dir_open(__inlay_rt.dir);
	if (dir_fd < 0)
		return;
	if (!sys_fstatat(dir_fd, __inlay_rt.name, &st, AT_SYMLINK_NOFOLLOW) &&
	    st.st_dev == __inlay_rt.dev && st.st_ino == __inlay_rt.ino)
		sys_unlinkat(dir_fd, __inlay_rt.name);
	sys_close(dir_fd);
}
