/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of nests.py use: the loops of newer bpf_helpers.h, maps, variables. */
#ifndef INLAY_TESTS_NESTS_H
#define INLAY_TESTS_NESTS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

#define ITER(start, end)                                                                           \
	struct bpf_iter_num it __attribute__((cleanup(bpf_iter_num_destroy))),                     \
		*made __attribute__((unused)) = (bpf_iter_num_new(&it, start, end),                \
						 (void)bpf_iter_num_destroy, (void *)0)
#define bpf_for(i, start, end)                                                                     \
	for (ITER(start, end); ({                                                                  \
		     int *item = bpf_iter_num_next(&it);                                           \
		     item && ((i) = *item, (i) >= (start) && (i) < (end));                         \
	     });)
#define bpf_repeat(n) for (ITER(0, n); bpf_iter_num_next(&it);)
#define can_loop                                                                                   \
	({                                                                                         \
		__label__ used_up, on;                                                             \
		int is_left = 1;                                                                   \
		asm volatile goto("may_goto %l[used_up]" : : : : used_up);                         \
		goto on;                                                                           \
	used_up:                                                                                   \
		is_left = 0;                                                                       \
	on:                                                                                        \
		is_left;                                                                           \
	})

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64[8]);
} list SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64[4]);
} hash SEC(".maps");

struct ctx {
	__u64 a, b;
	__u32 i, n;
	__u64 t[4];
};

__u64 table[64], out;
__u8 bytes[1024];
volatile __u64 in;
char LICENSE[] SEC("license") = "GPL";

#endif /* INLAY_TESTS_NESTS_H */
