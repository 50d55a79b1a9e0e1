/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's string functions for programs (kernel/bpf/helpers.c): bpf_strcmp(), bpf_strlen() and their
 * like, on addresses that may be bad. Their results are the kernel's: -E2BIG where 65,536 bytes do not
 * settle it, -EFAULT or -ERANGE where an address cannot be read.
 */
#include <errno.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/probe_copy.h"

#define MAX_BYTES 65536 /* the kernel's XATTR_SIZE_MAX */
#define BLOCK_BYTES 64u /* divides a page: what is read with a wanted byte can be read as well */

/* A string, of which the block with the last byte that was asked for is here. */
struct text {
	__u64 address, block;
	int is_guarded, is_loaded;
	unsigned char data[BLOCK_BYTES];
};

static struct text text_at(__u64 address)
{
	return (struct text){ .address = address, .is_guarded = __inlay_read_is_guarded() };
}

static __attribute__((noinline)) int load(struct text *t, __u64 block)
{
	long err = t->is_guarded ? __inlay_copy(t->data, block, BLOCK_BYTES)
				 : __inlay_read_by_call(t->data, block, BLOCK_BYTES);

	t->is_loaded = err >= 0;
	t->block = block;
	return err < 0 ? __inlay_kernel_read_error(block) : 0;
}

/* Byte i, or an error, below 0. */
static inline int byte_of(struct text *t, __u32 i)
{
	__u64 address = t->address + i, block = address & ~(__u64)(BLOCK_BYTES - 1);
	int err;

	if (__builtin_expect(!t->is_loaded || t->block != block, 0)) {
		err = load(t, block);
		if (err)
			return err;
	}
	return t->data[address & (BLOCK_BYTES - 1)];
}

static int lower(int c)
{
	int is_upper = (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);

	return is_upper ? c + 'a' - 'A' : c; /* Latin 1, as in the kernel */
}

static __s64 compare(__u64 s1, __u64 s2, int ignores_case)
{
	struct text a = text_at(s1), b = text_at(s2);

	for (__u32 i = 0; i < MAX_BYTES; i++) {
		int c1 = byte_of(&a, i), c2 = c1 < 0 ? 0 : byte_of(&b, i);

		if (c1 < 0 || c2 < 0)
			return c1 < 0 ? c1 : c2;
		if (ignores_case) {
			c1 = lower(c1);
			c2 = lower(c2);
		}
		if (c1 != c2)
			return c1 < c2 ? -1 : 1;
		if (!c1)
			return 0;
	}
	return -E2BIG;
}

__s64 __inlay_bpf_strcmp_v1(__u64 s1, __u64 s2)
{
	return compare(s1, s2, 0);
}

__s64 __inlay_bpf_strcasecmp_v1(__u64 s1, __u64 s2)
{
	return compare(s1, s2, 1);
}

__s64 __inlay_bpf_strnchr_v1(__u64 s, __u64 count, __u64 wanted)
{
	struct text t = text_at(s);
	__u32 i;

	for (i = 0; i < count && i < MAX_BYTES; i++) {
		int c = byte_of(&t, i);

		if (c < 0)
			return c;
		if (c == (unsigned char)wanted)
			return i;
		if (!c)
			return -ENOENT;
	}
	return i == MAX_BYTES ? -E2BIG : -ENOENT;
}

__s64 __inlay_bpf_strchr_v1(__u64 s, __u64 wanted)
{
	return __inlay_bpf_strnchr_v1(s, MAX_BYTES, wanted);
}

__s64 __inlay_bpf_strchrnul_v1(__u64 s, __u64 wanted)
{
	struct text t = text_at(s);

	for (__u32 i = 0; i < MAX_BYTES; i++) {
		int c = byte_of(&t, i);

		if (c <= 0 || c == (unsigned char)wanted)
			return c < 0 ? c : (__s64)i;
	}
	return -E2BIG;
}

__s64 __inlay_bpf_strrchr_v1(__u64 s, __u64 wanted)
{
	struct text t = text_at(s);
	__s64 last = -ENOENT;

	for (__u32 i = 0; i < MAX_BYTES; i++) {
		int c = byte_of(&t, i);

		if (c < 0)
			return c;
		/* all of it, where strchr() takes the low byte */
		if (c == (__s32)wanted)
			last = i;
		if (!c)
			return last;
	}
	return -E2BIG;
}

__s64 __inlay_bpf_strnlen_v1(__u64 s, __u64 count)
{
	struct text t = text_at(s);
	__u32 i;

	for (i = 0; i < count && i < MAX_BYTES; i++) {
		int c = byte_of(&t, i);

		if (c <= 0)
			return c < 0 ? c : (__s64)i;
	}
	return i == MAX_BYTES ? -E2BIG : (__s64)i;
}

__s64 __inlay_bpf_strlen_v1(__u64 s)
{
	return __inlay_bpf_strnlen_v1(s, MAX_BYTES);
}

/* How far s has only bytes of `set`, or (is_without) none of them. */
static __s64 span(__u64 s, __u64 set, int is_without)
{
	struct text t = text_at(s), of = text_at(set);

	for (__u32 i = 0; i < MAX_BYTES; i++) {
		int c = byte_of(&t, i), one = 0;
		__u32 k;

		if (c <= 0)
			return c < 0 ? c : (__s64)i;
		for (k = 0; k < MAX_BYTES; k++) {
			one = byte_of(&of, k);
			if (one < 0)
				return one;
			if (one == c || !one)
				break;
		}
		if (k == MAX_BYTES)
			return -E2BIG;
		if ((one == 0) != is_without)
			return i;
	}
	return -E2BIG;
}

__s64 __inlay_bpf_strspn_v1(__u64 s, __u64 accept)
{
	return span(s, accept, 0);
}

__s64 __inlay_bpf_strcspn_v1(__u64 s, __u64 reject)
{
	return span(s, reject, 1);
}

__s64 __inlay_bpf_strnstr_v1(__u64 s, __u64 wanted, __u64 count)
{
	struct text t = text_at(s), w = text_at(wanted);

	for (__u32 i = 0; i < MAX_BYTES; i++) {
		__u32 k;

		/* one byte more of what is wanted: it may end where the string does */
		for (k = 0; i + k <= count && k < MAX_BYTES; k++) {
			int want = byte_of(&w, k), c;

			if (want <= 0)
				return want < 0 ? want : (__s64)i;
			if (i + k == count)
				break;
			c = byte_of(&t, i + k);
			if (c <= 0)
				return c < 0 ? c : -ENOENT;
			if (c != want)
				break;
		}
		if (k == MAX_BYTES)
			return -E2BIG;
		if (i + k == count)
			return -ENOENT;
	}
	return -E2BIG;
}

__s64 __inlay_bpf_strstr_v1(__u64 s, __u64 wanted)
{
	return __inlay_bpf_strnstr_v1(s, wanted, MAX_BYTES);
}
