/* SPDX-License-Identifier: BSD-2-Clause */
/* What loaders of real tools do between opening and attaching, and --attach and --map do here. */
// RUN: %clang_bpf -c %s -o %t.bpf.o
// A kprobe program that is attached as a uprobe; without that it is the kernel's.
// RUN: %bpfcc -d --map stacks.value_size=64 --map stacks.max_entries=8 %t.bpf.o | FileCheck %s --check-prefix=ALONE
// RUN: %bpfcc -d --attach dummy_kprobe:work --attach 'dummy_kretprobe:w*' --attach label:real --attach marker:app:started --map stacks.value_size=64 --map stacks.max_entries=8 %t.bpf.o | FileCheck %s
// The size of a stack is the loader's choice; that of a typed value is not.
// RUN: not %bpfcc -d --map stacks.max_entries=8 %t.bpf.o 2>&1 | FileCheck %s --check-prefix=STACK
// RUN: not %bpfcc -d --map typed.value_size=64 %t.bpf.o 2>&1 | FileCheck %s --check-prefix=TYPED
// RUN: not %bpfcc -d --map stacks.value_size=x %t.bpf.o 2>&1 | FileCheck %s --check-prefix=BYTES
// A program whose section names a binary is attached there, one of another type nowhere in a process.
// RUN: not %bpfcc -d --attach bound:real %t.bpf.o 2>&1 | FileCheck %s --check-prefix=BOUND
// RUN: not %bpfcc -d --attach label:one --attach label:two %t.bpf.o 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not %bpfcc -d --attach traced:work %t.bpf.o 2>&1 | FileCheck %s --check-prefix=TRACED
// RUN: not %bpfcc -d --attach system:work %t.bpf.o 2>&1 | FileCheck %s --check-prefix=SYSTEM
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, 4);
} stacks SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
} typed SEC(".maps");
int hits;

SEC("kprobe/dummy_kprobe")
int dummy_kprobe(void *ctx)
{
	hits += bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK) >= 0;
	return 0;
}

SEC("kretprobe/dummy_kretprobe") int dummy_kretprobe(void *ctx) { hits++; return 0; }
SEC("uprobe/some_label") int label(void *ctx) { return bpf_get_stackid(ctx, &stacks, 0) >= 0; }
SEC("uprobe/libx.so:f") int bound(void *ctx) { return 0; }
SEC("usdt/app/marker") int marker(void *ctx) { return 0; }
SEC("tracepoint/a/b") int traced(void *ctx) { return 0; }
SEC("kprobe.multi/f*") int system(void *ctx) { return 0; }

char _license[] SEC("license") = "GPL";
// ALONE: map 0 "stacks": type 7, key 4 bytes, value 64 bytes, 8 entries
// ALONE-NOT: "dummy_k
// ALONE: program 0 "label": section "uprobe/some_label", entry, function "some_label"
// ALONE: program {{[0-9]}} "marker": section "usdt/app/marker", usdt{{$}}
// ALONE: 4 kernel-side programs left to the companion
// CHECK: program {{[0-9]}} "dummy_kprobe": section "kprobe/dummy_kprobe", entry, function "work"{{$}}
// CHECK: program {{[0-9]}} "dummy_kretprobe": section "kretprobe/dummy_kretprobe", return, function "w*", multi
// CHECK: program {{[0-9]}} "label": section "uprobe/some_label", entry, function "real"
// CHECK: program {{[0-9]}} "bound": section "uprobe/libx.so:f", entry, function "f", path "libx.so"
// CHECK: program {{[0-9]}} "marker": section "usdt/app/marker", usdt, function "app:started"
// CHECK: 2 kernel-side programs left to the companion
// STACK: error: map "stacks": value_size 0 is not 8 to 1016, a multiple of 8 (-EINVAL)
// STACK: help: {{.*}}--map NAME.value_size=N
// TYPED: error: --map typed.value_size=64: the type of the map's value has another size
// BYTES: error: --map stacks.value_size=x: not understood
// BOUND: error: --attach bound:real: the program is for function "f"
// BOUND: help: only a section without a binary leaves it open
// TWICE: error: --attach label:two: the program is for function "one"
// TWICE: help: a pattern gives a program several functions
// TRACED: error: --attach traced:work: the object has no user probe program of that name
// SYSTEM: error: --attach system:work: the object has no user probe program of that name
