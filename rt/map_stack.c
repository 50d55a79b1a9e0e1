/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_stackid(): a STACK_TRACE map is a hash map from ids to stacks, so whatever makes a
 * hash map safe against kills, signals and hostile memory holds here, too. An id is the
 * kernel's: jhash2() of the addresses, and as many of its bits as the map has buckets; a bucket
 * has one stack, so two stacks may want one id, and the first has it. Results are
 * kernel/bpf/stackmap.c's.
 */
#include "rt/map_hash.h"
#include "rt/modules.h"
#include "rt/stack.h"

enum { STACK_EFAULT = 14, STACK_ENOMEM = 12 };

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

struct stack {
	const __u64 *ips;	/* with zeros behind the last one, as many as a value has */
	__u32 nr;
	__u32 words;	/* of a value */
	int has_ids;
};

/* Word `word` of a value that is an array of struct bpf_stack_build_id. */
static __u64 id_word(const struct stack *s, __u32 word)
{
	if (word / INLAY_STACK_ID_WORDS >= s->nr)
		return 0;
	if (word % INLAY_STACK_ID_WORDS == 0)
		return INLAY_STACK_ID_STATUS_IP;
	return word % INLAY_STACK_ID_WORDS == 3 ? s->ips[word / INLAY_STACK_ID_WORDS] : 0;
}

/*
 * Two stacks of one hash are taken for the same one with BPF_F_FAST_STACK_CMP; here they are
 * compared.
 */
static bool is_same(const struct stack *s, const __u64 *value)
{
	__u64 differ = 0;

	if (s->has_ids) {
		for (__u32 i = 0; i < s->words; i++)
			differ |= inlay_load(&value[i]) ^ id_word(s, i);
		return !differ;
	}
	for (__u32 i = 0; i < s->nr; i++)
		if (inlay_load(&value[i]) != s->ips[i])
			return false;
	for (__u32 i = s->nr; i < s->words; i++)
		differ |= inlay_load(&value[i]);
	return !differ;
}

/* Out of line: only who stores a stack with build ids needs so much of the thread's. */
static INLAY_NOINLINE __s64 store_ids(const struct inlay_map_desc *desc, __u32 id,
				      const struct stack *s, __u64 flags)
{
	__u64 value[INLAY_STACK_ID_WORDS * INLAY_STACK_MAX_DEPTH];

	for (__u32 i = 0; i < s->words; i++)
		value[i] = id_word(s, i);
	return __inlay_hash_update(desc, &id, value, flags);
}

static __s64 store(const struct inlay_map_desc *desc, __u32 id, const struct stack *s, __u64 flags)
{
	return s->has_ids ? store_ids(desc, id, s, flags) :
			    __inlay_hash_update(desc, &id, s->ips, flags);
}

__s64 __inlay_get_stackid_v1(const struct inlay_map_desc *desc, __u64 flags, __u64 first, __u64 here,
			     __u64 fp)
{
	const __u64 known = INLAY_BPF_F_SKIP_FIELD_MASK | INLAY_BPF_F_USER_STACK |
			    INLAY_BPF_F_FAST_STACK_CMP | INLAY_BPF_F_REUSE_STACKID;
	__u32 skip = (__u32)(flags & INLAY_BPF_F_SKIP_FIELD_MASK), max, nr, id;
	struct inlay_stack_start start = { first, here, fp };
	__u64 ips[INLAY_STACK_MAX_DEPTH];
	struct stack s = { .ips = ips, .words = desc->value_size / 8 };
	const __u64 *old;
	__s64 err;

	if (flags & ~known)
		return -INLAY_EINVAL;
	s.has_ids = !!(desc->map_flags & INLAY_BPF_F_STACK_BUILD_ID);
	max = s.words / (s.has_ids ? INLAY_STACK_ID_WORDS : 1);
	if (!max || max > INLAY_STACK_MAX_DEPTH)
		return -INLAY_EINVAL; /* no map that bpfcc made */
	nr = flags & INLAY_BPF_F_USER_STACK ?
		     __inlay_stack_walk(&start, ips, inlay_stack_depth(max, flags)) :
		     0;
	if (nr <= skip)
		return -STACK_EFAULT;
	s.nr = nr - skip;
	for (__u32 i = 0; i < max; i++)
		ips[i] = i < s.nr ? ips[skip + i] : 0;
	id = hash_of(s.ips, s.nr) & inlay_hash_mask(desc);
	if (!inlay_map_region(desc))
		return -STACK_ENOMEM;
	old = __inlay_hash_lookup(desc, &id);
	if (old && is_same(&s, old))
		return id;
	if (old && !(flags & INLAY_BPF_F_REUSE_STACKID))
		return -INLAY_EEXIST;
	err = store(desc, id, &s, flags & INLAY_BPF_F_REUSE_STACKID ? INLAY_BPF_ANY :
								      INLAY_BPF_NOEXIST);
	if (err == -INLAY_EEXIST) { /* another thread was quicker: with the same stack? */
		old = __inlay_hash_lookup(desc, &id);
		return old && is_same(&s, old) ? (__s64)id : err;
	}
	if (err)
		return -STACK_ENOMEM;
	__inlay_modules_see(s.ips, s.nr);
	return id;
}
