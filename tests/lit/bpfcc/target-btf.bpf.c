/* SPDX-License-Identifier: BSD-2-Clause */
/* --target-btf: questions about types of the target, with answers from DWARF, and what has none. */
// RUN: %clang -g -DVERSION=1 -x c -c %S/Inputs/target-types.h -o %t.1.o
// RUN: %clang -g -DVERSION=2 -x c -c %S/Inputs/target-types.h -o %t.2.o
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc --target-btf=%t.1.o -d %t.bpf.o | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: %bpfcc --target-btf=%t.2.o -d %t.bpf.o | FileCheck %s --check-prefixes=CHECK,TWO
// one object in both: what it asks is the same
// RUN: %bpfcc --target-btf=%t.1.o -d %t.bpf.o | grep ^object >%t.1
// RUN: %bpfcc --target-btf=%t.2.o -d %t.bpf.o | grep ^object >%t.2 && cmp %t.1 %t.2
// ... and the code differs, by name too
// RUN: %bpfcc --target-btf=%t.1.o --emit=ll -O0 %t.bpf.o -o %t.ll && FileCheck %s --check-prefix=NAME --input-file=%t.ll
// RUN: not %bpfcc -d %t.bpf.o 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: %clang_bpf -DGONE -c %s -o %t.gone.bpf.o
// RUN: not %bpfcc --target-btf=%t.1.o -d %t.gone.bpf.o 2>&1 | FileCheck %s --check-prefix=GONE
// RUN: %clang_bpf -DCHANGED -c %s -o %t.changed.bpf.o
// RUN: not %bpfcc --target-btf=%t.1.o -d %t.changed.bpf.o 2>&1 | FileCheck %s --check-prefix=CHANGED
// RUN: not %bpfcc --target-btf=%s -d %t.bpf.o 2>&1 | FileCheck %s --check-prefix=NOTYPES
// RUN: not %bpfcc --target-btf=%t.nothing -d %t.bpf.o 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: %clang -g -DVERSION=3 -x c -c %S/Inputs/target-types.h -o %t.3.o
// RUN: not %bpfcc --target-btf=%t.3.o -d %t.bpf.o 2>&1 | FileCheck %s --check-prefix=SEVERAL
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

#define LOCAL __attribute__((preserve_access_index))
#ifdef CHANGED
struct item { struct { int a; } number; } LOCAL;
#else
struct item { int number; } LOCAL;
#endif
struct item___old { int former; } LOCAL;
struct nowhere { int a; } LOCAL;

#ifndef CHANGED
__attribute__((noinline)) static long ask(struct item *item)
{
	return BPF_CORE_READ_USER(item, number) + bpf_core_type_size(struct item) * 2;
}
#endif

SEC("uprobe/f") int one(struct pt_regs *ctx)
{
	struct item *item = (void *)PT_REGS_PARM1(ctx);

#ifdef GONE
	return BPF_CORE_READ_USER((struct item___old *)item, former);
#endif
#ifdef CHANGED
	return BPF_CORE_READ_USER(item, number.a);
#else
	if (bpf_core_field_exists(((struct item___old *)item)->former))
		return BPF_CORE_READ_USER((struct item___old *)item, former);
	return ask(item) + bpf_core_type_size(struct nowhere);
#endif
}

// CHECK: one: 1 argument
// ONE: 1: r1 = 0 
// ONE: 3: <does not exist> {{.*}}never runs
// TWO: 1: r1 = 1 
// TWO: 3: r1 = 20 
// CHECK: ask: 1 argument
// ONE: 1: r1 = 4 
// TWO: 1: r1 = 16 
// ONE: r0 = 12 
// TWO: r0 = 24 
// NAME: define {{.*}}@__inlay_sub_{{[0-9a-f]+}}_L{{[0-9a-f]+}}_ask
// NONE: error: CO-RE type "item" does not exist in a process: only struct pt_regs does, what a process knows of a struct task_struct, and types that --target-btf gives (in a build by inlay-cc: -g)
// GONE: error: "item___old" of the target has no member "former" that fits
// CHANGED: error: "item" of the target has no member "number" that fits
// NOTYPES: error: cannot read types from {{.*}}: it has neither BTF nor DWARF
// NOTYPES: help: give it BTF, or an ELF file with section .BTF or compiled with -g
// NOFILE: error: cannot read types from {{.*}}: {{No such file|it has neither}}
// SEVERAL: error: the target has several types "item", which do not agree
