/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel does with dynptrs of memory: operations that the context lists, on one map value. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "dynptr_kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dynptr_memory);
} memory SEC(".maps");

static __always_inline __s64 step(struct dynptr_op *op, struct bpf_dynptr *ptr,
				  struct dynptr_memory *m)
{
	__u32 at = op->at & (DYNPTR_BUFFER - 1), bytes = op->bytes & DYNPTR_BUFFER_BYTES_MASK;
	unsigned char *slice;

	switch (op->kind) {
	case DYNPTR_OP_READ:
		return bpf_dynptr_read(&m->all[at], bytes, ptr, op->offset, op->flags);
	case DYNPTR_OP_WRITE:
		return bpf_dynptr_write(ptr, op->offset, &m->all[at], bytes, op->flags);
	case DYNPTR_OP_DATA:
		slice = bpf_dynptr_data(ptr, op->offset, DYNPTR_SLICE);
		if (!slice)
			return 0;
		slice[0] ^= 0x5a;
		slice[DYNPTR_SLICE - 1] += 7;
		return 1;
	default:
		return 0;
	}
}

SEC("syscall")
int dynptr_ops(struct dynptr_call *call)
{
	struct dynptr_memory *m;
	struct bpf_dynptr ptr;
	__u32 zero = 0;

	m = bpf_map_lookup_elem(&memory, &zero);
	if (!m)
		return 1;
	call->ret = bpf_dynptr_from_mem(&m->all[call->at & (DYNPTR_BUFFER - 1)],
					call->bytes & DYNPTR_BUFFER_BYTES_MASK, call->flags, &ptr);
#pragma clang loop unroll(full)
	for (int i = 0; i < DYNPTR_OPS; i++)
		call->ops[i].ret = step(&call->ops[i], &ptr, m);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
