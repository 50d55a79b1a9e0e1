/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers: who may claim without a locked instruction, and how that ends. The first thread that
 * claims anything in a ring is its lone producer. A claim of its own is, in rt/inline/map_ringbuf.h:
 *
 *	L1  lone_busy = its stack pointer
 *	L2  `lone` still is its name, and nobody has asked: else 4 without 3
 *	L3  moves the tail, by a compare-exchange of two accesses
 *	L4  lone_busy = 0
 *
 * Any other thread, of any process, before its first claim:
 *
 *	S1  `lone` says ASKED, by a locked instruction
 *	S2  a barrier in all threads of processes with a lone producer: membarrier()
 *	S3  lone_busy is 0: `lone` says SETTLED. Else its event is lost, and the next one tries S2 again
 *
 * and from SETTLED on every claim is a locked compare-exchange. Why none is ever made beside an L3: take the
 * barrier in the lone thread of the S2 before SETTLED was said. An L2 behind it finds the question of
 * S1, and there is no L3. An L2 before it has its L1 before it, so that S3 would have found lone_busy
 * set: it found it cleared again, by the L4, and stores are seen in their order: L3's before that one.
 *
 * A signal handler between L1 and L4 finds lone_busy set, and claims by a locked instruction, beside
 * nobody but the thread that it has interrupted, whose L3 then fails; it leaves lone_busy alone. One
 * that leaves by longjmp() leaves it set: whoever is less deep on that stack than the claim was, knows. On an
 * alternate stack, which may be a piece of that one, nobody is. A thread of another process that ended in
 * between is waited for as long as one that is stopped there could be: some ten seconds.
 *
 * A thread may have been made to share the lone one's storage, and then bears its name. What it cannot
 * share is the stack: away from the stack that we know, a thread is another one.
 *
 * Without membarrier() nobody becomes lone. If it is forbidden later on, S2 is to wait for a time in which
 * no store stays on its way; the processor's counter tells.
 */
#include <errno.h>
#include <stddef.h>

#include "rt/map_ringbuf.h"
#include "rt/sys.h"

/* 2^24 ticks are above 2 ms; stores need less than one of the 2,000 microseconds. */
#define ASKED_TICKS (1ull << 24)
/* 7 to 17 seconds. A thread that was stopped between L2 and L3 for so long could still lose somebody's
 * claim, if it goes on in the very nanoseconds of it. */
#define LEFT_TICKS (1ull << 35)
/* A handler's frame is at least this far below what it interrupted; ours are nearer. */
#define HANDLER_BYTES 1024u

/* How much of its stack a thread is taken to have around where it was first seen. */
enum { MAIN_BELOW = 8 << 20, MAIN_BYTES = 9 << 20, OTHER_BELOW = 256 << 10,
       OTHER_BYTES = 288 << 10 };

static __u64 ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return 0; /* nobody is lone there */
#endif
}

static __u64 name_of(__u32 owner)
{
	__u32 tid = (__u32)__inlay_thread_v1.pid_tgid;

	return (__u64)owner << INLAY_RING_LONE_OWNER_SHIFT |
	       (__u64)(tid & ~0u >> INLAY_RING_LONE_TID_SHIFT) << INLAY_RING_LONE_TID_SHIFT;
}

/* Nobody has claimed anything yet; or one thread has, and is dead with its process. */
static bool is_vacant(__u64 lone, __u32 owner)
{
	__u32 other = (__u32)(lone >> INLAY_RING_LONE_OWNER_SHIFT);

	return !lone || (!(lone & INLAY_RING_LONE_SHARE) && other && other != owner &&
			 !__inlay_owner_is_alive(other & INLAY_OWNER_MASK));
}

static bool become_lone(struct inlay_ring_header *h, __u32 owner, struct inlay_ring_seat *seat,
			__u64 *lone)
{
	__u64 name = name_of(owner);

	if (!cas_acq_rel(&h->lone, lone, name))
		return false;
	/* a dead one may have left it so */
	store_relaxed(&h->lone_busy, 0ull);
	store_signal(&seat->lone, name);
	return true;
}

void __inlay_ring_seat_stack(struct inlay_ring_seat *seat)
{
	__u64 id = __inlay_thread_v1.pid_tgid;
	bool is_main = id >> 32 == (__u32)id;

	store_signal(&seat->stack, inlay_ring_stack() - (is_main ? MAIN_BELOW : OTHER_BELOW));
	store_signal(&seat->stack_bytes, is_main ? MAIN_BYTES : OTHER_BYTES);
}

bool __inlay_ring_is_busy(__u64 *busy)
{
	__u64 at = load_relaxed(busy);

	if (!at || inlay_ring_stack() + HANDLER_BYTES <= at || ring_is_on_alternate_stack())
		return at;
	store_relaxed(busy, 0ull);
	return false;
}

/* Whether the name is a thread's of this process that has ended. */
static bool is_left(__u64 name, __u32 owner)
{
	__u32 tid = (__u32)name >> INLAY_RING_LONE_TID_SHIFT;

	return (__u32)(name >> INLAY_RING_LONE_OWNER_SHIFT) == owner &&
	       sys_tgkill((__u32)(__inlay_thread_v1.pid_tgid >> 32), tid, 0) == -ESRCH;
}

