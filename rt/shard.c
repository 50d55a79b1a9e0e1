/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shards: a thread's own part of a per-CPU map, and the only writer's.
 *
 * Invariant: the word {state, tid} of a shard's row says who writes it, and changes hands in one
 * compare-exchange only. An owner is never waited for; a shard is taken over when its thread handed
 * it on, when its process's lock is gone, or when its thread is gone without having said so.
 *
 * Everything here may be interrupted by a signal handler that does the same on the same thread: a
 * row with our process and our thread id is ours however we came by it, so the handler takes the
 * interrupted claim as its own and both end up with one shard.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

/* Per-CPU maps of all link units of this process, more than the segment's because two libraries may
 * hold one object. */
#define MAX_MAPS 1024
/* glibc keeps the values of the first keys in the thread itself; later ones it would malloc. */
#define KEYS_WITHOUT_MALLOC 32
/* When no shard can be had, every hit comes here: most of them must not search again. */
#define SKIPS_AFTER_FAILURE 1000

/* By glibc's second name, which a target does not define, interpose or probe. */
extern int __pthread_setspecific(pthread_key_t key, const void *value) __attribute__((weak));

struct shard_map {
	const struct inlay_map_desc *desc;	/* NULL: free, its library is gone */
	ptrdiff_t slot_off;			/* the thread's slot from the thread pointer */
	__u32 row;				/* in the maps table */
	__u32 skips;				/* hits to drop before the next attempt */
};

static struct shard_map maps[MAX_MAPS];
static __u32 nr_maps;
static char *addresses[INLAY_SEGMENT_MAX_SHARDS];	/* where this process has a row's shard */
static __u64 mapped_bytes[INLAY_SEGMENT_MAX_SHARDS];	/* how much; set once, before the address */
static pthread_key_t exit_key;
static bool has_exit_key;

typedef __u64 __attribute__((may_alias)) owner_word;

static owner_word *owner_of(__u32 row)
{
	return (owner_word *)&__inlay_rt.head->shards[row].state;
}

_Static_assert(offsetof(struct inlay_seg_shard, tid) == 4 &&
		       sizeof(struct inlay_seg_shard) % sizeof(owner_word) == 0,
	       "{state, tid} is one aligned word");

static __u64 owner_make(__u32 state, __u32 proc, __u32 turn, __u32 tid)
{
	return state | proc << 8 | turn << 20 | (__u64)tid << 32;
}

static __u32 owner_state(__u64 word)
{
	return (__u32)word;
}

static __u32 nr_rows(void)
{
	/* pairs with the compare-exchange in shard_append() */
	__u32 nr = load_acquire(&__inlay_rt.head->seg.shards.nr);

	return nr < INLAY_SEGMENT_MAX_SHARDS ? nr : INLAY_SEGMENT_MAX_SHARDS;
}

/* ---- maps of this process --------------------------------------------------------------- */

static struct shard_map *map_find(const struct inlay_map_desc *desc)
{
	__u32 nr = load_acquire(&nr_maps), i;

	for (i = 0; i < nr; i++)
		if (load_acquire(&maps[i].desc) == desc)
			return &maps[i];
	return NULL;
}

void __inlay_shard_map_add(const struct inlay_map_desc *desc, __u32 map_row)
{
	struct shard_map *map = NULL;
	__u32 i;

	if (!desc->shard_slot || !desc->shard_bytes)
		return;
	map = map_find(desc);
	for (i = 0; i < nr_maps && !map; i++)
		if (!load_relaxed(&maps[i].desc))
			map = &maps[i];
	if (!map && nr_maps < MAX_MAPS)
		map = &maps[nr_maps];
	if (!map)
		return;
	/*
	 * The slot is initial-exec TLS: as far from the thread pointer in every thread. So an
	 * exiting thread need not call into a library that another one is closing.
	 */
	store_relaxed(&map->slot_off, (char *)desc->shard_slot() - sys_thread_pointer());
	store_relaxed(&map->row, map_row);
	store_relaxed(&map->skips, 0);
	store_release(&map->desc, desc);
	if (map == &maps[nr_maps])
		store_release(&nr_maps, nr_maps + 1);
}

