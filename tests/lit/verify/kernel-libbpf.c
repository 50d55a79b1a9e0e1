/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf fills in and Inlay answers itself is there when the kernel is asked; maps that a loader
 * would pin are not, and those of a type with one size only need not tell it.
 */
// REQUIRES: root
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc verify --kernel-verify %t.bpf.o | tr '\t' '|' | FileCheck %s --match-full-lines
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_NO_SUCH_THING __kconfig __weak;
long sum;

// CHECK: arguments|ACCEPT||ACCEPT|
SEC("usdt/app:provider:name")
int arguments(struct pt_regs *ctx)
{
	long value;

	if (!bpf_usdt_arg(ctx, 0, &value))
		sum += value;
	return 0;
}

// CHECK-NEXT: version|ACCEPT||ACCEPT|
SEC("uprobe/app:f")
int version(void *ctx)
{
	if (LINUX_KERNEL_VERSION >= 0x50000 && !CONFIG_NO_SUCH_THING)
		sum++;
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u64);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} inlay_never_pinned SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
} events SEC(".maps");

// CHECK-NEXT: loaders|ACCEPT||ACCEPT|
SEC("uprobe/app:g")
int loaders(void *ctx)
{
	__u64 key = 1;

	bpf_map_update_elem(&inlay_never_pinned, &key, &key, BPF_ANY);
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &key, sizeof(key));
	return 0;
}

char _license[] SEC("license") = "GPL";
