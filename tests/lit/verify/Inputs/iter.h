/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of open-coded iterators: the kernel functions, and their calls for iterators on the stack.
 */
#ifndef INLAY_TESTS_ITER_H
#define INLAY_TESTS_ITER_H

#include "twins.h"

LICENSE("GPL");
struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

/* clang gives BTF to what C calls only */
__attribute__((used)) static void has_btf_of_them(void)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 0);
	bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
}

#define AT(off)                                                                                    \
	r1 = r10;                                                                                  \
	r1 += off;
#define NEW_AT(off)                                                                                \
	AT(off)                                                                                    \
	r2 = 0;                                                                                    \
	r3 = 1000;                                                                                 \
	call %[bpf_iter_num_new];
#define NEXT_AT(off)                                                                               \
	AT(off)                                                                                    \
	call %[bpf_iter_num_next];
#define DESTROY_AT(off)                                                                            \
	AT(off)                                                                                    \
	call %[bpf_iter_num_destroy];
#define NEW NEW_AT(-8)
#define NEXT NEXT_AT(-8)
#define DESTROY DESTROY_AT(-8)
#define ITER ADDRESS(bpf_iter_num_new), ADDRESS(bpf_iter_num_next), ADDRESS(bpf_iter_num_destroy)

#endif /* INLAY_TESTS_ITER_H */
