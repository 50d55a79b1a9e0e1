/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps that a placed program cannot have; the same are the companion's business elsewhere. */
// RUN: %clang_bpf -DSECTION='"kprobe/x"' -DMAP=events -c %s -o %t.ok.bpf.o
// RUN: %bpfcc -d %t.ok.bpf.o | FileCheck %s --check-prefix=OK
// RUN: %clang_bpf -DSECTION='"uprobe/x"' -DMAP=events -c %s -o %t.1.bpf.o
// RUN: not %bpfcc -d %t.1.bpf.o 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: %clang_bpf -DSECTION='"uprobe/x"' -DMAP=none -c %s -o %t.2.bpf.o
// RUN: not %bpfcc -d %t.2.bpf.o 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: %bpfcc -d --map none.max_entries=3 %t.2.bpf.o | FileCheck %s --check-prefix=SET
// RUN: %clang_bpf -DSECTION='"uprobe/x"' -DMAP=wide -c %s -o %t.3.bpf.o
// RUN: not %bpfcc -d %t.3.bpf.o 2>&1 | FileCheck %s --check-prefix=WIDE
// RUN: %clang_bpf -DSECTION='"uprobe/x"' -DMAP=large -c %s -o %t.4.bpf.o
// RUN: not %bpfcc -d %t.4.bpf.o 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: %clang_bpf -DSECTION='"uprobe/x"' -DMAP=flags -c %s -o %t.5.bpf.o
// RUN: not %bpfcc -d %t.5.bpf.o 2>&1 | FileCheck %s --check-prefix=FLAGS
// RUN: %clang_bpf -DLEGACY -DSECTION='"uprobe/x"' -DMAP=wide -c %s -o %t.6.bpf.o
// RUN: not %bpfcc -d %t.6.bpf.o 2>&1 | FileCheck %s --check-prefix=LEGACY
// RUN: %clang_bpf -DSECTION='"uprobe/x"' -DMAP=build_ids -c %s -o %t.7.bpf.o
// RUN: not %bpfcc -d %t.7.bpf.o 2>&1 | FileCheck %s --check-prefix=IDS
// RUN: %clang_bpf -DSECTION='"uprobe/x"' -DMAP=node -c %s -o %t.8.bpf.o
// RUN: not %bpfcc -d %t.8.bpf.o 2>&1 | FileCheck %s --check-prefix=NODE
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
} events SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, int); } none SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, long);
	__type(value, int);
	__uint(max_entries, 1);
} wide SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, int);
	__type(value, char[40000]);
	__uint(max_entries, 1);
} large SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} flags SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, 4);
	__uint(value_size, 24);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_STACK_BUILD_ID);
} build_ids SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NUMA_NODE);
} node SEC(".maps");
#ifdef LEGACY
struct { int type; } old SEC("maps") = {1};
#endif

SEC(SECTION)
int use(void *ctx)
{
	long key = 0;

	return bpf_map_lookup_elem(&MAP, &key) != 0;
}

SEC("uprobe/x")
int other(void *ctx)
{
	return 0;
}
// OK: 1 kernel-side program left to the companion
// TYPE: maps.bpf.c:{{[0-9]+}}: error: map "events": type devmap (14) is not supported
// TYPE: help: supported are hash, array, percpu_array, percpu_hash, prog_array
// NONE: error: map "none": max_entries is 0 (-EINVAL)
// SET: map 0 "none": type 1, key 4 bytes, value 4 bytes, 3 entries
// WIDE: error: map "wide": an array's key_size is 4, not 8 (-EINVAL)
// LARGE: error: map "large": a per-CPU value_size of 40000 is above 32768 (-E2BIG)
// FLAGS: error: map "flags": map_flags 0x1 are not valid for a map of type array (-EINVAL)
// IDS: error: map "build_ids": value_size 24 is not 32 to 4064, a multiple of 32 (-EINVAL)
// NODE: error: map "node": map_flags 0x4 are not valid for a map of type percpu_array (-EINVAL)
// LEGACY: error: section "maps" holds map definitions of before libbpf 1.0
// LEGACY: help: define them with BTF, in SEC(".maps")
