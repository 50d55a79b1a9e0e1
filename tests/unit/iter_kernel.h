/* SPDX-License-Identifier: BSD-2-Clause */
/* What test_iter.c asks of the program in iter_kernel.bpf.c. */
#ifndef INLAY_TESTS_ITER_KERNEL_H
#define INLAY_TESTS_ITER_KERNEL_H

struct iter_call {
	__s32 start, end;
	__u32 most;		/* rounds, then it leaves the loop; 0: none */
	__s32 err;
	__u32 nr;
	__s32 last;
	__u32 is_at_end;
	__u32 hash;		/* of all that it gave */
};

#endif /* INLAY_TESTS_ITER_KERNEL_H */
