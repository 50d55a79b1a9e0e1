/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The segment of this process tree: finds a place for it, lays out its header, grows it, and
 * decides at exit whether it stays. What goes into its tables is the business of object.c, proc.c
 * and shard.c.
 */
#include <errno.h>
#include <sys/prctl.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

#define HEAD_BYTES ((__u64)sizeof(struct rt_head))
#define MAX_NAME_TRIES 64
#define ALLOC_TRIES 10000
#define JOIN_TRIES 10
#define LOCK_TRIES 100
#define LOCK_WAIT_NS 1000000

_Static_assert(sizeof(struct rt_head) % INLAY_PAGE_BYTES == 0, "the first region is page aligned");

static void table_init(struct inlay_table *table, size_t off, size_t entry_bytes, __u32 max)
{
	table->off = off;
	table->entry_bytes = (__u32)entry_bytes;
	table->max = max;
}

static void head_init(struct rt_head *head)
{
	struct inlay_segment *seg = &head->seg;
	const struct rt_identity *id = &__inlay_rt.id;
	struct sys_timespec now = {0};
	size_t exe_bytes = str_bytes(id->exe), cut = 0;

	seg->magic = INLAY_SEGMENT_MAGIC;
	seg->abi_major = INLAY_ABI_MAJOR;
	seg->abi_minor = INLAY_ABI_MINOR;
	seg->header_bytes = (__u32)HEAD_BYTES;
	seg->total_bytes = HEAD_BYTES;
	seg->uid = sys_geteuid();
	seg->pid = __inlay_rt.pid;
	seg->starttime = __inlay_rt.starttime;
	if (!sys_clock_gettime(0 /* CLOCK_REALTIME */, &now))
		seg->created_ns = (__u64)now.sec * 1000000000u + (__u64)now.nsec;
	sys_prctl(PR_GET_NAME, seg->comm);
	if (exe_bytes >= sizeof(seg->exe))
		cut = exe_bytes - sizeof(seg->exe) + 1;
	str_copy(seg->exe, sizeof(seg->exe), id->exe + cut);
	seg->exe_base = id->exe_base;
	table_init(&seg->objects, offsetof(struct rt_head, objects), sizeof(head->objects[0]),
		   INLAY_SEGMENT_MAX_OBJECTS);
	table_init(&seg->maps, offsetof(struct rt_head, maps), sizeof(head->maps[0]),
		   INLAY_SEGMENT_MAX_MAPS);
	table_init(&seg->progs, offsetof(struct rt_head, progs), sizeof(head->progs[0]),
		   INLAY_SEGMENT_MAX_PROGS);
	table_init(&seg->procs, offsetof(struct rt_head, procs), sizeof(head->procs[0]),
		   INLAY_SEGMENT_MAX_PROCS);
	table_init(&seg->shards, offsetof(struct rt_head, shards), sizeof(head->shards[0]),
		   INLAY_SEGMENT_MAX_SHARDS);
	seg->trace_off = offsetof(struct rt_head, trace);
	seg->modules_off = offsetof(struct rt_head, modules);
}

/*
 * Reserves, maps and fills the header of a fresh backing; on failure the caller closes it. The
 * first unit's regions are reserved with it: where they do not fit, another backing may have room.
 */
static int head_make(int fd, __u64 region_bytes)
{
	int err = __inlay_backing_reserve(fd, 0, HEAD_BYTES + region_bytes);

	if (err)
		return err;
	__inlay_rt.head = sys_mmap(NULL, HEAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!__inlay_rt.head)
		return -ENOMEM;
	__inlay_cut_note(__inlay_rt.head, HEAD_BYTES);
	head_init(__inlay_rt.head);
	__inlay_rt.is_maker = true;
	return 0;
}

static void default_name(char *dst, size_t dst_bytes)
{
	str_copy(dst, dst_bytes, __inlay_rt.id.program);
	str_append(dst, dst_bytes, ".");
	str_append_u64(dst, dst_bytes, __inlay_rt.pid);
	str_append(dst, dst_bytes, ".");
	str_append_u64(dst, dst_bytes, __inlay_rt.starttime);
}

static bool name_is_good(const char *name)
{
	size_t n = str_bytes(name);

	return n && n < 100 && name[0] != '.' && str_base(name) == name;
}

