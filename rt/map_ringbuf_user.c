/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_user_ringbuf_drain(): the program is the consumer of a ring that is written from outside. The
 * loop is bpfcc's (bpfcc/ll/callback.c), which calls the four steps here. Results are the kernel's
 * (kernel/bpf/ringbuf.c).
 *
 * One drain at a time; another one is refused with -EBUSY, unless the process whose turn it was is
 * dead, or the turn has not gone on for so long that nobody can be waited for: its thread is stopped, was
 * taken out of the callback by longjmp(), or is of a process without a name that is gone. A thread that
 * comes back less deep than its own turn was knows that it has left it, and goes on at once. What stands in the ring may change at any time: a header is read once, and what it says is
 * checked against the ring before anything is handed out.
 */
#include <errno.h>
#include <linux/futex.h>

#include "rt/inline/dynptr.h"
#include "rt/map_ringbuf.h"
#include "rt/sys.h"

#define MAX_SAMPLES (128u << 10) /* BPF_MAX_USER_RINGBUF_SAMPLES */
#define OWNER_SET (1u << 31)
/* The turn's number, so that who comes back late does not take another's turn for its own. */
#define TURN_ONE (1u << INLAY_OWNER_BITS)
#define TURN_MASK (3u << INLAY_OWNER_BITS)
#define STALLED_NS 10000000000ull
#define NAMELESS_NS 1000000000ull

INLAY_STATIC_ASSERT(sizeof(struct inlay_user_drain) == INLAY_USER_DRAIN_BYTES,
		    "bpfcc makes room for it");

static struct inlay_ring_header *drain_header(const struct inlay_user_drain *d)
{
	return (struct inlay_ring_header *)d->region;
}

/* Not in the child of a signal handler that forked in the callback: the turn is its parent's. */
static bool turn_is_ours(const struct inlay_user_drain *d)
{
	return load_relaxed(&drain_header(d)->drain_owner) == d->turn &&
	       !((d->turn ^ __inlay_owner()) & INLAY_OWNER_MASK);
}

/* Whether others have been refused for long, and the turn has not gone on. */
static bool is_stalled(struct inlay_ring_header *h, __u32 turn)
{
	__u64 limit = turn & INLAY_OWNER_MASK ? STALLED_NS : NAMELESS_NS, now = __inlay_monotonic_ns();
	__u64 state = (__u64)turn << 32 ^ load_relaxed(&h->consumer_pos);

	if (load_acquire(&h->drain_seen) == state)
		return now - load_relaxed(&h->drain_since_ns) > limit;
	store_relaxed(&h->drain_since_ns, now);
	/* release: who finds this state finds its time */
	store_release(&h->drain_seen, state);
	return false;
}

/* The turn that this thread took last, and where on its stack; of a handler, if one came in between. */
static __thread struct {
	const struct inlay_ring_header *header;
	const struct inlay_user_drain *drain;
	__u32 turn;
} last __attribute__((tls_model("initial-exec")));

static void remember(const struct inlay_ring_header *h, const struct inlay_user_drain *d, __u32 turn)
{
	store_signal(&last.header, h);
	store_signal(&last.drain, d);
	store_signal(&last.turn, turn);
}

/*
 * Whether the turn is one that this thread has left by longjmp(): whose drain would be below the one that
 * begins now. On an alternate stack the two cannot be compared.
 */
static bool is_left(const struct inlay_ring_header *h, const struct inlay_user_drain *d, __u32 turn)
{
	return (turn & INLAY_OWNER_MASK) && !((turn ^ __inlay_owner()) & INLAY_OWNER_MASK) &&
	       load_signal(&last.header) == h && load_signal(&last.turn) == turn &&
	       load_signal(&last.drain) <= d && !ring_is_on_alternate_stack();
}

static bool turn_take(struct inlay_ring_header *h, const struct inlay_user_drain *d, __u32 *ret_turn)
{
	__u32 other = load_relaxed(&h->drain_owner);

	if ((other & OWNER_SET) && !is_left(h, d, other) &&
	    __inlay_owner_is_alive(other & INLAY_OWNER_MASK) && !is_stalled(h, other))
		return false;
	*ret_turn = (__inlay_owner() & INLAY_OWNER_MASK) | OWNER_SET | ((other + TURN_ONE) & TURN_MASK);
	/* acquire: pairs with the release at the end of the last drain */
	return cas_acq_rel(&h->drain_owner, &other, *ret_turn);
}

