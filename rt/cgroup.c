/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_current_cgroup_id(), bpf_get_current_ancestor_cgroup_id() and
 * bpf_current_task_under_cgroup(): which control group (version 2) the process is in. A process learns
 * that by system calls only, and can be moved by others at any time, so the answer is kept for a
 * while and then asked for again; a fork child asks anew.
 */
#include <errno.h>
#include <fcntl.h>

#include "rt/inlay_rt.h"
#include "rt/inline/clock.h"
#include "rt/inline/map_percpu.h"
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
#define MAX_LEVELS 32

/* When an answer was asked for, and in which process. */
struct fresh {
	__u64 until;
	__u32 epoch;
};

static struct fresh id_fresh, levels_fresh;
static __u64 known_id, known_levels[MAX_LEVELS];
static __u32 nr_known_levels;

/* Whoever writes an answer does so word by word: two that ask at once write the same, or one of them
 * what was true a moment before. */
static int is_fresh(const struct fresh *fresh)
{
	__u32 epoch = __atomic_load_n(&__inlay_process_v1.epoch, __ATOMIC_RELAXED);

	/* acquire: pairs with set_fresh() */
	return epoch && epoch == __atomic_load_n(&fresh->epoch, __ATOMIC_ACQUIRE) &&
	       (__u64)__inlay_ktime_get_ns() < __atomic_load_n(&fresh->until, __ATOMIC_ACQUIRE);
}

static void set_fresh(struct fresh *fresh)
{
	__u32 epoch = __atomic_load_n(&__inlay_process_v1.epoch, __ATOMIC_RELAXED);

	__atomic_store_n(&fresh->until, (__u64)__inlay_ktime_get_ns() + KEEP_NS, __ATOMIC_RELEASE);
	__atomic_store_n(&fresh->epoch, epoch, __ATOMIC_RELEASE);
}

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

struct line {
	char *path;
	size_t n;
	int column, is_other; /* of a hierarchy of version 1 */
};

/* One byte of /proc/self/cgroup: 1 at the end of the line that begins with "0::". */
static int take_byte(struct line *line, char c)
{
	if (c == '\n') {
		if (!line->is_other && line->column >= 3)
			return 1;
		line->column = line->is_other = 0;
		return 0;
	}
	if (line->column < 3)
		line->is_other |= c != "0::"[line->column];
	else if (!line->is_other && line->n < LINE_BYTES)
		line->path[line->n++] = c;
	line->column++;
	return 0;
}

/*
 * The path of the process's group, without the '/' of the root itself; its length, or -1: unknown, too
 * long, or outside of what a namespace shows ("/../x").
 */
static long own_path(char path[LINE_BYTES])
{
	int fd = sys_openat(AT_FDCWD, "/proc/self/cgroup", O_RDONLY | O_CLOEXEC, 0), is_whole = 0;
	struct line line = { .path = path };
	char piece[256];
	long got;

	if (fd < 0)
		return -1;
	while (!is_whole && (got = sys_read(fd, piece, sizeof(piece))) > 0)
		for (long i = 0; i < got && !is_whole; i++)
			is_whole = take_byte(&line, piece[i]);
	sys_close(fd);
	if (!is_whole || !line.n || line.n == LINE_BYTES || path[0] != '/' ||
	    (line.n > 2 && path[1] == '.' && path[2] == '.'))
		return -1;
	path[line.n] = '\0';
	return line.n == 1 ? 0 : (long)line.n;
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

/* The ids of the process's groups from the root that it sees down to its own. */
static void ask_levels(void)
{
	char path[LINE_BYTES];
	long n = own_path(path), at = 0;
	int root = open_root();
	__u32 nr = 0;

	while (root >= 0 && n >= 0 && nr < MAX_LEVELS) {
		char cut = path[at];

		path[at] = '\0';
		__atomic_store_n(&known_levels[nr++], inode(root, at ? path + 1 : ""),
				 __ATOMIC_RELAXED);
		path[at] = cut;
		if (at >= n)
			break;
		for (at++; at < n && path[at] != '/'; at++)
			;
	}
	if (root >= 0)
		sys_close(root);
	__atomic_store_n(&nr_known_levels, nr, __ATOMIC_RELAXED);
	set_fresh(&levels_fresh);
}

static __u32 nr_levels(void)
{
	if (!is_fresh(&levels_fresh))
		ask_levels();
	return __atomic_load_n(&nr_known_levels, __ATOMIC_RELAXED);
}

static __u64 level_id(__u32 level)
{
	return level < MAX_LEVELS ? __atomic_load_n(&known_levels[level], __ATOMIC_RELAXED) : 0;
}

static __u64 own_id(void)
{
	__u64 id;
	__u32 nr;

	if (is_fresh(&id_fresh))
		return __atomic_load_n(&known_id, __ATOMIC_RELAXED);
	id = ask_pidfd();
	if (!id) {
		nr = nr_levels();
		id = nr ? level_id(nr - 1) : 0;
	}
	__atomic_store_n(&known_id, id, __ATOMIC_RELAXED);
	set_fresh(&id_fresh);
	return id;
}

__s64 __inlay_get_current_cgroup_id_v1(void)
{
	return (__s64)own_id();
}

__s64 __inlay_get_current_ancestor_cgroup_id_v1(__u64 level)
{
	return (__u32)level < nr_levels() ? (__s64)level_id((__u32)level) : 0;
}

__s64 __inlay_current_task_under_cgroup_v1(const struct inlay_map_desc *desc, __u64 index)
{
	const inlay_u64 *ids = (const inlay_u64 *)inlay_map_region(desc);
	__u32 nr;
	__u64 id;

	if ((__u32)index >= desc->max_entries)
		return -E2BIG;
	id = ids ? inlay_load(&ids[(__u32)index]) : 0;
	if (!id)
		return -EAGAIN;
	if (id == own_id())
		return 1;
	nr = nr_levels();
	for (__u32 level = 0; level < nr; level++)
		if (level_id(level) == id)
			return 1;
	return 0;
}
