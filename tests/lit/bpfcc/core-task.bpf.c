/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE: of the kernel's structures behind bpf_get_current_task() exists what a process knows; another
 * member is an answer for "exists" and an error for a read. A type of the target with such a name comes
 * first.
 */
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -c %s -o %t.bpf.o
// RUN: %bpfcc -d %t.bpf.o | FileCheck %s
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -DMEMBER=start_time -c %s -o %t.bad.bpf.o
// RUN: not %bpfcc -d %t.bad.bpf.o 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -DLOAD -c %s -o %t.load.bpf.o
// RUN: not %bpfcc -d %t.load.bpf.o 2>&1 | FileCheck %s --check-prefix=LOAD
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -DMEMBER=thread.fsbase -c %s -o %t.x86.bpf.o
// RUN: %clang_bpf -D__TARGET_ARCH_arm64 -DMEMBER=thread.uw.tp_value -c %s -o %t.arm64.bpf.o
// RUN: %bpfcc --target=x86_64-linux-gnu -d %t.x86.bpf.o | FileCheck %s --check-prefix=THREAD
// RUN: %bpfcc --target=aarch64-linux-gnu -d %t.arm64.bpf.o | FileCheck %s --check-prefix=THREAD
// RUN: not %bpfcc --target=aarch64-linux-gnu -d %t.x86.bpf.o 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not %bpfcc --target=x86_64-linux-gnu -d %t.arm64.bpf.o 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: %clang_bpf -DTARGET -c %s -o %t.target.o
// RUN: %bpfcc -d --target-btf=%t.target.o %t.bpf.o | FileCheck %s --check-prefix=OWN
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#ifdef TARGET
struct task_struct {
	char before[500];
	int tgid;
	struct task_struct *real_parent;
	unsigned long start_time;
} task;
#else
char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct thread_struct {
	unsigned long fsbase;
	struct {
		unsigned long tp_value;
	} uw;
};
struct task_struct {
	char comm[16];
	struct thread_struct thread;
	unsigned long start_time;
	int tgid;
	struct task_struct *real_parent;
};
struct task_struct___old {
	int tgid;
};
#pragma clang attribute pop

unsigned long out[16];

SEC("uprobe/f")
int read(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___old *old = (void *)task;
	int n = 0;

	out[0] = bpf_core_field_exists(task->start_time) + 2;
	bpf_core_read(&n, sizeof(n), &old->tgid);
	out[1] = n;
	out[2] = BPF_CORE_READ(task, real_parent, tgid);
#ifdef LOAD
	out[4] = ((struct task_struct *)bpf_get_current_task_btf())->tgid;
#endif
#ifdef MEMBER
	out[3] = BPF_CORE_READ(task, MEMBER);
#endif
	return 0;
}
#endif
// CHECK-LABEL: read:
// CHECK: [[R:r[0-9]]] = 0 ;
// CHECK: [[R]] += 2 ;
// CHECK: r{{[0-9] \+?}}= 4 ;
// CHECK: call bpf_probe_read_kernel#113
// CHECK: r{{[0-9] \+?}}= 24 ;
// CHECK: call bpf_probe_read_kernel#113
// CHECK: r{{[0-9] \+?}}= 4 ;
// CHECK: call bpf_probe_read_kernel#113

// BAD: core-task.bpf.c:{{[0-9]+}}: error: member "start_time" of "struct task_struct" is the kernel's: a process knows only pid, tgid, comm, real_parent,
// BAD: help: test for it first: bpf_core_field_exists()

// THREAD: r{{[0-9] \+?}}= 400 ;
// OTHER: error: member "{{fsbase|uw|thread|tp_value}}" of "struct task_struct" is the kernel's:

// LOAD: error: the load goes through r{{[0-9]}}, which is a pointer to a kernel object
// LOAD: help: read what it leads to with BPF_CORE_READ() or bpf_probe_read_kernel()

// OWN-LABEL: read:
// OWN: [[R:r[0-9]]] = 1 ;
// OWN: [[R]] += 2 ;
// OWN: r{{[0-9] \+?}}= 500 ;
// OWN: r{{[0-9] \+?}}= 504 ;
// OWN: r{{[0-9] \+?}}= 500 ;