__s64 __inlay_user_ringbuf_begin_v1(const struct inlay_map_desc *desc, __u64 flags, void *drain)
{
	struct inlay_user_drain *d = drain;

	if (flags & ~(__u64)(INLAY_BPF_RB_NO_WAKEUP | INLAY_BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	d->region = inlay_map_region(desc);
	if (!d->region || !turn_take(drain_header(d), d, &d->turn))
		return -EBUSY;
	remember(drain_header(d), d, d->turn);
	d->size = desc->max_entries;
	d->flags = flags;
	d->seen = 0;
	d->discarded = 0;
	d->err = 0;
	return 0;
}

/* The next sample as *ret_dynptr: 1; 0: there is none, or an error, kept for the end. */
__s64 __inlay_user_ringbuf_next_v1(void *drain, void *ret_dynptr)
{
	struct inlay_user_drain *d = drain;
	struct inlay_ring_header *h = drain_header(d);

	if (!turn_is_ours(d)) {
		d->err = -EBUSY;
		return 0;
	}
	for (; d->seen < MAX_SAMPLES; d->seen++, d->discarded++) {
		__u64 prod = load_acquire(&h->producer_pos); /* pairs with the producer's release */
		__u64 cons = load_acquire(&h->consumer_pos), off = cons & (d->size - 1);
		__u64 len, total;
		__u32 header;

		if (prod % 8 || cons % 8) {
			d->err = -EINVAL;
			return 0;
		}
		if (cons >= prod)
			return 0;
		header = load_acquire((__u32 *)inlay_ring_at(d->region, d->size, cons));
		len = header & INLAY_RING_LEN_MASK;
		total = inlay_ring_extent(d->size, len);
		if (total > prod - cons)
			d->err = -EINVAL;
		else if (total > d->size || len > INLAY_DYNPTR_MAX_BYTES ||
			 off + total > d->size + inlay_ring_slack_bytes(d->size))
			d->err = -E2BIG;
		if (d->err)
			return 0;
		if (header & INLAY_RING_DISCARD) {
			store_release(&h->consumer_pos, cons + total);
			continue;
		}
		if (header & INLAY_RING_BUSY)
			return 0;
		d->next = cons + total;
		inlay_dynptr_set(ret_dynptr, inlay_ring_data(d->region) + off + 8, (__u32)len, 0);
		return 1;
	}
	return 0;
}

/* The sample was looked at. */
void __inlay_user_ringbuf_done_v1(void *drain)
{
	struct inlay_user_drain *d = drain;
	struct inlay_ring_header *h = drain_header(d);

	d->seen++;
	/* release: the producer may overwrite it */
	if (turn_is_ours(d))
		store_release(&h->consumer_pos, d->next);
}

__s64 __inlay_user_ringbuf_end_v1(void *drain)
{
	struct inlay_user_drain *d = drain;
	struct inlay_ring_header *h = drain_header(d);
	__u32 turn = d->turn;

	/* release: pairs with who drains next */
	if (turn_is_ours(d))
		cas_acq_rel(&h->drain_owner, &turn, turn & TURN_MASK);
	if (load_signal(&last.drain) == d)
		remember(NULL, NULL, 0);
	if (((d->flags & INLAY_BPF_RB_FORCE_WAKEUP) ||
	     (!(d->flags & INLAY_BPF_RB_NO_WAKEUP) && d->seen)) &&
	    __atomic_exchange_n(&h->waiting, 0u, __ATOMIC_SEQ_CST)) {
		__atomic_fetch_add(&h->wakeups, 1, __ATOMIC_SEQ_CST);
		sys_call6(__NR_futex, SYS_ARG(&h->wakeups), FUTEX_WAKE, INT32_MAX, 0, 0, 0);
	}
	return d->err ? d->err : (__s64)d->seen - d->discarded;
}
