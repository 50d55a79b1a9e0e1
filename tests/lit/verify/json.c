/* SPDX-License-Identifier: BSD-2-Clause */
/* --json: everything that is known of a message, one object a line, for editors; docs/bpfcc.md has the schema. */
// RUN: %clang_bpf -Wno-unused-parameter -c %s -o %t.bpf.o
// RUN: not %bpfcc verify --json %t.bpf.o > %t.json 2> %t.err
// RUN: test ! -s %t.err
// RUN: %python %S/Inputs/json-check.py %t.json | FileCheck %s
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 8);
} counts SEC(".maps");

SEC("uprobe/app:work")
int count(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&counts, &key);

	*value += 1;
	return 0;
}

SEC("uprobe/app:work")
int fine(void *ctx)
{
	return 0;
}
// CHECK: message: disasm=r1 = *(u64 *)(r0 + 0) file={{.*}}json.c hint={{.*}} insn={{[0-9]+}} line=[[#@LINE - 9]] object={{.*}}.bpf.o program=count section=uprobe/app:work severity=error source=*value += 1; text={{.*}}NULL
// CHECK: result: count REJECT instruction {{[0-9]+}}: {{.*}}NULL
// CHECK-NEXT: result: fine ACCEPT{{ *$}}
// CHECK-NOT: {{.}}
