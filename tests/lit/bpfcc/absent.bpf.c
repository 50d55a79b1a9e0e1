/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers that a process cannot have are refused with the reason. */
// RUN: %clang_bpf -DTASK -c %s -o %t.1.bpf.o
// RUN: not %bpfcc verify %t.1.bpf.o 2>&1 | FileCheck %s --check-prefix=TASK
// RUN: %clang_bpf -DTREE -c %s -o %t.2.bpf.o
// RUN: not %bpfcc verify %t.2.bpf.o 2>&1 | FileCheck %s --check-prefix=TREE
#include <inlay/inlay.bpf.h>

// TASK: bpf_task_pt_regs cannot be had in a process: a struct task_struct is the kernel's
// TREE: bpf_snprintf_btf cannot be had in a process: it prints the kernel's structures

SEC("uprobe/f")
int f(void *ctx)
{
#ifdef TASK
	return bpf_task_pt_regs(bpf_get_current_task_btf()) != 0;
#else
	char text[16] = "";
	struct btf_ptr ptr = {};

	return bpf_snprintf_btf(text, sizeof(text), &ptr, sizeof(ptr), 0);
#endif
}

char LICENSE[] SEC("license") = "GPL";
