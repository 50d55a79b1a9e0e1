/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How map code touches memory: accessors for shared words, loads of keys, copies and fills.
 *
 * Shared memory is only read and written through the accessors here, a word at a time. They are
 * also why no loop of ours ever becomes a call of memcpy or memset (which may itself be probed):
 * the loop idioms of the compiler take plain accesses only, and every copy and fill here stores
 * with atomics.
 *
 * Like everything in rt/inline: compiled into libinlay and to bitcode for bpfcc, so no libc, no
 * mutable statics, nothing but abi.h.
 */
#ifndef INLAY_RT_INLINE_MAP_ACCESS_H
#define INLAY_RT_INLINE_MAP_ACCESS_H

#include "inlay/abi.h"

#define INLAY_INLINE static inline __attribute__((always_inline))
#define INLAY_NOINLINE __attribute__((noinline))
#define INLAY_LIKELY(x) __builtin_expect(!!(x), 1)
#define INLAY_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Errors and flags of map operations: the kernel's numbers, without its headers. */
enum inlay_map_errno {
	INLAY_EPERM = 1,
	INLAY_ENOENT = 2,
	INLAY_E2BIG = 7,
	INLAY_EAGAIN = 11,
	INLAY_EBUSY = 16,
	INLAY_EEXIST = 17,
	INLAY_EINVAL = 22,
	INLAY_ERANGE = 34,
	INLAY_EOPNOTSUPP = 95,
};

enum inlay_map_update_flags {
	INLAY_BPF_ANY = 0,
	INLAY_BPF_NOEXIST = 1,
	INLAY_BPF_EXIST = 2,
	INLAY_BPF_F_LOCK = 4,
};

/* The order of a shared access; the comment at each use names the access it pairs with. */
#define inlay_load(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define inlay_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define inlay_store(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define inlay_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

typedef __u64 __attribute__((may_alias)) inlay_u64;
typedef __u32 __attribute__((may_alias)) inlay_u32;
typedef __u16 __attribute__((may_alias)) inlay_u16;
typedef __u8 __attribute__((may_alias)) inlay_u8;

/* A program's own memory: any alignment, any type. */
struct inlay_any64 {
	__u64 v;
} __attribute__((packed, may_alias));
struct inlay_any32 {
	__u32 v;
} __attribute__((packed, may_alias));
struct inlay_any16 {
	__u16 v;
} __attribute__((packed, may_alias));

/* The last n (1 to 7) bytes of a key or value, as the low bytes of a word. */
INLAY_INLINE __u64 inlay_any_tail(const void *p, __u32 n)
{
	const char *c = p;
	__u64 w = 0;
	__u32 at = 0;

	if (n & 4) {
		w = ((const struct inlay_any32 *)c)->v;
		at = 4;
	}
	if (n & 2) {
		w |= (__u64)((const struct inlay_any16 *)(c + at))->v << (8 * at);
		at += 2;
	}
	if (n & 1)
		w |= (__u64) * (const inlay_u8 *)(c + at) << (8 * at);
	return w;
}

/* Word i of n bytes; bytes after the end read as zero. i * 8 < n. */
INLAY_INLINE __u64 inlay_any_word(const void *p, __u32 n, __u32 i)
{
	const char *c = (const char *)p + 8ul * i;

	if (n - 8 * i >= 8)
		return ((const struct inlay_any64 *)c)->v;
	return inlay_any_tail(c, n - 8 * i);
}

/*
 * Loops over more than this stay loops: where n is a constant they would be unrolled, in every
 * function that is probed.
 */
#define INLAY_UNROLLED_BYTES 64u
#ifdef __clang__
#define INLAY_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define INLAY_ROLLED
#endif

/* Copies n bytes of a program's memory to shared memory that is aligned to 8 bytes. */
INLAY_INLINE void inlay_copy_in(void *dst, const void *src, __u32 n)
{
	char *d = dst;
	const char *s = src;
	__u32 i;

	if (n > INLAY_UNROLLED_BYTES) {
		INLAY_ROLLED
		for (i = 0; i + 8 <= n; i += 8)
			inlay_store((inlay_u64 *)(d + i), ((const struct inlay_any64 *)(s + i))->v);
	} else {
		for (i = 0; i + 8 <= n; i += 8)
			inlay_store((inlay_u64 *)(d + i), ((const struct inlay_any64 *)(s + i))->v);
	}
	if (n & 4) {
		inlay_store((inlay_u32 *)(d + i), ((const struct inlay_any32 *)(s + i))->v);
		i += 4;
	}
	if (n & 2) {
		inlay_store((inlay_u16 *)(d + i), ((const struct inlay_any16 *)(s + i))->v);
		i += 2;
	}
	if (n & 1)
		inlay_store((inlay_u8 *)(d + i), *(const inlay_u8 *)(s + i));
}

/* The same for a value that has a struct bpf_spin_lock at `lock`, which stays as it is. */
INLAY_INLINE void inlay_copy_around(void *dst, const void *src, __u32 n, __u32 lock)
{
	__u32 word = lock & ~7u, behind = word + 8;
	char *d = dst;
	const char *s = src;

	inlay_copy_in(d, s, word);
	if (lock & 4)
		inlay_copy_in(d + word, s + word, 4);
	else if (n > lock + 4)
		inlay_copy_in(d + lock + 4, s + lock + 4, n < behind ? n - lock - 4 : 4);
	if (n > behind)
		inlay_copy_in(d + behind, s + behind, n - behind);
}

/* Clears shared memory that is aligned to 8 bytes; n is a multiple of 8. */
INLAY_INLINE void inlay_zero(void *dst, __u32 n)
{
	__u32 i;

	if (n > INLAY_UNROLLED_BYTES) {
		INLAY_ROLLED
		for (i = 0; i < n; i += 8)
			inlay_store((inlay_u64 *)((char *)dst + i), 0ull);
	} else {
		for (i = 0; i < n; i += 8)
			inlay_store((inlay_u64 *)((char *)dst + i), 0ull);
	}
}

/*
 * A map's region, or NULL while a huge map has none. The slot is set once its pages are mapped;
 * what is read through the address depends on it, which orders the two.
 */
INLAY_INLINE char *inlay_map_region(const struct inlay_map_desc *desc)
{
	if (desc->flags & INLAY_MAP_HUGE)
		return inlay_load((char **)desc->base);
	return desc->region;
}

/* ---- values with a struct bpf_spin_lock ---- */

extern void __inlay_spin_lock_v1(void *lock);
extern void __inlay_spin_unlock_v1(void *lock);

INLAY_INLINE int inlay_map_has_lock(const struct inlay_map_desc *desc)
{
	return (desc->type == INLAY_MAP_TYPE_ARRAY || desc->type == INLAY_MAP_TYPE_HASH) &&
	       desc->extra;
}

/* A new value around the lock of a live one, with BPF_F_LOCK while holding it. */
INLAY_INLINE void inlay_value_update(const struct inlay_map_desc *desc, char *at, const void *value,
				     __u64 flags)
{
	__u32 lock = desc->extra - 1;

	if (flags & INLAY_BPF_F_LOCK)
		__inlay_spin_lock_v1(at + lock);
	inlay_copy_around(at, value, desc->value_size, lock);
	if (flags & INLAY_BPF_F_LOCK)
		__inlay_spin_unlock_v1(at + lock);
}

#endif /* INLAY_RT_INLINE_MAP_ACCESS_H */
