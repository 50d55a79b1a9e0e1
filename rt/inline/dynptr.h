/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs: 16 bytes of a program's stack that say where memory is and how much of it. The verifier
 * lets nobody but the helpers look into them, so what stands there is believed.
 *
 * bpf_dynptr_from_mem(), _read(), _write() and _data(); those that make one of a ring buffer's record
 * use inlay_dynptr_set(). Offsets and lengths are 32 bits, as in kernels up to 6.18: what is above is
 * cut off, not refused.
 */
#ifndef INLAY_RT_INLINE_DYNPTR_H
#define INLAY_RT_INLINE_DYNPTR_H

#include "inlay/abi.h"
#include "rt/inline/map_access.h"

/* A struct bpf_dynptr. */
struct inlay_dynptr {
	char *data;	/* NULL: could not be made. All helpers answer for it */
	__u32 bytes;
	__u32 flags;	/* enum inlay_dynptr_flags */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_dynptr) == 16, "inlay_dynptr is a struct bpf_dynptr");

enum inlay_dynptr_flags {
	INLAY_DYNPTR_RDONLY = 1u << 0,
};

#define INLAY_DYNPTR_MAX_BYTES ((1u << 24) - 1) /* the kernel's DYNPTR_MAX_SIZE */

INLAY_INLINE void inlay_dynptr_set(struct inlay_dynptr *ptr, void *data, __u32 bytes, __u32 flags)
{
	ptr->data = data;
	ptr->bytes = bytes;
	ptr->flags = flags;
}

INLAY_INLINE void inlay_dynptr_set_null(struct inlay_dynptr *ptr)
{
	inlay_dynptr_set(ptr, 0, 0, 0);
}

/*
 * memmove(). Either side may be shared memory that changes meanwhile. Volatile: as a loop of plain
 * accesses it would be made a call of memmove, which may itself be probed.
 */
INLAY_INLINE void inlay_dynptr_move(void *dst, const void *src, __u32 n)
{
	char *d = dst;
	const char *s = src;

	if ((__u64)d - (__u64)s >= n) { /* before the source, or behind it */
		for (; n >= 8; n -= 8, d += 8, s += 8)
			((volatile struct inlay_any64 *)d)->v =
				((const volatile struct inlay_any64 *)s)->v;
		for (; n; n--, d++, s++)
			*(volatile inlay_u8 *)d = *(const volatile inlay_u8 *)s;
		return;
	}
	for (; n >= 8; n -= 8)
		((volatile struct inlay_any64 *)(d + n - 8))->v =
			((const volatile struct inlay_any64 *)(s + n - 8))->v;
	for (; n; n--)
		*(volatile inlay_u8 *)(d + n - 1) = *(const volatile inlay_u8 *)(s + n - 1);
}

INLAY_INLINE int inlay_dynptr_has(const struct inlay_dynptr *ptr, __u32 offset, __u32 bytes)
{
	return bytes <= ptr->bytes && offset <= ptr->bytes - bytes;
}

/* Memory of a map's value: the verifier has seen to that, and to its size. */
INLAY_INLINE __s64 __inlay_dynptr_from_mem(void *data, __u64 bytes, __u64 flags, void *ptr)
{
	if (bytes > INLAY_DYNPTR_MAX_BYTES || flags) {
		inlay_dynptr_set_null(ptr);
		return bytes > INLAY_DYNPTR_MAX_BYTES ? -INLAY_E2BIG : -INLAY_EINVAL;
	}
	inlay_dynptr_set(ptr, data, (__u32)bytes, 0);
	return 0;
}

INLAY_INLINE __s64 __inlay_dynptr_read(void *dst, __u64 bytes, const void *dynptr, __u64 offset,
				       __u64 flags)
{
	const struct inlay_dynptr *ptr = dynptr;

	if (!ptr->data || flags)
		return -INLAY_EINVAL;
	if (!inlay_dynptr_has(ptr, (__u32)offset, (__u32)bytes))
		return -INLAY_E2BIG;
	inlay_dynptr_move(dst, ptr->data + (__u32)offset, (__u32)bytes);
	return 0;
}

INLAY_INLINE __s64 __inlay_dynptr_write(const void *dynptr, __u64 offset, const void *src,
					__u64 bytes, __u64 flags)
{
	const struct inlay_dynptr *ptr = dynptr;

	if (!ptr->data || ptr->flags & INLAY_DYNPTR_RDONLY)
		return -INLAY_EINVAL;
	if (!inlay_dynptr_has(ptr, (__u32)offset, (__u32)bytes))
		return -INLAY_E2BIG;
	if (flags)
		return -INLAY_EINVAL;
	inlay_dynptr_move(ptr->data + (__u32)offset, src, (__u32)bytes);
	return 0;
}

/* A slice to work on directly; NULL: not that much, or not to be written. */
INLAY_INLINE void *__inlay_dynptr_data(const void *dynptr, __u64 offset, __u64 bytes)
{
	const struct inlay_dynptr *ptr = dynptr;

	if (!ptr->data || ptr->flags & INLAY_DYNPTR_RDONLY ||
	    !inlay_dynptr_has(ptr, (__u32)offset, (__u32)bytes))
		return 0;
	return ptr->data + (__u32)offset;
}

#endif /* INLAY_RT_INLINE_DYNPTR_H */
