/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections of the kernel's, which do nothing here, are entered and left in pairs; strings at any address. */
// RUN: %twins
#include "twins.h"

LICENSE("GPL");
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern int bpf_strlen(const char *s) __ksym;
extern int bpf_copy_from_user_str(void *dst, __u32 bytes, const void *address, __u64 flags) __ksym;

/* clang gives BTF to what C calls only */
__attribute__((used)) static void has_btf_of_them(char *p)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_preempt_disable();
	bpf_preempt_enable();
	bpf_strlen(p);
	bpf_copy_from_user_str(p, 0, p, 0);
}

#define RCU ADDRESS(bpf_rcu_read_lock), ADDRESS(bpf_rcu_read_unlock)
#define PREEMPT ADDRESS(bpf_preempt_disable), ADDRESS(bpf_preempt_enable)

ACCEPT(rcu_in_pairs)
{
	ASM((
		call %[bpf_rcu_read_lock];
		call %[bpf_rcu_read_unlock];
		call %[bpf_rcu_read_lock];
		call %[bpf_rcu_read_unlock];
		r0 = 0;
		exit;
	), RCU);
}

REJECT(rcu_never_left, "the RCU read lock is still held")
{
	ASM((
		call %[bpf_rcu_read_lock];
		r0 = 0;
		exit;
	), RCU);
}

REJECT(rcu_left_on_one_path, "the RCU read lock is still held")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		call %[bpf_rcu_read_lock];
		if r6 == 0 goto 1f;
		call %[bpf_rcu_read_unlock];
	1:	r0 = 0;
		exit;
	), RCU);
}

REJECT(rcu_never_entered, "it is not held")
{
	ASM((
		call %[bpf_rcu_read_unlock];
		r0 = 0;
		exit;
	), RCU);
}

ACCEPT(preemption_in_pairs)
{
	ASM((
		call %[bpf_preempt_disable];
		call %[bpf_preempt_disable];
		call %[bpf_preempt_enable];
		call %[bpf_preempt_enable];
		r0 = 0;
		exit;
	), PREEMPT);
}

REJECT(preemption_enabled_once_of_two, "the disabling of preemption is still held")
{
	ASM((
		call %[bpf_preempt_disable];
		call %[bpf_preempt_disable];
		call %[bpf_preempt_enable];
		r0 = 0;
		exit;
	), PREEMPT);
}

REJECT(preemption_never_disabled, "was not disabled")
{
	ASM((
		call %[bpf_preempt_enable];
		r0 = 0;
		exit;
	), PREEMPT);
}

/* ---- strings ---- */

ACCEPT(length_at_any_address)
{
	ASM((
		r1 = *(u64 *)(r1 + 112);
		call %[bpf_strlen];
		exit;
	), ADDRESS(bpf_strlen));
}

REJECT(length_of_nothing, "nothing was put into it")
{
	ASM((
		r1 = r2;
		call %[bpf_strlen];
		exit;
	), ADDRESS(bpf_strlen));
}

/* The result is not bounded: a string's length says nothing of a buffer. */
REJECT(length_as_an_offset, "outside of the stack")
{
	ASM((
		r1 = *(u64 *)(r1 + 112);
		call %[bpf_strlen];
		r1 = r10;
		r1 += -16;
		r1 += r0;
		*(u8 *)(r1 + 0) = 0;
		r0 = 0;
		exit;
	), ADDRESS(bpf_strlen));
}

ACCEPT_IN("uprobe.s/app:function", copied)
{
	ASM((
		r3 = *(u64 *)(r1 + 112);
		r1 = r10;
		r1 += -16;
		r2 = 16;
		r4 = 0;
		call %[bpf_copy_from_user_str];
		r0 = *(u8 *)(r10 - 16);
		exit;
	), ADDRESS(bpf_copy_from_user_str));
}

REJECT(copied_where_nothing_may_sleep, "may sleep")
{
	ASM((
		r3 = *(u64 *)(r1 + 112);
		r1 = r10;
		r1 += -16;
		r2 = 16;
		r4 = 0;
		call %[bpf_copy_from_user_str];
		r0 = 0;
		exit;
	), ADDRESS(bpf_copy_from_user_str));
}

REJECT_IN("uprobe.s/app:function", copied_too_far, "outside of the stack")
{
	ASM((
		r3 = *(u64 *)(r1 + 112);
		r1 = r10;
		r1 += -16;
		r2 = 17;
		r4 = 0;
		call %[bpf_copy_from_user_str];
		r0 = 0;
		exit;
	), ADDRESS(bpf_copy_from_user_str));
}

REJECT(rcu_entered_twice, "taken while it is held")
{
	ASM((
		call %[bpf_rcu_read_lock];
		call %[bpf_rcu_read_lock];
		call %[bpf_rcu_read_unlock];
		call %[bpf_rcu_read_unlock];
		r0 = 0;
		exit;
	), RCU);
}
