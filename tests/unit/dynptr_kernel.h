/* SPDX-License-Identifier: BSD-2-Clause */
/* What test_dynptr.c asks of the program in dynptr_kernel.bpf.c. */
#ifndef INLAY_TESTS_DYNPTR_KERNEL_H
#define INLAY_TESTS_DYNPTR_KERNEL_H

#define DYNPTR_BUFFER 64		/* first bytes that a buffer or a dynptr may start at */
#define DYNPTR_BUFFER_BYTES_MASK 127	/* and how long it may be */
#define DYNPTR_SLICE 16
#define DYNPTR_OPS 6

enum dynptr_op_kind {
	DYNPTR_OP_READ, DYNPTR_OP_WRITE, DYNPTR_OP_DATA,
	/* kernel functions */
	DYNPTR_OP_ADJUST, DYNPTR_OP_SIZE, DYNPTR_OP_IS_NULL, DYNPTR_OP_IS_RDONLY, DYNPTR_OP_CLONE,
	DYNPTR_OP_SLICE, DYNPTR_OP_COPY, DYNPTR_OP_COPY_BACK,
	DYNPTR_OP_MEMSET, DYNPTR_OP_NR,
};

/* Dynptr and buffers lie over each other as the numbers say. */
struct dynptr_memory {
	unsigned char all[256];
};

struct dynptr_op {
	__u32 kind, at, bytes, pad;
	__u64 offset, flags;
	__s64 ret;
};

struct dynptr_call {
	__u32 at, bytes;	/* of the dynptr */
	__u32 other_at, other_bytes; /* of another one */
	__u64 flags;
	__s64 ret;
	struct dynptr_op ops[DYNPTR_OPS];
};

#endif /* INLAY_TESTS_DYNPTR_KERNEL_H */
