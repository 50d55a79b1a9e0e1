/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_stack(), and the walk along frame pointers behind it. Results are the kernel's
 * (kernel/bpf/stackmap.c, perf_callchain_user()) for a uprobe program: what the caller's frame
 * pointers lead to, right or wrong, until one cannot be read. Every record is read by the copy
 * that may fault (rt/probe_copy.c), so nothing is asked of the stack; without that, by a system
 * call a record.
 */
#include <errno.h>

#include "rt/build_ids.h"
#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/inline/map_access.h"
#include "rt/probe_copy.h"
#include "rt/stack.h"

/* What a function's frame pointer points to, on x86-64 (with frame pointers) and arm64. */
struct record {
	__u64 next;	/* the caller's frame pointer */
	__u64 ret;	/* the return address */
};

/*
 * Nothing is ever mapped there: chains end in 0 or in small numbers, where the first caller had
 * other uses for its register, and a fault would cost more than the walk.
 */
#define LOWEST 4096ull
#if defined(__aarch64__)
#define HIGHEST ((1ull << 48) - sizeof(struct record))
#else
#define HIGHEST (0x7ffffffff000ull - sizeof(struct record))
#endif

static inline int is_place_of_record(__u64 fp)
{
#if defined(__aarch64__)
	if (fp & 7)
		return 0;
#endif
	return fp - LOWEST <= HIGHEST - LOWEST;
}

/* Whether the caller's record may come next: on arm64 the kernel follows only what lies above. */
static inline int is_caller_of(__u64 next, __u64 fp)
{
#if defined(__aarch64__)
	return next > fp;
#else
	(void)next;
	(void)fp;
	return 1;
#endif
}

/* Without the signature that return addresses may carry on arm64 (XPACLRI, a hint). */
static inline __u64 plain_address(__u64 ret)
{
#if defined(__aarch64__)
	register __u64 lr __asm__("x30") = ret;

	__asm__("hint #7" : "+r"(lr));
	return lr;
#else
	return ret;
#endif
}

__u32 __inlay_stack_walk(const struct inlay_stack_start *start, __u64 *ips, __u32 max)
{
	__u64 fp = start->fp;
	__u32 nr = 0;
	int is_guarded;

	if (start->first && nr < max)
		ips[nr++] = start->first;
	if (start->here && nr < max)
		ips[nr++] = start->here;
	if (nr == max || !is_place_of_record(fp))
		return nr;
	is_guarded = __inlay_read_is_guarded();
	while (nr < max && is_place_of_record(fp)) {
		struct record record;
		long err = is_guarded ? __inlay_copy(&record, fp, sizeof(record)) :
					__inlay_read_by_call(&record, fp, sizeof(record));

		if (err)
			break;
		ips[nr++] = plain_address(record.ret);
		if (!is_caller_of(record.next, fp))
			break;
		fp = record.next;
	}
	return nr;
}

static void put(void *dst, __u32 word, __u64 v)
{
	((struct inlay_any64 *)dst)[word].v = v;
}

static __s64 failed(char *dst, __u32 bytes, __s64 err)
{
	for (__u32 i = 0; i < bytes; i++)
		dst[i] = 0;
	return err;
}

__s64 __inlay_get_stack_v1(void *dst, __u64 bytes, __u64 flags, __u64 first, __u64 here, __u64 fp)
{
	const __u64 known = INLAY_BPF_F_SKIP_FIELD_MASK | INLAY_BPF_F_USER_STACK |
			    INLAY_BPF_F_USER_BUILD_ID;
	__u32 size = (__u32)bytes, skip = (__u32)(flags & INLAY_BPF_F_SKIP_FIELD_MASK), nr, words;
	struct inlay_stack_start start = { first, here, fp };
	__u64 ips[INLAY_STACK_MAX_DEPTH];
	int has_ids = !!(flags & INLAY_BPF_F_USER_BUILD_ID);
	struct inlay_build_ids ids = { .has_looked = false };

	words = has_ids ? INLAY_STACK_ID_WORDS : 1;
	if ((flags & ~known) || size % (8 * words) || (has_ids && !(flags & INLAY_BPF_F_USER_STACK)))
		return failed(dst, size, -EINVAL);
	/* a process has no kernel stack: as where the kernel finds nothing of its own to show */
	nr = flags & INLAY_BPF_F_USER_STACK ?
		     __inlay_stack_walk(&start, ips, inlay_stack_depth(size / (8 * words), flags)) :
		     0;
	if (nr < skip)
		return failed(dst, size, -EFAULT);
	nr -= skip;
	for (__u32 i = 0; i < nr; i++) {
		__u64 id[INLAY_STACK_ID_WORDS];

		if (!has_ids) {
			put(dst, i, ips[skip + i]);
			continue;
		}
		__inlay_build_id(&ids, ips[skip + i], id);
		for (__u32 k = 0; k < INLAY_STACK_ID_WORDS; k++)
			put(dst, INLAY_STACK_ID_WORDS * i + k, id[k]);
	}
	failed((char *)dst + 8ul * words * nr, size - 8 * words * nr, 0);
	return 8 * (__s64)words * nr;
}
