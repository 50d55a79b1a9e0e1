/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_current_cgroup_id() and bpf_get_current_ancestor_cgroup_id(): which control group (version
 * 2) the process is in. A process learns that by system calls only, and can be moved by others at
 * any time, so the answer is kept for a while and then asked for again; a fork child asks anew.
 */
#include "rt/cgroup.h"

#include <errno.h>
#include <fcntl.h>

#include "rt/inlay_rt.h"
#include "rt/inline/clock.h"
#include "rt/inline/thread.h"
#include "rt/sys.h"

#define KEEP_NS 100000000ull
#define LINE_BYTES 1024u

/* linux/pidfd.h of 6.13; headers here may be older */
#define GET_INFO 0xc040ff0bul
#define INFO_CGROUPID 4u
struct info {
	__u64 mask, cgroup_id;
	__u32 others[12];
};

#define CGROUP2_MAGIC 0x63677270

static __u64 known_id, known_until;
static __u32 known_epoch;

static __u64 ask_pidfd(void)
{
	struct info info = { .mask = INFO_CGROUPID };
	long fd = sys_call3(__NR_pidfd_open, sys_getpid(), 0, 0), err;

	if (fd < 0)
		return 0;
	err = sys_call3(__NR_ioctl, fd, GET_INFO, &info);
	sys_close((int)fd);
	return !err && (info.mask & INFO_CGROUPID) ? info.cgroup_id : 0;
}

/* The path behind "0::" in /proc/self/cgroup; its length, or 0. */
static size_t own_path(char *ret_path, size_t size)
{
	int fd = sys_openat(AT_FDCWD, "/proc/self/cgroup", O_RDONLY | O_CLOEXEC, 0);
	int column = 0, is_ours = 1;
	char piece[256];
	size_t n = 0;
	long got;

	if (fd < 0)
		return 0;
	while ((got = sys_read(fd, piece, sizeof(piece))) > 0) {
		for (long i = 0; i < got; i++) {
			if (piece[i] == '\n') {
				if (is_ours && column >= 3)
					break;
				column = 0;
				is_ours = 1;
				continue;
			}
			if (column < 3)
				is_ours &= piece[i] == "0::"[column];
			else if (is_ours && n + 1 < size)
				ret_path[n++] = piece[i];
			else if (is_ours)
				is_ours = 0; /* longer than there is room: none */
			column++;
		}
		if (n && is_ours && got < (long)sizeof(piece))
			break;
	}
	sys_close(fd);
	ret_path[n] = '\0';
	/* "/../x": in a namespace that does not show where */
	if (!n || ret_path[0] != '/' || (ret_path[1] == '.' && ret_path[2] == '.'))
		return 0;
	return n == 1 ? 0 : n;
}

/* The root of the hierarchy, where it is usually mounted. */
static int open_root(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (unsigned int i = 0; i < 2; i++) {
		int fd = sys_openat(AT_FDCWD, places[i], O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		long fs[16] = { 0 }; /* struct statfs begins with the type */

		if (fd < 0)
			continue;
		if (!sys_call3(__NR_fstatfs, fd, fs, 0) && fs[0] == CGROUP2_MAGIC)
			return fd;
		sys_close(fd);
	}
	return -ENOENT;
}

static __u64 inode(int root, const char *path)
{
	struct stat st;

	if (*path ? sys_fstatat(root, path, &st, 0) : sys_fstat(root, &st))
		return 0;
	return st.st_ino;
}

__u64 __inlay_cgroup_ancestor(int level, int *ret_level)
{
	char path[LINE_BYTES];
	size_t n = own_path(path, sizeof(path)), cut = 1;
	int root = open_root(), own = 0;
	__u64 id = 0;

	for (size_t i = 0; i < n; i++) {
		own += path[i] == '/';
		if (own <= level)
			cut = i + 1;
	}
	*ret_level = own;
	if (root >= 0 && level >= 0 && level <= own) {
		path[cut] = '\0';
		id = inode(root, level ? path + 1 : "");
	}
	if (root >= 0)
		sys_close(root);
	return id;
}

static __u64 ask(void)
{
	__u64 id = ask_pidfd();
	int level;

	if (id)
		return id;
	__inlay_cgroup_ancestor(-1, &level);
	return __inlay_cgroup_ancestor(level, &level);
}

__u64 __inlay_cgroup_id(void)
{
	__u32 epoch = __atomic_load_n(&__inlay_process_v1.epoch, __ATOMIC_RELAXED);
	__u64 now = (__u64)__inlay_ktime_get_ns(), id;

	/* acquire: pairs with the release below */
	if (epoch && epoch == __atomic_load_n(&known_epoch, __ATOMIC_ACQUIRE) &&
	    now < __atomic_load_n(&known_until, __ATOMIC_ACQUIRE))
		return __atomic_load_n(&known_id, __ATOMIC_RELAXED);
	id = ask();
	__atomic_store_n(&known_id, id, __ATOMIC_RELAXED);
	__atomic_store_n(&known_until, now + KEEP_NS, __ATOMIC_RELEASE);
	__atomic_store_n(&known_epoch, epoch, __ATOMIC_RELEASE);
	return id;
}

__s64 __inlay_get_current_cgroup_id_v1(void)
{
	return (__s64)__inlay_cgroup_id();
}

__s64 __inlay_get_current_ancestor_cgroup_id_v1(__u64 level)
{
	int own;

	return (__s64)__inlay_cgroup_ancestor((int)level, &own);
}