void __inlay_shard_map_remove(const struct inlay_map_desc *desc)
{
	__u32 i;

	for (i = 0; i < nr_maps; i++)
		if (load_relaxed(&maps[i].desc) == desc)
			store_release(&maps[i].desc, NULL);
}

/* ---- claiming --------------------------------------------------------------------------- */

/* Where this process sees a shard; mapped at first need and never unmapped. */
static char *shard_address(__u32 row, const struct inlay_map_desc *desc)
{
	const struct inlay_seg_shard *shard = &__inlay_rt.head->shards[row];
	char *at, *other = NULL;
	__u64 bytes = inlay_round_up(desc->shard_bytes, INLAY_PAGE_BYTES);
	__u64 off, known = 0;
	int fd;

	/* which map a row belongs to is shared memory's word only: it may be another one by now */
	if (!__atomic_compare_exchange_n(&mapped_bytes[row], &known, bytes, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED) &&
	    known != bytes)
		return NULL;
	at = load_acquire(&addresses[row]);
	if (at)
		return at;
	if (__inlay_rt.mode == RT_PRIVATE) {
		at = sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
	} else {
		off = load_relaxed(&shard->off);
		if (load_relaxed(&shard->bytes) < desc->shard_bytes)
			return NULL;
		fd = __inlay_backing_dup();
		if (fd < 0)
			return NULL;
		if (__inlay_segment_holds(fd, off, rt_extent_whole(bytes)))
			at = sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, off);
		sys_close(fd);
		if (at)
			__inlay_cut_note(at, bytes);
	}
	if (at && !cas_acq_rel(&addresses[row], &other, at)) {
		/* a signal handler of this thread was quicker */
		__inlay_cut_forget(at);
		sys_munmap(at, bytes);
		at = other;
	}
	return at;
}

static bool shard_take(__u32 row, __u64 seen, __u32 tid)
{
	/*
	 * acquire: the last owner's counts come before ours; pairs with the release in
	 * shard_pass()
	 */
	return cas_acq_rel(owner_of(row), &seen,
			   owner_make(INLAY_SHARD_OWNED, __inlay_rt.row,
				      INLAY_SHARD_TURN(owner_state(seen)) + 1, tid));
}

/* Tells which process rows are alive, asking the kernel once for each. One bit a row: small enough
 * to be zeroed without a call to memset(). */
struct liveness {
	__u64 is_known[INLAY_SEGMENT_MAX_PROCS / 64];
	__u64 is_alive[INLAY_SEGMENT_MAX_PROCS / 64];
};

static bool liveness_ask(struct liveness *liveness, __u32 proc)
{
	__u64 bit = 1ull << proc % 64;
	__u32 word = proc / 64;

	if (proc >= INLAY_SEGMENT_MAX_PROCS)
		return true;
	if (!(liveness->is_known[word] & bit)) {
		liveness->is_known[word] |= bit;
		if (__inlay_proc_is_alive(proc))
			liveness->is_alive[word] |= bit;
	}
	return liveness->is_alive[word] & bit;
}

/*
 * Whether a row's owner is this process. Processes without a row of their own (RT_PRIVATE, or a
 * full table) look all alike: then it must be a shard that this process has mapped.
 */
static bool is_our_process(__u32 row, __u32 state)
{
	return INLAY_SHARD_PROC(state) == __inlay_rt.row &&
	       (__inlay_rt.row != INLAY_PROC_NONE || load_acquire(&addresses[row]));
}

/* A row of this process with a thread id that no thread has any more. */
static bool is_left_by_thread(__u32 row, __u64 word, __u32 tid)
{
	__u32 owner = (__u32)(word >> 32);

	return is_our_process(row, owner_state(word)) && owner != tid &&
	       (__inlay_rt.row != INLAY_PROC_NONE || __inlay_rt.mode == RT_PRIVATE) &&
	       sys_tgkill(__inlay_rt.pid, owner, 0) == -ESRCH;
}

enum claim {
	CLAIM_OWN,	/* what this thread has already, by a handler or another library */
	CLAIM_IDLE,	/* what was handed on */
	CLAIM_DEAD,	/* of processes that died */
	CLAIM_LEFT,	/* of threads of this process that ended without a word */
};

