/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_stackid(): a STACK_TRACE map is a hash map from ids to stacks, so whatever makes a
 * hash map safe against kills, signals and hostile memory holds here, too. An id is the
 * kernel's: jhash2() of the addresses, and as many of its bits as the map has buckets; a bucket
 * has one stack, so two stacks may want one id, and the first has it. Results are
 * kernel/bpf/stackmap.c's.
 */
#include "rt/build_ids.h"
#include "rt/map_hash.h"
#include "rt/modules.h"
#include "rt/stack.h"

enum { STACK_EFAULT = 14, STACK_ENOMEM = 12 };
#define STACK_IS_NEW (1ll << 32) /* ids have 32 bits */

static inline __u32 rotate(__u32 x, __u32 by)
{
	return x << by | x >> (32 - by);
}

/* Bob Jenkins' lookup3 (2006, public domain), hashword() of the low and high halves. */
static __u32 hash_of(const __u64 *ips, __u32 nr)
{
	__u32 a = 0xdeadbeefu + 8 * nr, b = a, c = a, left = 2 * nr, at = 0;
	__u32 k[3] = { 0, 0, 0 };

	for (; left > 3; left -= 3) {
		for (__u32 i = 0; i < 3; i++, at++)
			k[i] = (__u32)(ips[at / 2] >> at % 2 * 32);
		a += k[0];
		b += k[1];
		c += k[2];
		a = (a - c) ^ rotate(c, 4);
		c += b;
		b = (b - a) ^ rotate(a, 6);
		a += c;
		c = (c - b) ^ rotate(b, 8);
		b += a;
		a = (a - c) ^ rotate(c, 16);
		c += b;
		b = (b - a) ^ rotate(a, 19);
		a += c;
		c = (c - b) ^ rotate(b, 4);
		b += a;
	}
	if (!left)
		return c;
	for (__u32 i = 0; i < 3; i++, at++)
		k[i] = i < left ? (__u32)(ips[at / 2] >> at % 2 * 32) : 0;
	a += k[0];
	b += k[1];
	c += k[2];
	c = (c ^ b) - rotate(b, 14);
	a = (a ^ c) - rotate(c, 11);
	b = (b ^ a) - rotate(a, 25);
	c = (c ^ b) - rotate(b, 16);
	a = (a ^ c) - rotate(c, 4);
	b = (b ^ a) - rotate(a, 14);
	return (c ^ b) - rotate(b, 24);
}

/*
 * Two stacks of one hash are taken for the same one with BPF_F_FAST_STACK_CMP; here they are
 * compared.
 */
static bool is_same(const __u64 *old, const __u64 *value, __u32 words)
{
	__u64 differ = 0;

	for (__u32 i = 0; i < words; i++)
		differ |= inlay_load(&old[i]) ^ value[i];
	return !differ;
}

/* A value of the map, with zeros behind the last address. */
static __s64 put(const struct inlay_map_desc *desc, __u32 id, const __u64 *value, __u64 flags)
{
	bool may_replace = flags & INLAY_BPF_F_REUSE_STACKID;
	__u32 words = desc->value_size / 8;
	const __u64 *old;
	__s64 err;

	old = __inlay_hash_lookup(desc, &id);
	if (old && is_same(old, value, words))
		return id;
	if (old && !may_replace)
		return -INLAY_EEXIST;
	err = __inlay_hash_update(desc, &id, value, may_replace ? INLAY_BPF_ANY : INLAY_BPF_NOEXIST);
	if (err == -INLAY_EEXIST) { /* another thread was quicker: with the same stack? */
		old = __inlay_hash_lookup(desc, &id);
		return old && is_same(old, value, words) ? (__s64)id : err;
	}
	return err ? -STACK_ENOMEM : STACK_IS_NEW;
}

/* Out of line: only maps with build ids need so much of the thread's stack. */
static INLAY_NOINLINE __s64 put_ids(const struct inlay_map_desc *desc, __u32 id, const __u64 *ips,
				    __u32 nr, __u64 flags)
{
	__u64 value[INLAY_STACK_ID_WORDS * INLAY_STACK_MAX_DEPTH];
	struct inlay_build_ids ids = { .has_looked = false };

	for (__u32 i = 0; i < nr; i++)
		__inlay_build_id(&ids, ips[i], &value[INLAY_STACK_ID_WORDS * i]);
	for (__u32 i = INLAY_STACK_ID_WORDS * nr; i < desc->value_size / 8; i++)
		value[i] = 0;
	return put(desc, id, value, flags);
}

__s64 __inlay_get_stackid_v1(const struct inlay_map_desc *desc, __u64 flags, __u64 first, __u64 here,
			     __u64 fp)
{
	const __u64 known = INLAY_BPF_F_SKIP_FIELD_MASK | INLAY_BPF_F_USER_STACK |
			    INLAY_BPF_F_FAST_STACK_CMP | INLAY_BPF_F_REUSE_STACKID;
	__u32 skip = (__u32)(flags & INLAY_BPF_F_SKIP_FIELD_MASK), max, nr, id;
	bool has_ids = desc->map_flags & INLAY_BPF_F_STACK_BUILD_ID;
	struct inlay_stack_start start = { first, here, fp };
	__u64 ips[INLAY_STACK_MAX_DEPTH];
	__s64 ret;

	if (flags & ~known)
		return -INLAY_EINVAL;
	max = desc->value_size / 8 / (has_ids ? INLAY_STACK_ID_WORDS : 1);
	if (!max || max > INLAY_STACK_MAX_DEPTH)
		return -INLAY_EINVAL; /* no map that bpfcc made */
	nr = flags & INLAY_BPF_F_USER_STACK ?
		     __inlay_stack_walk(&start, ips, inlay_stack_depth(max, flags)) :
		     0;
	if (nr <= skip)
		return -STACK_EFAULT;
	nr -= skip;
	for (__u32 i = 0; i < max; i++)
		ips[i] = i < nr ? ips[skip + i] : 0;
	id = hash_of(ips, nr) & inlay_hash_mask(desc);
	if (!inlay_map_region(desc))
		return -STACK_ENOMEM;
	ret = has_ids ? put_ids(desc, id, ips, nr, flags) : put(desc, id, ips, flags);
	if (ret != STACK_IS_NEW)
		return ret;
	__inlay_modules_see(ips, nr);
	return id;
}
