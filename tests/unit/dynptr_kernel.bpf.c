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

extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end) __ksym;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *p) __ksym;
extern _Bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *p) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer,
			      __u32 bytes) __ksym;
extern int bpf_dynptr_copy(struct bpf_dynptr *dst, __u32 dst_off, struct bpf_dynptr *src,
			   __u32 src_off, __u32 bytes) __ksym;
extern int bpf_dynptr_memset(struct bpf_dynptr *p, __u32 offset, __u32 bytes, __u8 value) __ksym;

/* In turns on the dynptr, a clone of it and another. */
static __always_inline __s64 kfunc_step(struct dynptr_op *op, struct bpf_dynptr *ptr,
					struct bpf_dynptr *other)
{
	struct bpf_dynptr clone;
	unsigned char *slice;
	__s64 ret;

	switch (op->kind) {
	case DYNPTR_OP_ADJUST:
		return bpf_dynptr_adjust(ptr, (__u32)op->offset, op->bytes);
	case DYNPTR_OP_SIZE:
		return bpf_dynptr_size(ptr);
	case DYNPTR_OP_IS_NULL:
		return bpf_dynptr_is_null(ptr);
	case DYNPTR_OP_IS_RDONLY:
		return bpf_dynptr_is_rdonly(ptr);
	case DYNPTR_OP_CLONE:
		ret = bpf_dynptr_clone(ptr, &clone);
		bpf_dynptr_adjust(&clone, (__u32)op->offset, op->bytes);
		return ret * 1000 + bpf_dynptr_size(&clone);
	case DYNPTR_OP_SLICE:
		slice = bpf_dynptr_slice(ptr, (__u32)op->offset, 0, DYNPTR_SLICE);
		return slice ? slice[0] * 256 + slice[DYNPTR_SLICE - 1] : -1;
	case DYNPTR_OP_COPY:
		return bpf_dynptr_copy(ptr, (__u32)op->offset, other, op->at, op->bytes);
	case DYNPTR_OP_COPY_BACK:
		return bpf_dynptr_copy(other, op->at, ptr, (__u32)op->offset, op->bytes);
	case DYNPTR_OP_MEMSET:
		return bpf_dynptr_memset(ptr, (__u32)op->offset, op->bytes, op->at);
	default:
		return 0;
	}
}

static __always_inline __s64 step(struct dynptr_op *op, struct bpf_dynptr *ptr,
				  struct bpf_dynptr *other, struct dynptr_memory *m)
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
		return kfunc_step(op, ptr, other);
	}
}

SEC("syscall")
int dynptr_ops(struct dynptr_call *call)
{
	struct dynptr_memory *m;
	struct bpf_dynptr ptr, other;
	__u32 zero = 0;

	m = bpf_map_lookup_elem(&memory, &zero);
	if (!m)
		return 1;
	call->ret = bpf_dynptr_from_mem(&m->all[call->at & (DYNPTR_BUFFER - 1)],
					call->bytes & DYNPTR_BUFFER_BYTES_MASK, call->flags, &ptr);
	bpf_dynptr_from_mem(&m->all[call->other_at & (DYNPTR_BUFFER - 1)],
			    call->other_bytes & DYNPTR_BUFFER_BYTES_MASK, 0, &other);
#pragma clang loop unroll(full)
	for (int i = 0; i < DYNPTR_OPS; i++)
		call->ops[i].ret = step(&call->ops[i], &ptr, &other, m);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