static int shard_claim(__u32 map_row, __u32 tid, enum claim claim)
{
	struct liveness liveness = {0};
	__u32 nr = nr_rows(), row;

	for (row = 0; row < nr; row++) {
		__u64 word = load_acquire(owner_of(row));
		__u32 state = owner_state(word), proc = INLAY_SHARD_PROC(state);
		bool is_mine = is_our_process(row, state) && (__u32)(word >> 32) == tid;
		bool is_free = false;

		if (load_relaxed(&__inlay_rt.head->shards[row].map) != map_row)
			continue;
		if (INLAY_SHARD_STATE(state) == INLAY_SHARD_IDLE)
			is_free = claim != CLAIM_OWN;
		else if (INLAY_SHARD_STATE(state) != INLAY_SHARD_OWNED)
			continue;
		else if (claim == CLAIM_OWN)
			is_free = is_mine;
		else if (claim == CLAIM_IDLE)
			continue;
		else if (claim == CLAIM_DEAD)
			is_free = proc != __inlay_rt.row && !liveness_ask(&liveness, proc);
		else
			is_free = is_left_by_thread(row, word, tid);
		if (is_free && shard_take(row, word, tid))
			return (int)row;
	}
	return -ENOENT;
}

static int shard_append(const struct inlay_map_desc *desc, __u32 map_row, __u32 tid)
{
	struct inlay_segment *seg = &__inlay_rt.head->seg;
	__u32 row = load_relaxed(&seg->shards.nr);
	struct inlay_seg_shard *shard;
	__u64 off = 0;
	int fd;

	if (row >= INLAY_SEGMENT_MAX_SHARDS)
		return -E2BIG;
	if (__inlay_rt.mode != RT_PRIVATE) {
		fd = __inlay_backing_dup();
		if (fd < 0)
			return fd;
		off = __inlay_segment_alloc(fd, rt_extent_whole(desc->shard_bytes));
		sys_close(fd);
		if (!off)
			return -ENOSPC;
	}
	do {
		if (row >= INLAY_SEGMENT_MAX_SHARDS)
			return -E2BIG;
	} while (!cas_acq_rel(&seg->shards.nr, &row, row + 1));
	/* The row is ours and still FREE: others pass over it, and if we die here it stays so. */
	shard = &__inlay_rt.head->shards[row];
	store_relaxed(&shard->map, map_row);
	store_relaxed(&shard->off, off);
	store_relaxed(&shard->bytes, desc->shard_bytes);
	/* pairs with the acquire of everybody who looks at the state before the rest */
	store_release(owner_of(row), owner_make(INLAY_SHARD_OWNED, __inlay_rt.row, 1, tid));
	return (int)row;
}

/* ---- handing on ------------------------------------------------------------------------- */

static void slots_clear(__u32 map_row, char *shard)
{
	__u32 nr = load_acquire(&nr_maps), i;

	for (i = 0; i < nr; i++) {
		char **slot, *seen = shard;

		if (!load_acquire(&maps[i].desc) || load_relaxed(&maps[i].row) != map_row)
			continue;
		slot = (char **)(sys_thread_pointer() + load_relaxed(&maps[i].slot_off));
		cas_acq_rel(slot, &seen, NULL);
	}
}

/* The thread forgets the shard before anybody else can take it. */
static void shard_pass(__u32 row, __u64 word)
{
	__u32 state = owner_state(word);

	slots_clear(load_relaxed(&__inlay_rt.head->shards[row].map), load_acquire(&addresses[row]));
	/* release: the next owner sees all our counts; pairs with shard_take() */
	cas_acq_rel(owner_of(row), &word,
		    owner_make(INLAY_SHARD_IDLE, INLAY_PROC_NONE, INLAY_SHARD_TURN(state), 0));
}

/* A destructor of the application that runs after this one may hit a probe again: then the key has
 * a value again, and this runs again. */
static void thread_exit(void *value)
{
	__u32 tid = sys_gettid(), nr, row;

	(void)value;
	if (!__inlay_rt.head)
		return;
	nr = nr_rows();
	for (row = 0; row < nr; row++) {
		__u64 word = load_acquire(owner_of(row));
		__u32 state = owner_state(word);

		if (INLAY_SHARD_STATE(state) == INLAY_SHARD_OWNED &&
		    is_our_process(row, state) && (__u32)(word >> 32) == tid)
			shard_pass(row, word);
	}
}

