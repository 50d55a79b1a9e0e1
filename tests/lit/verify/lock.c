/* SPDX-License-Identifier: BSD-2-Clause */
/* Spin locks in values: one at a time, released by who took it, and not touched otherwise. */
// RUN: %twins --kernel-helpers
#include "twins.h"

struct locked {
	__u64 before;
	struct bpf_spin_lock lock;
	__u32 behind;
};

MAP_OF(values, HASH, __u32, struct locked, 8);
MAP_OF(counts, HASH, __u32, __u64, 8);

#define VALUE                                                                                      \
	*(u32 *)(r10 - 4) = 0;                                                                     \
	r2 = r10;                                                                                  \
	r2 += -4;                                                                                  \
	r1 = %[values] ll;                                                                         \
	call %[map_lookup_elem];                                                                   \
	if r0 == 0 goto 9f;                                                                        \
	r6 = r0;
#define LOCK                                                                                       \
	r1 = r6;                                                                                   \
	r1 += 8;                                                                                   \
	call %[spin_lock];
#define UNLOCK                                                                                     \
	r1 = r6;                                                                                   \
	r1 += 8;                                                                                   \
	call %[spin_unlock];
#define END                                                                                        \
	9: r0 = 0;                                                                                 \
	exit;
#define LOCKS MAP(values), HELPER(map_lookup_elem), HELPER(spin_lock), HELPER(spin_unlock)

ACCEPT(locked_and_unlocked)
{
	ASM((
		VALUE
		LOCK
		*(u64 *)(r6 + 0) = 1;
		UNLOCK
		END
	), LOCKS);
}

REJECT(never_unlocked, "a lock is still held")
{
	ASM((
		VALUE
		LOCK
		END
	), LOCKS);
}

REJECT(never_locked, "none is held")
{
	ASM((
		VALUE
		UNLOCK
		END
	), LOCKS);
}

REJECT(locked_twice, "a second lock")
{
	ASM((
		VALUE
		LOCK
		LOCK
		UNLOCK
		UNLOCK
		END
	), LOCKS);
}

REJECT(another_value_is_unlocked, "another lock")
{
	ASM((
		VALUE
		r7 = r6;
		VALUE
		LOCK
		r6 = r7;
		UNLOCK
		END
	), LOCKS);
}

REJECT(called_while_locked, "while a lock is held")
{
	ASM((
		VALUE
		LOCK
		call %[ktime_get_ns];
		UNLOCK
		END
	), LOCKS, HELPER(ktime_get_ns));
}

REJECT(not_the_lock, "is not the address of a lock")
{
	ASM((
		VALUE
		r1 = r6;
		call %[spin_lock];
		END
	), LOCKS);
}

REJECT(no_lock_in_the_map, "is not the address of a lock")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r1 = r0;
		call %[spin_lock];
	1:	r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem), HELPER(spin_lock));
}

REJECT(lock_is_written, "the lock at offset 8")
{
	ASM((
		VALUE
		*(u32 *)(r6 + 8) = 0;
		END
	), LOCKS);
}

REJECT(lock_is_read, "the lock at offset 8")
{
	ASM((
		VALUE
		r0 = *(u64 *)(r6 + 8);
		END
	), LOCKS);
}

ACCEPT(beside_the_lock)
{
	ASM((
		VALUE
		*(u32 *)(r6 + 12) = 0;
		r0 = *(u64 *)(r6 + 0);
		END
	), LOCKS);
}

REJECT(lock_is_written_by_a_helper, "the lock at offset 8")
{
	ASM((
		VALUE
		r1 = r6;
		r2 = 16;
		call %[get_current_comm];
		END
	), LOCKS, HELPER(get_current_comm));
}
