// SPDX-License-Identifier: BSD-2-Clause
// A map update that fails for want of space counts as a drop of the program that asked for it, also
// from a subprogram of its own; other errors do not.
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: rm -rf %t.dir
// RUN: %inlay_cc -O2 -finlay-probes=%t.bpf.o -x c %S/Inputs/ten-calls.target -o %t.exe
// RUN: env INLAY_DIR=%t.dir INLAY_KEEP=1 %t.exe
// RUN: sh -c 'inlay stat -p "$(echo %t.dir/*)"' | FileCheck %s
// CHECK: direct entry fixed 1 0 6 -
// CHECK: by_sub entry fixed 1 0 6 -
// CHECK: exists entry fixed 1 0 0 -
// CHECK: map few dropped 12 updates
#include <inlay/inlay.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, __u64);
} few SEC(".maps");

static __noinline int put(__u64 key)
{
	__u64 one = 1;

	return bpf_map_update_elem(&few, &key, &one, BPF_ANY);
}

SEC("uprobe/work")
int direct(struct pt_regs *ctx)
{
	__u64 key = PT_REGS_PARM1(ctx), one = 1;

	bpf_map_update_elem(&few, &key, &one, BPF_ANY);
	return 0;
}

SEC("uprobe/work")
int by_sub(struct pt_regs *ctx)
{
	put(PT_REGS_PARM1(ctx));
	return 0;
}

SEC("uprobe/work")
int exists(struct pt_regs *ctx)
{
	__u64 key = 1, one = 1;

	bpf_map_update_elem(&few, &key, &one, BPF_NOEXIST);
	return 0;
}