/* A process row changes hands: what its last process owned is nobody's now. */
void __inlay_shard_sweep(__u32 proc_row)
{
	__u32 nr = nr_rows(), row;

	for (row = 0; row < nr; row++) {
		__u64 word = load_acquire(owner_of(row));
		__u32 state = owner_state(word);

		if (INLAY_SHARD_STATE(state) == INLAY_SHARD_OWNED &&
		    INLAY_SHARD_PROC(state) == proc_row)
			cas_acq_rel(owner_of(row), &word,
				    owner_make(INLAY_SHARD_IDLE, INLAY_PROC_NONE,
					       INLAY_SHARD_TURN(state), 0));
	}
}

/* The slots hold the parent's shards. Private shards were copied with the rest: they stay ours. */
void __inlay_shard_fork_child(void)
{
	__u32 nr = load_acquire(&nr_maps), i;

	for (i = 0; i < nr; i++)
		if (load_acquire(&maps[i].desc))
			store_relaxed((char **)(sys_thread_pointer() + maps[i].slot_off), NULL);
}

/* ---- entry ------------------------------------------------------------------------------ */

void __inlay_shard_init(void)
{
	has_exit_key = !pthread_key_create(&exit_key, thread_exit) &&
		       exit_key < KEYS_WITHOUT_MALLOC;
}

static char *shard_find(const struct inlay_map_desc *desc, __u32 map_row)
{
	__u32 tid = sys_gettid();
	int row;

	row = shard_claim(map_row, tid, CLAIM_OWN);
	if (row < 0)
		row = shard_claim(map_row, tid, CLAIM_IDLE);
	if (row < 0)
		row = shard_claim(map_row, tid, CLAIM_DEAD);
	if (row < 0 && !has_exit_key)
		row = shard_claim(map_row, tid, CLAIM_LEFT);
	if (row < 0)
		row = shard_append(desc, map_row, tid);
	if (row < 0 && has_exit_key)
		row = shard_claim(map_row, tid, CLAIM_LEFT);
	return row < 0 ? NULL : shard_address((__u32)row, desc);
}

/*
 * A vfork child runs on its parent's memory and thread storage, under another thread id that ends
 * with it: a shard claimed under that would be taken from the parent later. Its first hits
 * of a map that the parent has not hit yet are dropped.
 */
char *__inlay_shard_get(const struct inlay_map_desc *desc)
{
	struct shard_map *map;
	char **slot, *shard = NULL, *seen = NULL;
	__u32 skips;

	if (__inlay_rt.mode == RT_OFF)
		return NULL;
	map = map_find(desc);
	if (!map)
		return NULL;
	__inlay_fork_check();
	slot = desc->shard_slot();
	seen = load_relaxed(slot);
	if (seen)
		return seen;
	skips = load_relaxed(&map->skips);
	if (skips) {
		store_relaxed(&map->skips, skips - 1);
	} else if (sys_getpid() == __inlay_rt.pid) {
		/* before the claim: whatever is claimed is handed on */
		if (has_exit_key && __pthread_setspecific)
			__pthread_setspecific(exit_key, (void *)1);
		else if (has_exit_key)
			pthread_setspecific(exit_key, (void *)1);
		shard = shard_find(desc, map->row);
		if (!shard)
			store_relaxed(&map->skips, SKIPS_AFTER_FAILURE);
	}
	if (!shard) {
		add_relaxed(&__inlay_rt.head->maps[map->row].drops, 1);
		return NULL;
	}
	/* a signal handler may have filled the slot, with this shard or another of this thread */
	return cas_acq_rel(slot, &seen, shard) ? shard : seen;
}

char *__inlay_shard_by_number(const struct inlay_map_desc *desc, __u32 nr)
{
	struct shard_map *map;
	__u32 rows, row;

	if (__inlay_rt.mode == RT_OFF)
		return NULL;
	map = map_find(desc);
	if (!map)
		return NULL;
	rows = nr_rows();
	for (row = 0; row < rows; row++) {
		/* pairs with the release in shard_append() */
		__u32 state = owner_state(load_acquire(owner_of(row)));

		if (INLAY_SHARD_STATE(state) == INLAY_SHARD_FREE ||
		    load_relaxed(&__inlay_rt.head->shards[row].map) != map->row)
			continue;
		if (!nr--)
			return shard_address(row, desc);
	}
	return NULL;
}
