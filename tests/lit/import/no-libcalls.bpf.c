/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program calls no memset and no memcpy, which may be probed, and would run the program again: not for
 * loops that fill or copy a part of its stack, in the host's pipeline neither.
 */
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %inlay_cc -O2 -finlay-probes=%t.bpf.o -S -x c %S/Inputs/ten-calls.target -o - | FileCheck %s
// RUN: %inlay_cc -O3 -finlay-probes=%t.bpf.o -S -x c %S/Inputs/ten-calls.target -o - | FileCheck %s
// RUN: %bpfcc %t.bpf.o -o %t.s && FileCheck %s < %t.s
// RUN: %bpfcc -O3 %t.bpf.o -o %t.s && FileCheck %s < %t.s
#include "probe.h"

struct key {
	char bytes[64];
};
MAP(names, BPF_MAP_TYPE_HASH, 16, struct key, __u64);

// CHECK-NOT: {{call|jmp}}{{.*}}mem{{set|cpy|move}}
// CHECK:     __inlay_map_update_elem_v1
// CHECK-NOT: {{call|jmp}}{{.*}}mem{{set|cpy|move}}
SEC("uprobe/work") int fill(struct pt_regs *ctx)
{
	__u32 n = ctx->di & 63;
	struct key key = {};
	__u64 one = 1;

	for (__u32 i = 0; i < 64; i++) {
		if (i >= n)
			break;
		key.bytes[i] = 'x';
	}
	bpf_map_update_elem(&names, &key, &one, BPF_ANY);
	return 0;
}

SEC("uprobe/work") int copy(struct pt_regs *ctx)
{
	__u32 n = ctx->di & 63;
	struct key from, to = {};
	__u64 one = 1;

	for (__u32 i = 0; i < 64; i++)
		from.bytes[i] = (char)(i * n);
	for (__u32 i = 0; i < 64; i++) {
		if (i >= n)
			break;
		to.bytes[i] = from.bytes[i];
	}
	bpf_map_update_elem(&names, &to, &one, BPF_ANY);
	return 0;
}
