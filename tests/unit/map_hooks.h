/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler calls for atomics under -fsanitize=thread, for code that is compiled so and
 * linked with a test instead of with ThreadSanitizer: does the access, and tells the test before it and
 * what it has read. Every order is made the strongest: such tests interleave whole accesses, they do not
 * look for missing barriers.
 */
#ifndef INLAY_TEST_MAP_HOOKS_H
#define INLAY_TEST_MAP_HOOKS_H

#include <linux/types.h>

/* The test's. */
void hook_before(const volatile void *p);
void hook_saw(__u64 value);
/* A test may keep stores back, as processors do: before a locked instruction, and a store; true: it is
 * the test that makes it, later. */
#ifdef HOOK_KEEPS_STORES
void hook_locking(void);
int hook_keeps(volatile void *p, __u64 value, int bytes);
#else
#define hook_locking() ((void)0)
#define hook_keeps(p, value, bytes) 0
#endif

#define HOOK_RMW(bits, type, name, call)                                                         \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int order);                  \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int order)                   \
	{                                                                                        \
		(void)order;                                                                     \
		hook_before(p);                                                                  \
		hook_locking();                                                                  \
		v = call(p, v, __ATOMIC_SEQ_CST);                                                \
		hook_saw(v);                                                                     \
		return v;                                                                        \
	}

#define HOOK_ACCESS(bits, type)                                                                  \
	type __tsan_atomic##bits##_load(const volatile type *p, int order);                      \
	type __tsan_atomic##bits##_load(const volatile type *p, int order)                       \
	{                                                                                        \
		type v;                                                                          \
                                                                                                 \
		(void)order;                                                                     \
		hook_before(p);                                                                  \
		v = __atomic_load_n(p, __ATOMIC_SEQ_CST);                                        \
		hook_saw(v);                                                                     \
		return v;                                                                        \
	}                                                                                        \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order);                   \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order)                    \
	{                                                                                        \
		(void)order;                                                                     \
		hook_before(p);                                                                  \
		if (!hook_keeps(p, v, sizeof(v)))                                                \
			__atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                \
	}                                                                                        \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type old, type new,    \
							int order, int fail_order);              \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type old, type new,    \
							int order, int fail_order)               \
	{                                                                                        \
		(void)order;                                                                     \
		(void)fail_order;                                                                \
		hook_before(p);                                                                  \
		hook_locking();                                                                  \
		__atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		hook_saw(old);                                                                   \
		return old;                                                                      \
	}                                                                                        \
	HOOK_RMW(bits, type, exchange, __atomic_exchange_n)                                      \
	HOOK_RMW(bits, type, fetch_add, __atomic_fetch_add)                                      \
	HOOK_RMW(bits, type, fetch_sub, __atomic_fetch_sub)                                      \
	HOOK_RMW(bits, type, fetch_or, __atomic_fetch_or)                                        \
	HOOK_RMW(bits, type, fetch_and, __atomic_fetch_and)
HOOK_ACCESS(8, __u8)
HOOK_ACCESS(16, __u16)
HOOK_ACCESS(32, __u32)
HOOK_ACCESS(64, __u64)

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	(void)order;
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
	(void)order;
}

#endif /* INLAY_TEST_MAP_HOOKS_H */
