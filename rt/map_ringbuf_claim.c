/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Producers of a ring buffer: claims of space, and commits. abi.h has the layout and what every
 * word means; rt/inline/map_ringbuf.h has the short way, which leaves all that is unusual to this.
 *
 * A claim is one compare-exchange of the tail. Threads that keep failing there take a span of
 * several records at a time (map_ringbuf_span.c), and then touch only memory of their own: a contended word costs five
 * times as much as one's own. A thread goes back to single records when the consumer keeps up with it.
 *
 * Nothing waits: a signal handler may interrupt any step and claim for itself, and who is killed
 * leaves words that tell the consumer what to pass by. Shared words may hold anything at all: what
 * is written to lies inside of the ring by the masks and checks here, and every loop is counted.
 */
#include <linux/futex.h>

#include "rt/inline/map_access.h"
#include "rt/inline/thread.h"
#include "rt/map_ringbuf.h"
#include "rt/sys.h"

enum { HEAT_FAILED = 48, HEAT_SPAN = 24 };
/* A span holds at least so many records of the size at hand. */
#ifndef SPAN_RECORDS
#define SPAN_RECORDS 4u
#endif

#define ENTRIES_BYTES (16u << 10)

/* The first ones; more are mapped when they are needed, and stay. */
#ifndef RING_ENTRIES
#define RING_ENTRIES 64u
#endif
struct entries {
	struct entries *next;
	__u64 nr;
	struct ring_entry *entry;
};
static struct ring_entry first_entries[RING_ENTRIES];
static struct entries all_entries = { NULL, RING_ENTRIES, first_entries };

#ifndef RING_TEST_THREADS
__thread struct inlay_ring_thread __inlay_ring_thread_v1
	__attribute__((tls_model("initial-exec")));
#endif

/* ---- Which ring, and who we are --------------------------------------------------------- */

#define for_each_entry(e, list, i)                                                       \
	for (list = &all_entries; list; list = load_acquire(&list->next))                \
		for (i = 0, e = list->entry; i < list->nr; i++, e++)

/* Forgets rings of libraries that were unloaded: somebody else's is where they were. */
static void entries_retire(const char *region, __u64 bytes)
{
	struct entries *list;
	struct ring_entry *e;
	__u64 i;

	for_each_entry(e, list, i)
		if (load_acquire(&e->desc) && e->region < region + bytes &&
		    region < e->region + e->region_bytes)
			store_release(&e->desc, NULL);
}

