/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs: 16 bytes of a program's stack that say where memory is and how much of it. The verifier
 * lets nobody but the helpers look into them, so what stands there is believed.
 *
 * The helpers bpf_dynptr_from_mem(), _read(), _write() and _data(), and the kernel functions for dynptrs;
 * those that make one of a ring buffer's record use inlay_dynptr_set(). Offsets and lengths are 32 bits, as in kernels up to 6.18: what is above is
 * cut off, not refused.
 */
#ifndef INLAY_RT_INLINE_DYNPTR_H
#define INLAY_RT_INLINE_DYNPTR_H

#include "inlay/abi.h"
#include "rt/inline/map_access.h"

/* A struct bpf_dynptr. */
struct inlay_dynptr {
	char *data;	/* NULL: could not be made. All helpers answer for it */
	__u32 bytes;	/* from `offset` on */
	__u32 offset : 24; /* in the memory at data: bpf_dynptr_adjust() moves it */
	__u32 flags : 8; /* enum inlay_dynptr_flags */
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
	ptr->offset = 0;
	ptr->flags = flags & 0xff;
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

INLAY_INLINE char *inlay_dynptr_at(const struct inlay_dynptr *ptr, __u32 offset)
{
	return ptr->data + ptr->offset + offset;
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
	inlay_dynptr_move(dst, inlay_dynptr_at(ptr, (__u32)offset), (__u32)bytes);
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
	inlay_dynptr_move(inlay_dynptr_at(ptr, (__u32)offset), src, (__u32)bytes);
	return 0;
}

/* A slice to work on directly; NULL: not that much, or not to be written. */
INLAY_INLINE void *__inlay_dynptr_data(const void *dynptr, __u64 offset, __u64 bytes)
{
	const struct inlay_dynptr *ptr = dynptr;

	if (!ptr->data || ptr->flags & INLAY_DYNPTR_RDONLY ||
	    !inlay_dynptr_has(ptr, (__u32)offset, (__u32)bytes))
		return 0;
	return inlay_dynptr_at(ptr, (__u32)offset);
}

/* ---- kernel functions ---- */

INLAY_INLINE __u64 __inlay_bpf_dynptr_is_null(const void *dynptr)
{
	return !((const struct inlay_dynptr *)dynptr)->data;
}

INLAY_INLINE __u64 __inlay_bpf_dynptr_is_rdonly(const void *dynptr)
{
	const struct inlay_dynptr *ptr = dynptr;

	return ptr->data && ptr->flags & INLAY_DYNPTR_RDONLY;
}

INLAY_INLINE __s64 __inlay_bpf_dynptr_size(const void *dynptr)
{
	const struct inlay_dynptr *ptr = dynptr;

	/* 32 bits, unsigned: an error is a large number */
	return ptr->data ? (__s64)ptr->bytes : (__s64)(__u32)-INLAY_EINVAL;
}

INLAY_INLINE __s64 __inlay_bpf_dynptr_adjust(void *dynptr, __u64 start, __u64 end)
{
	struct inlay_dynptr *ptr = dynptr;
	__u32 from = (__u32)start, to = (__u32)end;

	if (!ptr->data || from > to)
		return -INLAY_EINVAL;
	if (to > ptr->bytes)
		return -INLAY_ERANGE;
	ptr->offset = (ptr->offset + from) & INLAY_DYNPTR_MAX_BYTES;
	ptr->bytes = to - from;
	return 0;
}

INLAY_INLINE __s64 __inlay_bpf_dynptr_clone(const void *dynptr, void *clone)
{
	const struct inlay_dynptr *ptr = dynptr;
	const struct inlay_dynptr copy = *ptr;

	if (!copy.data) {
		inlay_dynptr_set_null(clone);
		return -INLAY_EINVAL;
	}
	*(struct inlay_dynptr *)clone = copy;
	return 0;
}

/* All memory here is in one piece: the buffer is for what is not. */
INLAY_INLINE void *__inlay_bpf_dynptr_slice(const void *dynptr, __u64 offset, void *buffer,
					    __u64 bytes)
{
	const struct inlay_dynptr *ptr = dynptr;

	(void)buffer;
	if (!ptr->data || !inlay_dynptr_has(ptr, (__u32)offset, (__u32)bytes))
		return 0;
	return inlay_dynptr_at(ptr, (__u32)offset);
}

INLAY_INLINE void *__inlay_bpf_dynptr_slice_rdwr(const void *dynptr, __u64 offset, void *buffer,
						 __u64 bytes)
{
	(void)buffer;
	return __inlay_dynptr_data(dynptr, offset, bytes);
}

INLAY_INLINE __s64 __inlay_bpf_dynptr_copy(const void *dst, __u64 dst_offset, const void *src,
					   __u64 src_offset, __u64 bytes)
{
	const struct inlay_dynptr *to = dst, *from = src;
	__u32 size = (__u32)bytes;
	int has_to = inlay_dynptr_has(to, (__u32)dst_offset, size);
	int has_from = inlay_dynptr_has(from, (__u32)src_offset, size);
	int can_write = to->data && !(to->flags & INLAY_DYNPTR_RDONLY);

	if (from->data && has_from && can_write && has_to) {
		inlay_dynptr_move(inlay_dynptr_at(to, (__u32)dst_offset),
				  inlay_dynptr_at(from, (__u32)src_offset), size);
		return 0;
	}
	/* the kernel says what is wrong with the one, or, if it is both, of their bounds first */
	if (from->data && has_from)
		return can_write ? -INLAY_E2BIG : -INLAY_EINVAL;
	if (can_write && has_to)
		return from->data ? -INLAY_E2BIG : -INLAY_EINVAL;
	if (!has_to || !has_from)
		return -INLAY_E2BIG;
	return size ? -INLAY_EINVAL : 0;
}

INLAY_INLINE __s64 __inlay_bpf_dynptr_memset(const void *dynptr, __u64 offset, __u64 bytes,
					     __u64 value)
{
	const struct inlay_dynptr *ptr = dynptr;
	volatile inlay_u8 *p;
	__u32 size = (__u32)bytes;

	if (ptr->flags & INLAY_DYNPTR_RDONLY)
		return -INLAY_EINVAL;
	if (!inlay_dynptr_has(ptr, (__u32)offset, size))
		return -INLAY_E2BIG;
	if (!ptr->data)
		return 0; /* of no bytes */
	p = (volatile inlay_u8 *)inlay_dynptr_at(ptr, (__u32)offset);
	for (; size; size--)
		*p++ = (inlay_u8)value;
	return 0;
}

#endif /* INLAY_RT_INLINE_DYNPTR_H */
