/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fork child shares the regions and starts with no shard, a process row and a lock of its own.
 * Only system calls here: the parent may have had threads in any state.
 *
 * A child made by a raw clone() or _Fork() runs no fork handlers. It is noticed by a page that the
 * kernel wipes on fork, wherever the runtime is called at all: for a shard, a change of a hash map,
 * a thread's identity, a new line of the clock, now and then for a read of memory. Until then it
 * goes on writing the shards that its thread had in the parent together with it, which may lose
 * counts and nothing else: inlined code tests its thread's slot, and thread storage cannot be wiped.
 */
#include <errno.h>
#include <pthread.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

static __u32 never_wiped = 1;
static __u32 *is_same_process = &never_wiped;

/* errno of the forking thread, which is 0 from here to its handlers unless the fork fails. */
static __thread int errno_before __attribute__((tls_model("initial-exec")));

/*
 * A parent that exits right after fork(), as daemons do, must not remove the segment before its
 * child is in the table.
 */
static void fork_prepare(void)
{
	errno_before = errno;
	errno = 0;
	if (__inlay_rt.head)
		add_relaxed(&__inlay_rt.head->seg.forking, 1);
}

/* Never below 0: a handler before ours may have left an errno after a fork that did not fail. */
static void forking_end(void)
{
	__u32 *forking, seen;

	if (!__inlay_rt.head)
		return;
	forking = &__inlay_rt.head->seg.forking;
	seen = load_relaxed(forking);
	/* release: who sees the count go down sees the row; pairs with is_used_by_others() */
	while (seen && !__atomic_compare_exchange_n(forking, &seen, seen - 1, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

/* libc runs it also after a fork that failed, and says so by errno alone. */
static void fork_parent(void)
{
	if (errno)
		forking_end();
	else
		errno = errno_before;
}

static void process_is_new(void)
{
	int fd = load_relaxed(&__inlay_rt.lock_fd);

	if (__inlay_rt.mode == RT_OFF)
		return;
	/* the parent forked while another of its threads claimed a row: not ours */
	__inlay_backing_close(fd);
	store_relaxed(&__inlay_rt.lock_fd, -1);
	__inlay_rt.pid = sys_getpid();
	__inlay_rt.starttime = __inlay_starttime();
	__inlay_rt.is_maker = false;
	__inlay_shard_fork_child();
	if (__inlay_rt.mode >= RT_MEMFD)
		__inlay_proc_claim();
	__inlay_copies_fork_child();
}

static void fork_child(void)
{
	/* another library's handler may have come first, and hit a probe */
	if (!__inlay_fork_check() && is_same_process == &never_wiped)
		process_is_new();
	forking_end();
	errno = errno_before;
}

void __inlay_fork_init(void)
{
	__u32 *page = sys_mmap(NULL, INLAY_PAGE_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page && !sys_madvise(page, INLAY_PAGE_BYTES, MADV_WIPEONFORK)) {
		store_relaxed(page, 1);
		is_same_process = page;
	} else if (page) {
		sys_munmap(page, INLAY_PAGE_BYTES);
	}
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

bool __inlay_fork_check(void)
{
	/* once a child, and not again in a signal handler on the way */
	if (load_relaxed(is_same_process) ||
	    __atomic_exchange_n(is_same_process, 1, __ATOMIC_RELAXED))
		return false;
	process_is_new();
	return true;
}
