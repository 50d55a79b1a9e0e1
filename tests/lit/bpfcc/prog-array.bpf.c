/* SPDX-License-Identifier: BSD-2-Clause */
/* What an object puts into a PROG_ARRAY: programs become the cases of a switch. */
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc -O1 %t.bpf.o -o %t.ll
// RUN: FileCheck %s < %t.ll
// RUN: %clang_bpf -DENTRIES=2 -c %s -o %t.small.bpf.o
// RUN: not %bpfcc -d %t.small.bpf.o 2>&1 | FileCheck %s --check-prefix=SMALL
// RUN: %clang_bpf -DSECTION='"kprobe/x"' -c %s -o %t.other.bpf.o
// RUN: not %bpfcc -d %t.other.bpf.o 2>&1 | FileCheck %s --check-prefix=OTHER
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifndef ENTRIES
#define ENTRIES 4
#endif
#ifndef SECTION
#define SECTION "uprobe"
#endif

int third(void *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, ENTRIES);
	__uint(key_size, 4);
	__array(values, int(void *));
} programs SEC(".maps") = {.values = {[2] = (void *)&third}};

__u64 which;

SEC(SECTION)
int third(void *ctx)
{
	which += 5;
	return 0;
}

SEC("uprobe/app:work")
int known(void *ctx)
{
	bpf_tail_call(ctx, &programs, 2);
	which += 3;
	return 0;
}

SEC("uprobe/app:work")
int empty(void *ctx)
{
	bpf_tail_call(ctx, &programs, 1);
	which += 3;
	return 0;
}

char _license[] SEC("license") = "GPL";

// CHECK: define {{.*}}@__inlay_prog_{{[0-9a-f]+}}_known(
// CHECK: add i64 {{.*}}, 5
// CHECK-NOT: , 3
// CHECK: }
// CHECK: define {{.*}}@__inlay_prog_{{[0-9a-f]+}}_empty(
// CHECK: add i64 {{.*}}, 3
// CHECK: }
// SMALL: error: map "programs": a program is put at index 2 of 2
// SMALL: help: raise max_entries
// OTHER: error: map "programs": "third" is no program for Inlay
