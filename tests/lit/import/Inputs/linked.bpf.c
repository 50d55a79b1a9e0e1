/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts in every kind of memory, for links.test. STEP makes two versions of one object. */
#include "probe.h"

#ifndef STEP
#define STEP 1
#endif

__u64 total;
__u64 start = 40;
MAP(counts, BPF_MAP_TYPE_ARRAY, 64, __u32, __u64);
MAP(by_key, BPF_MAP_TYPE_HASH, 64, __u64, __u64);
MAP(per_thread, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, __u64);

static __attribute__((noinline)) int add(void *map, __u32 key)
{
	__u64 *v = bpf_map_lookup_elem(&counts, &key);

	if (!v)
		return -1;
	*v += STEP;
	return 0;
}

/* 1000 * what by_key has for the argument + this thread's count */
SEC("uprobe/f") int hit(struct pt_regs *ctx)
{
	__u64 key = ctx->di, one = 1, *v;
	__u32 zero = 0;

	total += STEP;
	start += 1;
	add(&counts, key & 63);
	v = bpf_map_lookup_elem(&by_key, &key);
	if (v)
		*v += STEP;
	else
		bpf_map_update_elem(&by_key, &key, &one, BPF_NOEXIST);
	v = bpf_map_lookup_elem(&by_key, &key);
	key = v ? *v : 0;
	v = bpf_map_lookup_elem(&per_thread, &zero);
	if (!v)
		return -1;
	*v += STEP;
	return 1000 * key + *v;
}
