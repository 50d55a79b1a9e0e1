// SPDX-License-Identifier: BSD-2-Clause
// A lookup is inlined, folded for its map, unless the map has more than 16 of them in the object: those
// share one body a map, or an object with hundreds would take as many times as long to compile. An
// array's are so short that they are always inlined.
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o --emit=ll -o %t.ll && FileCheck %s --input-file=%t.ll
// CHECK-NOT: @__inlay_lookup_{{[0-9a-f]*}}_{{few|array}}
// CHECK: define linkonce_odr hidden {{.*}}ptr @__inlay_lookup_{{[0-9a-f]*}}_many({{.*}} comdat
// CHECK-NOT: @__inlay_lookup_{{[0-9a-f]*}}_{{few|array}}
// RUN: rm -rf %t.dir
// RUN: %inlay_cc -O2 -finlay-probes=%t.bpf.o -x c %S/Inputs/ten-calls.target -o %t.exe
// RUN: env INLAY_DIR=%t.dir INLAY_KEEP=1 %t.exe
// RUN: sh -c 'inlay dump -p "$(echo %t.dir/*)" array' | FileCheck --check-prefix=COUNT %s
// COUNT: 0: 170
// COUNT: 1: 10
#include <inlay/inlay.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} many SEC(".maps"), few SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 20);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

#define FOUND(map, n, at)                                                                          \
	do {                                                                                       \
		__u64 key = (n), *v = bpf_map_lookup_elem(&map, &key);                             \
		__u32 index = (at);                                                                \
                                                                                                   \
		if (v && *v == key && (v = bpf_map_lookup_elem(&array, &index)))                   \
			(*v)++;                                                                    \
	} while (0)

SEC("uprobe/work")
int look(struct pt_regs *ctx)
{
	__u64 key;

	for (key = 100; key < 117; key++)
		bpf_map_update_elem(&many, &key, &key, BPF_ANY);
	key = 100;
	bpf_map_update_elem(&few, &key, &key, BPF_ANY);
	FOUND(many, 100, 0);
	FOUND(many, 101, 0);
	FOUND(many, 102, 0);
	FOUND(many, 103, 0);
	FOUND(many, 104, 0);
	FOUND(many, 105, 0);
	FOUND(many, 106, 0);
	FOUND(many, 107, 0);
	FOUND(many, 108, 0);
	FOUND(many, 109, 0);
	FOUND(many, 110, 0);
	FOUND(many, 111, 0);
	FOUND(many, 112, 0);
	FOUND(many, 113, 0);
	FOUND(many, 114, 0);
	FOUND(many, 115, 0);
	FOUND(many, 116, 0);
	FOUND(many, 117, 0);
	FOUND(few, 100, 1);
	FOUND(few, 101, 1);
	return 0;
}