static int try_file(const char *dir, const char *name, __u64 region_bytes)
{
	int fd = __inlay_backing_file(dir, name);
	int err;

	if (fd < 0)
		return fd;
	str_copy(__inlay_rt.dir, sizeof(__inlay_rt.dir), dir);
	str_copy(__inlay_rt.name, sizeof(__inlay_rt.name), name);
	__inlay_rt.mode = RT_FILE;
	err = __inlay_backing_set(fd);
	if (!err)
		err = head_make(__inlay_rt.fd, region_bytes);
	if (err) {
		__inlay_backing_unlink();
		sys_close(__inlay_rt.fd >= 0 ? __inlay_rt.fd : fd);
		__inlay_rt.fd = -1;
		__inlay_rt.mode = RT_OFF;
	}
	return err;
}

/* A name may be taken: by this process before an exec, or by another with our number elsewhere. */
static int make_file(const char *dir, __u64 region_bytes)
{
	char base[128], name[160];
	__u64 n;
	int err = -EEXIST;

	default_name(base, sizeof(base));
	for (n = 1; err == -EEXIST && n <= MAX_NAME_TRIES; n++) {
		str_copy(name, sizeof(name), base);
		if (n > 1) {
			str_append(name, sizeof(name), ".");
			str_append_u64(name, sizeof(name), n);
		}
		err = try_file(dir, name, region_bytes);
	}
	return err;
}

static bool head_is_ours(const struct inlay_segment *seg, const struct stat *st)
{
	return seg->magic == INLAY_SEGMENT_MAGIC && seg->abi_major == INLAY_ABI_MAJOR &&
	       seg->abi_minor == INLAY_ABI_MINOR && seg->header_bytes == HEAD_BYTES &&
	       st->st_size >= (off_t)HEAD_BYTES &&
	       seg->objects.off == offsetof(struct rt_head, objects) &&
	       seg->maps.off == offsetof(struct rt_head, maps) &&
	       seg->progs.off == offsetof(struct rt_head, progs) &&
	       seg->procs.off == offsetof(struct rt_head, procs) &&
	       seg->shards.off == offsetof(struct rt_head, shards) &&
	       seg->trace_off == offsetof(struct rt_head, trace) &&
	       seg->modules_off == offsetof(struct rt_head, modules);
}

