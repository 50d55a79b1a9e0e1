/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel functions that a process cannot have are refused with the reason. */
// RUN: %clang_bpf -DKFUNC=bpf_wq_start -c %s -o %t.1.bpf.o
// RUN: not %bpfcc verify %t.1.bpf.o 2>&1 | FileCheck %s --check-prefix=WQ
// RUN: %clang_bpf -DKFUNC=bpf_task_from_pid -c %s -o %t.2.bpf.o
// RUN: not %bpfcc verify %t.2.bpf.o 2>&1 | FileCheck %s --check-prefix=PID
// RUN: %clang_bpf -DKFUNC=bpf_iter_bits_new -c %s -o %t.3.bpf.o
// RUN: not %bpfcc verify %t.3.bpf.o 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: %clang_bpf -DKFUNC=bpf_strlen -DLICENSE_TEXT='"Proprietary"' -c %s -o %t.4.bpf.o
// RUN: not %bpfcc verify %t.4.bpf.o 2>&1 | FileCheck %s --check-prefix=GPL
#include <inlay/inlay.bpf.h>

#ifndef LICENSE_TEXT
#define LICENSE_TEXT "GPL"
#endif

// WQ: error: kernel function "bpf_wq_start" cannot be had in a process: a target has no thread that could run the callback
// WQ: help: declare it __weak and test it with bpf_ksym_exists() to do without
// PID: error: kernel function "bpf_task_from_pid" cannot be had in a process: a struct task_struct is the kernel's
// BITS: error: kernel function "bpf_iter_bits_new" is not supported
// GPL: error: bpf_strlen is for programs of a GPL-compatible licence

extern int KFUNC(long n) __ksym;

SEC("uprobe/f")
int f(void *ctx)
{
	return KFUNC(1);
}

char LICENSE[] SEC("license") = LICENSE_TEXT;
