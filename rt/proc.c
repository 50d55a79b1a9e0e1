/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process table: which processes write the segment, and whether they live.
 *
 * A row belongs to whoever holds the OFD lock on its byte. The lock must end with the process, must
 * survive a target that closes all its descriptors, and must not pass to fork children: so its open
 * file is kept by a page that is mapped from it and left out of fork, and its descriptor is closed
 * at once.
 */
#include <errno.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

/* Gives the lock's open file to a mapping that only this process has. */
static bool keep_by_mapping(int fd)
{
	void *page = sys_mmap(NULL, INLAY_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);

	if (!page)
		return false;
	if (!sys_madvise(page, INLAY_PAGE_BYTES, MADV_DONTFORK))
		return true;
	sys_munmap(page, INLAY_PAGE_BYTES);
	return false;
}

/* The lock is held: the row is ours, with all that its last process left behind. */
static void row_take(__u32 row)
{
	struct inlay_seg_proc *proc = &__inlay_rt.head->procs[row];
	__u32 *nr = &__inlay_rt.head->seg.procs.nr;
	__u32 seen, turn = load_relaxed(&proc->turn) + 1;

	__inlay_shard_sweep(row);
	/* before anything bears our name; pairs with __inlay_proc_owner_is_alive() */
	store_release(&proc->turn, turn);
	store_relaxed(&proc->starttime, __inlay_rt.starttime);
	/* release: a reader that sees the pid or the count sees the start time */
	store_release(&proc->pid, __inlay_rt.pid);
	seen = load_relaxed(nr);
	while (seen <= row && !cas_acq_rel(nr, &seen, row + 1))
		;
	store_release(&__inlay_rt.row, row);
	store_release(&__inlay_rt.owner,
		      ((row + 1) | turn << INLAY_OWNER_TURN_SHIFT) & INLAY_OWNER_MASK);
}

/* Rows that were given up or never used come first: the rows of the dead tell what happened. */
static bool row_find(int fd, bool is_of_dead)
{
	__u32 row;

	for (row = 0; row < INLAY_SEGMENT_MAX_PROCS; row++) {
		if ((load_acquire(&__inlay_rt.head->procs[row].pid) != 0) != is_of_dead)
			continue;
		if (__inlay_lock_set(fd, INLAY_PROC_LOCK_BASE + row, true))
			continue;
		row_take(row);
		return true;
	}
	return false;
}

void __inlay_proc_claim(void)
{
	int fd;

	__inlay_rt.row = INLAY_PROC_NONE;
	__inlay_rt.owner = 0;
	fd = __inlay_backing_reopen();
	if (fd < 0)
		return;
	store_relaxed(&__inlay_rt.lock_fd, fd);
	if ((row_find(fd, false) || row_find(fd, true)) && !keep_by_mapping(fd))
		return; /* the descriptor keeps the lock */
	sys_close(fd);
	store_relaxed(&__inlay_rt.lock_fd, -1);
}

/*
 * Normal exit: the row is free for others, who can take it only once this process is really gone
 * and its lock with it; until then its threads go on writing their shards.
 */
void __inlay_proc_release(void)
{
	if (__inlay_rt.row == INLAY_PROC_NONE)
		return;
	/* sequentially consistent: pairs with is_used_by_others() of another process that ends */
	__atomic_store_n(&__inlay_rt.head->procs[__inlay_rt.row].pid, 0, __ATOMIC_SEQ_CST);
}

bool __inlay_proc_is_alive(__u32 row)
{
	bool is_alive = true;
	int fd;

	if (row == INLAY_PROC_NONE || row == load_relaxed(&__inlay_rt.row))
		return true;
	if (row >= INLAY_SEGMENT_MAX_PROCS)
		return false;
	fd = __inlay_backing_dup();
	if (fd < 0)
		return true;
	is_alive = __inlay_lock_is_held(fd, INLAY_PROC_LOCK_BASE + row);
	sys_close(fd);
	return is_alive;
}

/*
 * A row's turn changes only when its last process is dead. One that is being taken, its lock held and
 * its turn not changed yet, looks alive for that moment.
 */
int __inlay_proc_owner_is_alive(__u32 owner)
{
	__u32 row = (owner & INLAY_OWNER_ROW_MASK) - 1;
	__u32 turn;

	if (owner == load_relaxed(&__inlay_rt.owner) || row >= INLAY_SEGMENT_MAX_PROCS ||
	    !__inlay_rt.head)
		return true;
	turn = load_acquire(&__inlay_rt.head->procs[row].turn);
	if (((turn << INLAY_OWNER_TURN_SHIFT ^ owner) & INLAY_OWNER_MASK) >>
	    INLAY_OWNER_TURN_SHIFT)
		return false;
	return __inlay_proc_is_alive(row);
}