/* A free one; `is_of_left`: or one that a thread has left. */
static __u32 slot_take(struct inlay_ring_header *h, __u64 name, __u32 owner, bool is_of_left)
{
	__u32 first = (__u32)name / 4 * 2, n;

	/* Every other one first: processors fetch lines in pairs. */
	for (n = 0; n < INLAY_RING_SLOTS; n++) {
		__u32 i = (first + 2 * n + (n >= INLAY_RING_SLOTS / 2)) % INLAY_RING_SLOTS;
		__u64 old = load_relaxed(&h->slots[i].name);

		if ((!old || (is_of_left && is_left(old, owner))) &&
		    cas_acq_rel(&h->slots[i].name, &old, name)) {
			/* of somebody who is dead */
			store_relaxed(&h->slots[i].busy, 0ull);
			store_relaxed(&h->slots[i].span, 0ull);
			return i + 1;
		}
	}
	return 0;
}

/* What a seat has of a slot, and back. */
static __u32 slot_off(__u32 slot)
{
	return (__u32)offsetof(struct inlay_ring_header, slots) +
	       (slot - 1) * (__u32)sizeof(struct inlay_ring_slot);
}

static __u32 slot_of(__u32 off)
{
	return off <= INLAY_RING_NO_SLOT ? 0 : (off - slot_off(1)) / sizeof(struct inlay_ring_slot) + 1;
}

__u32 __inlay_ring_slot(struct inlay_ring_header *h, __u32 owner, struct inlay_ring_seat *seat)
{
	static __u32 is_full; /* no ring's are free any more: to look again costs a microsecond */
	__u16 old = load_signal(&seat->slot);
	__u64 name;
	__u32 slot;

	if (!INLAY_RING_HAS_LONE || old || !owner || !__inlay_ring_has_barrier())
		return slot_of(old);
	name = name_of(owner);
	slot = load_relaxed(&is_full) ? 0 : slot_take(h, name, owner, false);
	if (!slot) {
		store_relaxed(&is_full, 1u);
		slot = slot_take(h, name, owner, true);
	}
	/* a handler may have one by now. One look for one must do, where there is none: it takes long */
	if (__atomic_compare_exchange_n(&seat->slot, &old,
					(__u16)(slot ? slot_off(slot) : INLAY_RING_NO_SLOT), 0,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return slot;
	if (slot)
		store_release(&h->slots[slot - 1].name, 0ull);
	return slot_of(old);
}

/* S2 and S3, after S1. */
static bool is_settled(const struct inlay_ring_header *h, __u64 lone, __u32 owner)
{
	__u32 other = (__u32)(lone >> INLAY_RING_LONE_OWNER_SHIFT);
	__u64 asked = load_relaxed(&h->lone_asked);

	if (!(lone & ~INLAY_RING_LONE_SHARE))
		return true; /* nobody was */
	if (!__inlay_ring_barrier() && ticks() - asked < ASKED_TICKS)
		return false;
	/* acquire: what L3 stored is seen */
	return !load_acquire(&h->lone_busy) || is_left(lone, owner) ||
	       !__inlay_owner_is_alive(other & INLAY_OWNER_MASK) || ticks() - asked > LEFT_TICKS;
}

static bool settle(struct inlay_ring_header *h, __u64 lone)
{
	/* who else says so has found out as well */
	cas_acq_rel(&h->lone, &lone,
		    (lone & ~INLAY_RING_LONE_SHARE) | INLAY_RING_LONE_SETTLED);
	return true;
}

/* The lone producer's own claims that do not go the short way. */
static bool may_claim_lone(struct inlay_ring_header *h, __u64 lone)
{
	/* asked, and not in the middle of a claim: nobody knows that better */
	if (!__inlay_ring_is_busy(&h->lone_busy) && (lone & INLAY_RING_LONE_SHARE))
		settle(h, lone);
	return true;
}

static __attribute__((noinline, cold)) bool resolve(struct inlay_ring_header *h, __u32 owner,
						    struct inlay_ring_seat *seat)
{
	__u64 lone = load_acquire(&h->lone), mine = seat ? load_signal(&seat->lone) : 0;

	if (mine && mine == (lone & ~INLAY_RING_LONE_SHARE) && inlay_ring_is_on_stack(seat))
		return may_claim_lone(h, lone);
	/* on another stack it may be another thread, whose name this one would take for its own */
	if (INLAY_RING_HAS_LONE && seat && inlay_ring_is_on_stack(seat) && owner &&
	    __inlay_ring_has_barrier() && is_vacant(lone, owner) && become_lone(h, owner, seat, &lone))
		return true;
	while (!(lone & INLAY_RING_LONE_SHARE)) {
		store_relaxed(&h->lone_asked, ticks());
		if (cas_acq_rel(&h->lone, &lone, lone | INLAY_RING_LONE_ASKED))
			lone |= INLAY_RING_LONE_ASKED;
	}
	if (lone & INLAY_RING_LONE_SETTLED)
		return true;
	return is_settled(h, lone, owner) && settle(h, lone);
}

bool __inlay_ring_may_claim(struct inlay_ring_header *h, __u32 owner, struct inlay_ring_seat *seat)
{
	/* acquire: the tail is as the lone one left it; pairs with S3 */
	if (!(load_acquire(&h->lone) & INLAY_RING_LONE_SETTLED))
		return resolve(h, owner, seat);
	if (seat && INLAY_UNLIKELY(load_signal(&seat->lone)))
		store_signal(&seat->lone, 0ull);
	return true;
}
