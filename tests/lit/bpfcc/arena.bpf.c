/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas are refused, and it is said that this is why: the map, and an address in it. */
// RUN: %clang_bpf -mcpu=v4 -g -c %s -DMAP -o %t.map.bpf.o && not %bpfcc verify %t.map.bpf.o 2>&1 | FileCheck %s --check-prefix=MAP
// RUN: %clang_bpf -mcpu=v4 -g -c %s -o %t.bpf.o && not %bpfcc verify %t.bpf.o 2>&1 | FileCheck %s
// MAP: error: map "arena": type {{.*}} is not supported
// CHECK: error: addresses in arenas (addr_space_cast) are not supported
// CHECK: help: use an array or a hash map
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
} arena SEC(".maps");

long where;
char LICENSE[] SEC("license") = "GPL";

SEC("uprobe/app:f")
int prog(void *ctx)
{
	int __attribute__((address_space(1))) *p = (void *)0;

#ifdef MAP
	return bpf_map_delete_elem(&arena, &where);
#endif
	p += where;
	*p = 1;
	return 0;
}
