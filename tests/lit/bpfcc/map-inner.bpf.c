/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of maps: what may be put in, and what the descriptors say. */
//
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll && FileCheck %s --check-prefix=LL --input-file %t.ll
// RUN: %clang_bpf -DOTHER -c %s -o %t.other.bpf.o
// RUN: not %bpfcc %t.other.bpf.o -o %t.none.o 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: %clang_bpf -DNO_TEMPLATE -c %s -o %t.no.bpf.o
// RUN: not %bpfcc %t.no.bpf.o -o %t.none.o 2>&1 | FileCheck %s --check-prefix=NO
// RUN: %clang_bpf -DUPDATE -c %s -o %t.up.bpf.o
// RUN: not %bpfcc %t.up.bpf.o -o %t.none.o 2>&1 | FileCheck %s --check-prefix=UPDATE
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} a SEC(".maps"), b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5);
	__type(key, __u32);
	__type(value, __u64);
} longer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
#ifndef NO_TEMPLATE
	__array(values, struct inner);
#endif
} outer SEC(".maps")
#ifndef NO_TEMPLATE
= {
#ifdef OTHER
	.values = { [1] = (void *)&longer },
#else
	.values = { [1] = &b },
#endif
}
#endif
;

SEC("uprobe/f")
int f(void *ctx)
{
	__u32 one = 1;
	void *inner;
	__u64 *n;

	n = bpf_map_lookup_elem(&a, &one);
	if (n)
		*n += 1;
	n = bpf_map_lookup_elem(&longer, &one);
	if (n)
		*n += 1;
	inner = bpf_map_lookup_elem(&outer, &one);
	if (!inner)
		return 0;
#ifdef UPDATE
	bpf_map_update_elem(&outer, &one, &one, 0);
#endif
	n = bpf_map_lookup_elem(inner, &one);
	if (n)
		*n += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

// `b` is used by no program, and is map 3 of the object; `longer` is not like the template
// LL-DAG: @__inlay_region_{{[0-9a-f]+}}_outer = linkonce_odr hidden {{.*}} c"\00\00\00\00\00\00\00\00\04\00\00\00
// LL-DAG: @__inlay_inner_{{[0-9a-f]+}}_outer = linkonce_odr hidden {{.*}}constant [4 x ptr] [ptr @__inlay_desc_{{[0-9a-f]+}}_a, ptr null, ptr null, ptr @__inlay_desc_{{[0-9a-f]+}}_b]
// OTHER: error: map "outer": "longer" is not like the maps that are declared to be in there (-EINVAL)
// NO: error: map "outer": it does not say what the maps in it are like (-EINVAL)
// UPDATE: bpf_map_update_elem is not for maps of type array_of_maps