/* Maps the segment that another process made under this name. */
static int join_file(const char *dir, const char *name)
{
	struct rt_head *head = NULL;
	struct stat st;
	int dir_fd, fd, err = -EINVAL;

	dir_fd = __inlay_backing_dir_open(dir);
	if (dir_fd < 0)
		return dir_fd;
	fd = sys_openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
	sys_close(dir_fd);
	if (fd < 0)
		return fd;
	if (!sys_fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == sys_geteuid() &&
	    st.st_size >= (off_t)HEAD_BYTES)
		head = sys_mmap(NULL, HEAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (head)
		__inlay_cut_note(head, HEAD_BYTES);
	/* pairs with the release in segment_publish() */
	if (head && load_acquire(&head->seg.state) != INLAY_SEGMENT_MAKING &&
	    head_is_ours(&head->seg, &st)) {
		str_copy(__inlay_rt.dir, sizeof(__inlay_rt.dir), dir);
		str_copy(__inlay_rt.name, sizeof(__inlay_rt.name), name);
		__inlay_rt.mode = RT_FILE;
		__inlay_rt.head = head;
		err = __inlay_backing_set(fd);
		if (!err)
			return 0;
		__inlay_rt.mode = RT_OFF;
		__inlay_rt.head = NULL;
	}
	if (head) {
		__inlay_cut_forget(head);
		sys_munmap(head, HEAD_BYTES);
	}
	sys_close(fd);
	return err;
}

static void leave(void)
{
	__inlay_cut_forget(__inlay_rt.head);
	sys_munmap(__inlay_rt.head, HEAD_BYTES);
	sys_close(__inlay_rt.fd);
	__inlay_rt.head = NULL;
	__inlay_rt.fd = -1;
	__inlay_rt.is_maker = false;
	__inlay_rt.mode = RT_OFF;
}

/*
 * Only at start, in dlopen() and at exit, and not longer than a tenth of a second: a holder that
 * was stopped must not stop us.
 */
int __inlay_segment_lock(int *ret_fd)
{
	const struct sys_timespec wait = { 0, LOCK_WAIT_NS };
	int err = -EAGAIN, tries;

	*ret_fd = -1;
	if (__inlay_rt.mode < RT_MEMFD)
		return 0;
	*ret_fd = __inlay_backing_reopen();
	/* no /proc to open a memfd again: only this process's children could come between */
	if (*ret_fd < 0)
		return __inlay_rt.mode == RT_MEMFD ? 0 : *ret_fd;
	for (tries = 0; tries < LOCK_TRIES; tries++) {
		err = __inlay_lock_set(*ret_fd, INLAY_TABLE_LOCK, true);
		if (err != -EAGAIN && err != -EACCES)
			break;
		sys_nanosleep(&wait);
	}
	if (err)
		sys_close(*ret_fd);
	return err;
}

void __inlay_segment_unlock(int fd)
{
	if (fd < 0)
		return;
	__inlay_lock_drop(fd, INLAY_TABLE_LOCK);
	sys_close(fd);
}

/*
 * INLAY_SEGMENT=name: joins the segment of that name, or makes it under a name with a dot and gives
 * it the real one in one step, so that of two processes that start together one makes and the
 * other joins, and neither sees half a header.
 */
static int open_named(const char *dir, const char *name, __u64 region_bytes)
{
	char making[160] = ".", own[128];
	int dir_fd, err;

	if (!name_is_good(name))
		return -EINVAL;
	err = join_file(dir, name);
	if (err != -ENOENT)
		return err;
	default_name(own, sizeof(own));
	str_append(making, sizeof(making), own);
	err = try_file(dir, making, region_bytes);
	if (err)
		return err;
	__inlay_segment_publish();
	dir_fd = __inlay_backing_dir_open(dir);
	err = dir_fd < 0 ? dir_fd : sys_rename_new(dir_fd, making, name);
	if (dir_fd >= 0)
		sys_close(dir_fd);
	if (!err) {
		str_copy(__inlay_rt.name, sizeof(__inlay_rt.name), name);
		return 0;
	}
	__inlay_backing_unlink();
	leave();
	if (err == -EEXIST)
		err = join_file(dir, name);
	/* made by another, and removed again */
	return err == -ENOENT ? -EAGAIN : err;
}

/*
 * The last process of a segment removes it: between finding it and being in its table, it may have
 * gone. Under the lock it either still has its name, and then our row keeps it, or we begin again.
 */
static int open_shared(const char *dir, const char *name, __u64 region_bytes)
{
	int err = -EAGAIN, tries, lock_fd;
	struct stat st;

	for (tries = 0; tries < JOIN_TRIES && err == -EAGAIN; tries++) {
		err = open_named(dir, name, region_bytes);
		if (err == -EAGAIN)
			continue;
		if (err)
			return err;
		err = __inlay_segment_lock(&lock_fd);
		if (!err) {
			err = sys_fstat(lock_fd, &st);
			if (!err && !st.st_nlink)
				err = -EAGAIN;
			if (!err)
				__inlay_proc_claim();
			__inlay_segment_unlock(lock_fd);
		}
		if (err)
			leave();
	}
	return err;
}

static int make_memfd(__u64 region_bytes)
{
	char name[160] = "inlay:", own[128];
	int fd, err;

	default_name(own, sizeof(own));
	str_append(name, sizeof(name), own);
	fd = __inlay_backing_memfd(name);
	if (fd < 0)
		return fd;
	__inlay_rt.mode = RT_MEMFD;
	err = __inlay_backing_set(fd);
	if (!err)
		err = head_make(__inlay_rt.fd, region_bytes);
	if (err) {
		sys_close(__inlay_rt.fd >= 0 ? __inlay_rt.fd : fd);
		__inlay_rt.fd = -1;
		__inlay_rt.mode = RT_OFF;
	}
	return err;
}

/* Private memory in the same layout: shards and the trace ring work, nobody reads them. */
static void make_private(void)
{
	__inlay_rt.head = sys_mmap(NULL, HEAD_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!__inlay_rt.head)
		return;
	head_init(__inlay_rt.head);
	__inlay_rt.mode = RT_PRIVATE;
}

/* The target may change its working directory before the name is needed again. */
static int dir_name(const struct rt_env *env, char *dst, size_t dst_bytes)
{
	dst[0] = '\0';
	if (!env->dir) {
		str_copy(dst, dst_bytes, "/dev/shm/inlay-");
		str_append_u64(dst, dst_bytes, sys_geteuid());
		return 0;
	}
	if (env->dir[0] != '/') {
		if (sys_getcwd(dst, dst_bytes) < 0 || dst[0] != '/')
			return -ENOENT;
		str_append(dst, dst_bytes, "/");
	}
	if (str_bytes(dst) + str_bytes(env->dir) >= dst_bytes)
		return -ENAMETOOLONG;
	str_append(dst, dst_bytes, env->dir);
	return 0;
}

/* A file, else a memfd, else private memory; RT_OFF only without any memory at all. */
void __inlay_segment_open(const struct rt_env *env, __u64 region_bytes)
{
	char dir[sizeof(__inlay_rt.dir)];
	int err;

	__inlay_rt.is_kept = env->is_kept;
	err = dir_name(env, dir, sizeof(dir));
	if (!err)
		err = env->segment ? open_shared(dir, env->segment, region_bytes)
				   : make_file(dir, region_bytes);
	if (err)
		err = make_memfd(region_bytes);
	if (err)
		make_private();
	if (__inlay_rt.mode >= RT_MEMFD && __inlay_rt.row == INLAY_PROC_NONE)
		__inlay_proc_claim();
}

/* Readers may look now. Pairs with their acquire of the state. */
void __inlay_segment_publish(void)
{
	if (__inlay_rt.head && __inlay_rt.is_maker)
		store_release(&__inlay_rt.head->seg.state, INLAY_SEGMENT_LIVE);
}

static int extent_reserve(int fd, __u64 off, struct rt_extent extent)
{
	int err = __inlay_backing_reserve(fd, off, extent.first);

	if (!err && extent.last)
		err = __inlay_backing_reserve(fd, off + extent.bytes - extent.last, extent.last);
	return err;
}

/*
 * Reserve first, then claim by compare-exchange: two processes may reserve the same range, one gets
 * it and the other goes on behind it; whoever dies between leaves nothing but reserved pages that
 * the next one claims.
 */
__u64 __inlay_segment_alloc(int fd, struct rt_extent extent)
{
	__u64 *total = &__inlay_rt.head->seg.total_bytes;
	__u64 seen = load_acquire(total), off = 0;
	int tries;

	for (tries = 0; tries < ALLOC_TRIES; tries++) {
		off = inlay_round_up(seen, INLAY_PAGE_BYTES);
		if (off < HEAD_BYTES || off > INT64_MAX - extent.bytes ||
		    extent_reserve(fd, off, extent)) {
			off = 0;
			break;
		}
		/* release: readers that see the size may read that far */
		if (cas_acq_rel(total, &seen, off + extent.bytes))
			break;
		off = 0;
	}
	return off;
}

/*
 * Reserving again what is reserved already costs little, and holds where another process wrote
 * nonsense into a row: a page behind the end of the file would be a SIGBUS at the next hit.
 */
bool __inlay_segment_holds(int fd, __u64 off, struct rt_extent extent)
{
	__u64 total = load_acquire(&__inlay_rt.head->seg.total_bytes);

	return off >= HEAD_BYTES && off % INLAY_PAGE_BYTES == 0 && off <= total &&
	       extent.bytes <= total - off && !extent_reserve(fd, off, extent);
}

static bool is_used_by_others(void)
{
	__u32 nr = load_acquire(&__inlay_rt.head->seg.procs.nr), row;
	bool is_used = false;
	int fd;

	fd = __inlay_backing_dup();
	if (fd < 0)
		return true;
	is_used = __atomic_load_n(&__inlay_rt.head->seg.forking, __ATOMIC_SEQ_CST) != 0 ||
		  __inlay_lock_is_held(fd, INLAY_READER_LOCK);
	for (row = 0; row < nr && row < INLAY_SEGMENT_MAX_PROCS && !is_used; row++)
		is_used = row != __inlay_rt.row &&
			  __atomic_load_n(&__inlay_rt.head->procs[row].pid, __ATOMIC_SEQ_CST) &&
			  __inlay_lock_is_held(fd, INLAY_PROC_LOCK_BASE + row);
	sys_close(fd);
	return is_used;
}

/*
 * Normal exit. The row is given up before the others are looked at: of two processes that end at
 * the same time at least one sees that it is the last. A child that no fork handler has seen may
 * end here too: the row that it finds is its parent's, and so is all else after a vfork().
 */
void __inlay_segment_finish(void)
{
	int lock_fd;

	if (!__inlay_rt.head || __inlay_rt.mode < RT_MEMFD)
		return;
	__inlay_fork_check();
	if (sys_getpid() != __inlay_rt.pid)
		return;
	__inlay_proc_release();
	if (__inlay_rt.is_maker)
		store_release(&__inlay_rt.head->seg.state, INLAY_SEGMENT_EXITED);
	/* pairs with open_shared(): nobody joins what is being removed */
	if (__inlay_rt.is_kept || __inlay_segment_lock(&lock_fd))
		return;
	if (!is_used_by_others())
		__inlay_backing_unlink();
	__inlay_segment_unlock(lock_fd);
}
