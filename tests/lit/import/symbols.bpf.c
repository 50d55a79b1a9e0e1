/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, linkage, comdats and sections of what an object puts into a target (docs/DESIGN.md, 12). */
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll
// RUN: FileCheck %s < %t.ll
// RUN: FileCheck --check-prefix=FLAGS %s < %t.ll
// RUN: %bpfcc %t.bpf.o -o %t.o
// RUN: llvm-readelf -SW --section-groups %t.o | FileCheck --check-prefix=ELF %s
// RUN: %bpfcc %t.bpf.o --map big.max_entries=1000000 -o %t.big.o
// RUN: llvm-readelf -sW %t.big.o | FileCheck --check-prefix=BIG %s
#include "probe.h"

// CHECK-DAG: $[[OBJECT:__inlay_object_[0-9a-f]+]] = comdat any
// CHECK-DAG: @[[OBJECT]] = linkonce_odr hidden constant {{.*}}, comdat
// CHECK-DAG: @__inlay_only_one_version_of_probe_object_symbols_{{.*}} = hidden {{.*}}constant i8 1, comdat($[[OBJECT]])
// CHECK-DAG: @__inlay_objref_[[H:[0-9a-f]+]] = linkonce_odr hidden constant ptr @[[OBJECT]], section "inlay_objects", comdat($[[OBJECT]]), align 8
// CHECK-DAG: @llvm.used = appending global {{.*}}@__inlay_objref_
// CHECK-DAG: @__inlay_ctl_{{[0-9a-f]+}} = linkonce_odr hidden global [4096 x i8] zeroinitializer, section ".bss.inlay.{{[0-9a-f]+}}.ctl", comdat, align 4096
// CHECK-DAG: @__inlay_btf_{{[0-9a-f]+}} = linkonce_odr hidden constant {{.*}} c"\9F\EB
// CHECK-DAG: @__inlay_gates_{{[0-9a-f]+}} = linkonce_odr hidden global [2 x i8] zeroinitializer, comdat
// CHECK-DAG: @__inlay_progs_{{[0-9a-f]+}} = linkonce_odr hidden constant
// CHECK-DAG: @__inlay_maps_{{[0-9a-f]+}} = linkonce_odr hidden constant [5 x ptr]

// CHECK-DAG: @__inlay_region_{{[0-9a-f]+}}_hash = linkonce_odr hidden global [8192 x i8] zeroinitializer, section ".bss.inlay.{{[0-9a-f]+}}.hash", comdat, align 4096
MAP(hash, BPF_MAP_TYPE_HASH, 64, __u64, __u64);
// CHECK-DAG: @__inlay_desc_{{[0-9a-f]+}}_big = linkonce_odr hidden constant {{.*}} ptr @__inlay_region_{{[0-9a-f]+}}_big, ptr null, ptr null
// BIG-NOT:  __inlay_region_{{.*}}_big
// BIG:      8 OBJECT WEAK HIDDEN {{.*}} __inlay_base_{{.*}}_big
// BIG-NOT:  __inlay_region_{{.*}}_big
MAP(big, BPF_MAP_TYPE_ARRAY, 1, __u32, __u64);
// CHECK-DAG: @__inlay_tls_{{[0-9a-f]+}}_shards = linkonce_odr hidden thread_local(initialexec) global ptr null, comdat, align 8
// CHECK-DAG: @__inlay_desc_{{[0-9a-f]+}}_shards = linkonce_odr hidden constant {{.*}} ptr null, ptr null, ptr @__inlay_slot_{{[0-9a-f]+}}_shards
// CHECK-DAG: define linkonce_odr hidden ptr @__inlay_slot_{{[0-9a-f]+}}_shards() {{.*}} comdat
MAP(shards, BPF_MAP_TYPE_PERCPU_ARRAY, 3, __u32, __u64);

// ELF-DAG: .bss.inlay.{{[0-9a-f]+}}.hash NOBITS {{.*}} WAG {{.*}} 4096
// ELF-DAG: .data.inlay.{{[0-9a-f]+}}._data PROGBITS {{.*}} WAG {{.*}} 4096
// CHECK-DAG: @__inlay_region_{{[0-9a-f]+}}__data = linkonce_odr hidden global {{.*}}, section ".data.inlay.{{[0-9a-f]+}}._data", comdat, align 4096
__u64 first = 7;
// CHECK-DAG: @__inlay_region_{{[0-9a-f]+}}__rodata = private constant
const volatile int scale[2] = {3, 4};

/* a subprogram that is too long to be inlined, and called twice */
// CHECK-DAG: define linkonce_odr hidden i64 @__inlay_sub_{{[0-9a-f]+}}_long_one(ptr {{[^,]*}}, i64 {{[^,]*}}, i64 {{[^,]*}}) {{.*}} comdat
static __attribute__((noinline)) __u64 long_one(__u64 *in, __u64 n)
{
#define STEP(i) first = *in ^ first << (n + i & 7); *in = first * n + bpf_ktime_get_ns();
	STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9)
	STEP(10) STEP(11) STEP(12) STEP(13) STEP(14) STEP(15) STEP(16) STEP(17) STEP(18)
	return first;
}

// CHECK-DAG: define {{.*}}i64 @__inlay_prog_{{[0-9a-f]+}}_one(ptr
SEC("uprobe/f") int one(struct pt_regs *ctx)
{
	__u64 v = ctx->di * scale[0];

	bpf_map_update_elem(&hash, &v, &v, 0);
	return long_one(&v, ctx->di);
}

SEC("uprobe/g") int two(struct pt_regs *ctx)
{
	__u32 zero = 0;
	__u64 v = 3, *p = bpf_map_lookup_elem(&shards, &zero), *q = bpf_map_lookup_elem(&big, &zero);

	if (p)
		*p += 1;
	if (q)
		*q += scale[1];
	return long_one(&v, ctx->si);
}

/* Nothing that ties the module to a processor, a compiler or a source file. */
// FLAGS-NOT: target-cpu
// FLAGS-NOT: target-features
// FLAGS-NOT: no-jump-tables
// FLAGS-NOT: sanitize_
// FLAGS-NOT: uwtable
// FLAGS-NOT: !llvm.module.flags
// FLAGS-NOT: !llvm.ident
// FLAGS-NOT: srcloc
