/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel does with iterators over numbers: the range that the context gives. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "iter_kernel.h"

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

SEC("syscall")
int iter_range(struct iter_call *call)
{
	struct bpf_iter_num it;
	int *item;

	call->err = bpf_iter_num_new(&it, call->start, call->end);
	while ((item = bpf_iter_num_next(&it))) {
		call->hash = call->hash * 31 + *item;
		call->last = *item;
		call->nr++;
		if (call->nr == call->most)
			break;
	}
	call->is_at_end = !bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