/* More of them behind the last; false: no memory. */
static bool entries_grow(struct entries *last)
{
	struct entries *more = sys_mmap(NULL, ENTRIES_BYTES, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *none = NULL;

	if (!more)
		return false;
	more->entry = (struct ring_entry *)(more + 1);
	more->nr = (ENTRIES_BYTES - sizeof(*more)) / sizeof(*more->entry);
	/* pairs with who goes through them. Somebody may have been quicker: his will do */
	if (!cas_acq_rel(&last->next, &none, more))
		sys_munmap(more, ENTRIES_BYTES);
	return true;
}

/* Finds the ring's, or makes one; false: no memory. */
static __attribute__((noinline, cold)) bool entry_make(const struct inlay_map_desc *desc,
						       char *region)
{
	struct entries *list = &all_entries;

	for (;;) {
		__u64 i;

		for (i = 0; i < list->nr; i++) {
			struct ring_entry *e = &list->entry[i];

			if (ring_entry_is(e, desc, region))
				return true;
			/* one that is being filled may be for the same ring: two do no harm */
			if (load_relaxed(&e->is_taken) ||
			    __atomic_exchange_n(&e->is_taken, 1u, __ATOMIC_RELAXED))
				continue;
			e->region = region;
			e->size = inlay_map_ring_size(desc);
			e->bytes = e->size + inlay_ring_slack_bytes(e->size);
			e->region_bytes = desc->region_bytes;
			entries_retire(region, e->region_bytes);
			store_release(&e->desc, desc);
			return true;
		}
		if (!load_acquire(&list->next) && !entries_grow(list))
			return false;
		list = load_acquire(&list->next);
	}
}

/* Once a process, and in a fork child: then spans are the parent's, and so is being alone. */
static __attribute__((noinline, cold)) __u32 owner_ask(struct inlay_ring_thread *t)
{
	__u32 owner, i, epoch;

	if (!__inlay_thread_is_known())
		__inlay_thread_refresh_v1();
	owner = __inlay_owner() & INLAY_OWNER_MASK;
	store_signal(&t->epoch, INLAY_RING_NO_EPOCH);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (load_signal(&t->owner) != owner)
		for (i = 0; i < INLAY_RING_SEATS; i++)
			store_signal(&t->seats[i].key, 0ull);
	store_signal(&t->owner, owner);
	store_signal(&t->header, INLAY_RING_SET | INLAY_RING_BUSY |
					 (__u64)owner << INLAY_RING_OWNER_SHIFT);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	/* without a name: before the start, and later there may be one */
	epoch = load_relaxed(&__inlay_process_v1.epoch);
	store_signal(&t->epoch, owner && epoch ? epoch : INLAY_RING_NO_EPOCH);
	return owner;
}

static inline __u32 owner_of(struct inlay_ring_thread *t)
{
	__u32 epoch = load_relaxed(&__inlay_process_v1.epoch);

	if (INLAY_LIKELY((epoch != 0) & (epoch == load_signal(&t->epoch))))
		return load_signal(&t->owner);
	return owner_ask(t);
}

/* Whether two regions overlap: the one behind the key is a ring of a library that was unloaded. */
static bool is_retired(__u64 key, const char *region, __u64 size)
{
	const char *other = inlay_ring_key_region(key);

	return other < region + inlay_ring_region_bytes(size) &&
	       region < other + inlay_ring_region_bytes(1ull << (key & 63));
}

/*
 * The thread's seat in the ring, made if that can be: *ret_seat, or NULL if another ring has it. False:
 * a record's ring would not be found again.
 */
static inline bool seat_find(struct inlay_ring_thread *t, const struct inlay_map_desc *desc,
			     char *region, __u64 size, struct inlay_ring_seat **ret_seat)
{
	struct inlay_ring_seat *seat = &t->seats[inlay_ring_seat_index(desc)];
	__u64 key = inlay_ring_key(region, size), old = load_signal(&seat->key);

	*ret_seat = seat;
	if (INLAY_LIKELY(old == key))
		return true;
	if (!entry_make(desc, region))
		return false;
	if (old && !is_retired(old, region, size)) {
		*ret_seat = NULL;
		return true;
	}
	store_signal(&seat->key, 0ull);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	store_signal(&seat->tail, 0ull);
	store_signal(&seat->span, 0ull);
	store_signal(&seat->next, 0ull);
	store_signal(&seat->end, 0ull);
	store_signal(&seat->lone, 0ull);
	store_signal(&seat->heat, (__u16)0);
	store_signal(&seat->slot, (__u16)0);
	__inlay_ring_seat_stack(seat);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	store_signal(&seat->key, key);
	return true;
}

/* ---- Words ------------------------------------------------------------------------------ */

/* The tail behind a claim of `extent` bytes that ends at `end`. */
static inline __u64 word_make(const struct ring *r, __u64 end, __u64 extent)
{
	__u64 units = extent >> 3;

	if (INLAY_UNLIKELY(extent >= 1u << 16))
		units = extent / inlay_ring_grain(r->size) | INLAY_RING_WORD_BIG;
	return end >> 3 << INLAY_RING_WORD_POS_SHIFT | units << INLAY_RING_WORD_EXTENT_SHIFT |
	       (r->owner & INLAY_RING_WORD_OWNER_MASK);
}

/*
 * The header of a claim that a word tells of. The word, or free_pos, may be out of date, and this be
 * in somebody's record: a compare-exchange of the word fails then, and a note too many does no
 * harm. ThreadSanitizer would see a race with who writes the record.
 */
static inline RING_MAY_RACE __u64 told_header(const struct ring *r, __u64 start)
{
	return load_relaxed(inlay_ring_at(r->region, r->size, start));
}

/* Whether the consumer can find the end of the claim behind `word` without that word. */
static inline bool is_told(const struct ring *r, __u64 word, __u64 free)
{
	__u64 extent = ring_word_extent(r, word), start = INLAY_RING_WORD_POS(word) - extent;

	/* none yet; the consumer is past it; its header is written */
	return !extent || ((start - free) & INLAY_RING_WORD_POS_MASK) >= r->size ||
	       told_header(r, start);
}

/* The claim behind `tail` has no header yet, and what tells its extent is about to go. */
static __attribute__((noinline, cold)) bool note(const struct ring *r, __u64 tail, __u64 free)
{
	struct inlay_ring_header *h = ring_header(r);
	__u32 i;

	for (i = 0; i < INLAY_RING_NOTES; i++) {
		__u64 old = load_relaxed(&h->notes[i]);

		if (old == tail)
			return true;
		/* release: whoever sees the next claim sees the note */
		if (is_told(r, old, free) && cas_acq_rel(&h->notes[i], &old, tail))
			return true;
		if (old == tail)
			return true;
	}
	return false;
}

/* ---- Claims ----------------------------------------------------------------------------- */

static __attribute__((noinline, cold)) void *lose(const struct ring *r)
{
	add_relaxed(&ring_header(r)->lost, 1);
	return NULL;
}

/* Whether a claim that ends at `end` fits behind the consumer. */
static inline bool has_room(const struct ring *r, __u64 end, __u64 free)
{
	/* one unit stays free, as in the kernel's */
	return ((end - free) & INLAY_RING_WORD_POS_MASK) < r->size;
}

static inline bool wants_span(const struct ring *r, __u64 heat, __u64 pos, __u64 extent, __u64 free,
			      __u64 *ret_bytes)
{
	__u64 bytes = ring_span_bytes(r);

	if (INLAY_LIKELY(heat < HEAT_SPAN))
		return false;
	*ret_bytes = bytes;
	/* Spans that nobody fills are room that others lack: none in a ring that is half full. */
	return extent * SPAN_RECORDS + INLAY_RING_SPAN_HEAD_BYTES <= bytes &&
	       ((pos + bytes - free) & INLAY_RING_WORD_POS_MASK) <= r->size / 2;
}

/* Discards the bytes up to the ring's end, where a record would not fit the slack. */
static __attribute__((noinline, cold)) bool pad(const struct ring *r, __u64 tail, __u64 pos,
						__u64 free)
{
	__u64 extent = r->size - (pos & (r->size - 1)), end;
	__u64 *at = inlay_ring_at(r->region, r->size, pos);

	/* what is left of a ring above 64 KiB may be no multiple of the grain: two pieces then */
	if (extent >= 1u << 16 && extent % inlay_ring_grain(r->size))
		extent %= inlay_ring_grain(r->size);
	end = pos + extent;
	if (!has_room(r, end, free))
		return false;
	if (cas_acq_rel(&ring_header(r)->tail, &tail, word_make(r, end, extent))) {
		store_relaxed(at, ring_header_make(r, extent - INLAY_RING_HEADER_BYTES, 0));
		__inlay_ring_commit(at + 1, 0, INLAY_RING_DISCARD);
	}
	return true;
}

/*
 * `seat`: NULL where there is none. `may_span`: we are no handler that came between two steps of a
 * span's owner.
 */
static inline void *claim(const struct ring *r, struct inlay_ring_seat *seat, bool may_span,
			  __u64 bytes)
{
	struct inlay_ring_header *h = ring_header(r);
	__u64 extent = inlay_ring_extent(r->size, bytes), heat = 0;
	__u32 tries, slot = 0;

	if (extent >= r->size)
		return lose(r);
	if (INLAY_LIKELY(seat != NULL))
		heat = load_signal(&seat->heat);
	for (tries = 0; tries < RING_TRIES_MAX; tries++) {
		__u64 tail = load_acquire(&h->tail); /* pairs with other claims */
		__u64 pos = INLAY_RING_WORD_POS(tail), take = extent;
		/* acquire: the consumer's zeros come before */
		__u64 free = load_acquire(&h->free_pos);
		__u64 next;
		bool is_span;

		if (INLAY_UNLIKELY(!has_room(r, pos + extent, free))) {
			/* or an old tail beside a new free_pos */
			if (load_relaxed(&h->tail) != tail)
				continue;
			return lose(r);
		}
		if (INLAY_UNLIKELY((pos & (r->size - 1)) + extent >
				   r->size + inlay_ring_slack_bytes(r->size))) {
			if (!pad(r, tail, pos, free))
				return lose(r);
			continue;
		}
		if (INLAY_UNLIKELY(!is_told(r, tail, free)) && !note(r, tail, free))
			return lose(r);
		if (seat && ring_word_extent(r, tail) >= ring_span_bytes(r) / 2 &&
		    (told_header(r, pos - ring_word_extent(r, tail)) & INLAY_RING_SPAN))
			/* somebody is in a hurry: records between spans cost both of us more */
			heat = RING_HEAT_MAX;
		is_span = may_span && wants_span(r, heat, pos, extent, free, &take);
		if (INLAY_UNLIKELY(is_span)) {
			slot = __inlay_ring_slot(h, r->owner, seat);
			store_signal(&seat->end, INLAY_RING_END_CLAIMING);
			/* who claims at the same time as we do should not do so at the next span, too */
			if (tries && extent + INLAY_RING_SPAN_HEAD_BYTES <= take / 2)
				take /= 2;
		} else {
			take = extent;
		}
		next = word_make(r, pos + take, take);
		if (INLAY_LIKELY(cas_acq_rel(&h->tail, &tail, next))) {
			__u64 *at = inlay_ring_at(r->region, r->size, pos);

			if (INLAY_UNLIKELY(heat) && !is_span)
				heat--;
			if (INLAY_LIKELY(seat != NULL) && load_signal(&seat->heat) != heat)
				store_signal(&seat->heat, (__u16)heat);
			if (INLAY_UNLIKELY(is_span))
				return __inlay_ring_span_start(r, seat, pos, take, slot, extent, bytes);
			store_relaxed(at, ring_header_make(r, bytes, 0));
			__atomic_signal_fence(__ATOMIC_RELEASE);
			if (INLAY_LIKELY(seat != NULL)) {
				store_signal(&seat->tail, next);
				/* a span, our thread's or a handler's, began before this */
				if (INLAY_UNLIKELY(load_signal(&seat->end)) && may_span)
					store_signal(&seat->end, 0ull);
			}
			return at + 1;
		}
		if (is_span)
			store_signal(&seat->end, 0ull);
		if (seat)
			heat = heat + HEAT_FAILED < RING_HEAT_MAX ? heat + HEAT_FAILED : RING_HEAT_MAX;
	}
	return lose(r);
}

INLAY_COLD_CALL void *__inlay_ring_reserve_v1(const struct inlay_map_desc *desc, __u64 bytes)
{
	struct inlay_ring_thread *t = inlay_ring_this();
	struct inlay_ring_seat *seat;
	struct ring r;
	void *record;
	bool may_span;

	r.region = inlay_map_region(desc);
	if (INLAY_UNLIKELY(!r.region))
		return NULL;
	r.size = inlay_map_ring_size(desc);
	r.owner = owner_of(t);
	if (INLAY_UNLIKELY(bytes > INLAY_RING_LEN_MASK ||
			   !seat_find(t, desc, r.region, r.size, &seat) ||
			   !__inlay_ring_may_claim(ring_header(&r), r.owner, seat)))
		return lose(&r);
	/* on another stack it may be another thread, made to share this one's storage */
	if (INLAY_UNLIKELY(!seat || !inlay_ring_is_on_stack(seat)))
		return claim(&r, NULL, false, bytes);
	store_signal(&t->last, inlay_ring_seat_off(desc));
	may_span = !__inlay_ring_span_is_busy(&r, seat);
	if (INLAY_UNLIKELY(load_signal(&seat->end))) {
		record = __inlay_ring_span_next(&r, seat, bytes);
		if (record)
			return record;
	}
	return claim(&r, seat, may_span, bytes);
}

/* ---- Commits ---------------------------------------------------------------------------- */

static __attribute__((noinline, cold)) void wake(struct inlay_ring_header *h)
{
	if (!load_relaxed(&h->waiting) || !__atomic_exchange_n(&h->waiting, 0u, __ATOMIC_SEQ_CST))
		return;
	__atomic_fetch_add(&h->wakeups, 1, __ATOMIC_SEQ_CST);
	sys_call6(__NR_futex, SYS_ARG(&h->wakeups), FUTEX_WAKE, INT32_MAX, 0, 0, 0);
}

/* The ring that a record is in: its region and size. */
static bool find_ring(const void *record, char **ret_region, __u64 *ret_size)
{
	struct inlay_ring_thread *t = inlay_ring_this();
	__u64 key = inlay_ring_last_key(t);
	struct entries *list;
	struct ring_entry *e;
	__u64 i;

	*ret_region = inlay_ring_key_region(key);
	*ret_size = 1ull << (key & 63);
	if (INLAY_LIKELY((__u64)((const char *)record - inlay_ring_data(*ret_region)) < *ret_size))
		return true;
	for_each_entry(e, list, i)
		if (ring_entry_holds(e, record)) {
			*ret_region = e->region;
			*ret_size = e->size;
			return true;
		}
	return false;
}

/* Wakes the consumer if it waits for the record at `off`, and may be woken. */
static inline void commit_wake(char *region, __u64 size, __u64 off, __u64 header, __u64 flags)
{
	struct inlay_ring_header *h = (struct inlay_ring_header *)region;
	__u64 ahead = (off - load_acquire(&h->consumer_pos)) & (size - 1);

	/* at the record, or at the head of the span that begins with it */
	if (INLAY_LIKELY(ahead > INLAY_RING_SPAN_HEAD_BYTES) && !flags)
		return;
	if (flags & INLAY_BPF_RB_NO_WAKEUP ? flags & INLAY_BPF_RB_FORCE_WAKEUP :
	    !ahead || (flags & INLAY_BPF_RB_FORCE_WAKEUP) ||
	    (ahead == INLAY_RING_SPAN_HEAD_BYTES && (header & INLAY_RING_IN_SPAN)))
		wake(h);
}

INLAY_COLD_CALL void __inlay_ring_wake_v1(void *record, __u64 header)
{
	char *region;
	__u64 size;

	if (find_ring(record, &region, &size))
		commit_wake(region, size, (__u64)((char *)record - 8 - inlay_ring_data(region)),
			    header, 0);
}

INLAY_COLD_CALL void __inlay_ring_commit_v1(void *record, __u64 flags, __u64 discard)
{
	struct inlay_ring_thread *t = inlay_ring_this();
	__u64 *at = (__u64 *)record - 1, header, size;
	char *region;
	__u32 owner;

	if (INLAY_UNLIKELY(!find_ring(record, &region, &size)))
		return;
	header = load_relaxed(at);
	/* A fork child inside of its parent's program: the record is the parent's. One that was
	 * reserved before the runtime's start is nobody's. */
	owner = INLAY_RING_OWNER(header);
	if (INLAY_UNLIKELY(!(header & INLAY_RING_BUSY) || (owner && owner != owner_of(t))))
		return;
	/* release: the record is written; pairs with the consumer's load */
	store_release(at, (header & ~INLAY_RING_BUSY) | discard);
	commit_wake(region, size, (__u64)((char *)at - inlay_ring_data(region)), header, flags);
}
