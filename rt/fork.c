/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fork child shares the regions and starts with no shard, a process row and a lock of its own.
 * Only system calls here: the parent may have had threads in any state.
 *
 * A child made by a raw clone() runs no fork handlers. It is noticed by a page that the kernel
 * wipes on fork, at its first need of a shard; shards that its thread already had in the parent it
 * goes on writing together with it, which may lose counts and nothing else.
 */
#include <pthread.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

static __u32 never_wiped = 1;
static __u32 *is_same_process = &never_wiped;

/*
 * A parent that exits right after fork(), as daemons do, must not remove the segment before its
 * child is in the table. A fork that fails leaves the count too high, and with it the file after
 * the exit.
 */
static void fork_prepare(void)
{
	if (__inlay_rt.head)
		add_relaxed(&__inlay_rt.head->seg.forking, 1);
}

static void process_is_new(void)
{
	int fd = load_relaxed(&__inlay_rt.lock_fd);

	if (__inlay_rt.mode == RT_OFF)
		return;
	/* the parent forked while another of its threads claimed a row: not ours */
	if (fd >= 0)
		sys_close(fd);
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
	/* release: who sees the count go down sees the row; pairs with is_used_by_others() */
	if (__inlay_rt.head)
		__atomic_fetch_sub(&__inlay_rt.head->seg.forking, 1, __ATOMIC_SEQ_CST);
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
	pthread_atfork(fork_prepare, NULL, fork_child);
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
