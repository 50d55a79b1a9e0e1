/* SPDX-License-Identifier: BSD-2-Clause */
/* --kernel-verify: the running kernel's opinion beside ours, for objects and for rows. */
// REQUIRES: root
// RUN: %clang_bpf -Wno-unused-parameter -I%S/Inputs -c %s -o %t.bpf.o
// RUN: not %bpfcc verify --kernel-verify %t.bpf.o 2> %t.err | tr '\t' '|' > %t.out
// RUN: FileCheck %s --match-full-lines < %t.out
// RUN: %bpfcc verify --kernel-verify %t.bpf.o:entry | tr '\t' '|' | FileCheck %s --match-full-lines --check-prefix=ONE
// RUN: not %bpfcc verify --json --kernel-verify %t.bpf.o > %t.json
// RUN: %python -c 'import json; rows = [json.loads(l) for l in open("%t.json")]; print([r["kernel"]["verdict"] for r in rows if "result" in r])' | FileCheck %s --check-prefix=JSON
// RUN: %python %S/Inputs/rows.py | head -6 | %bpfcc verify --raw --kernel-verify - | tr '\t' '|' | FileCheck %s --match-full-lines --check-prefix=ROWS
// Without the capabilities it takes, the kernel is not asked, and that is all.
// RUN: setpriv --bounding-set=-all --inh-caps=-all %bpfcc verify --kernel-verify %t.bpf.o:entry > %t.none
// RUN: FileCheck %s --check-prefix=NONE < %t.none
// RUN: %python %S/Inputs/rows.py | head -2 | setpriv --bounding-set=-all --inh-caps=-all %bpfcc verify --raw --kernel-verify - | FileCheck %s --check-prefix=NONE
// NONE: ACCEPT UNKNOWN cannot ask: needs root
#include "twins.h"

/* More than a kernel would give in one piece: it is asked with fewer entries. */
MAP_OF(large, HASH, __u64, __u64, 1 << 30);
volatile const int limit = 10;
int hits;

SEC("uprobe/app:function")
int entry(void *ctx)
{
	__u64 key = 1, *value = bpf_map_lookup_elem(&large, &key);

	if (value)
		*value += limit;
	hits++;
	return 0;
}

SEC("uprobe.multi/app:func*")
int multi(void *ctx)
{
	return 0;
}

SEC("uprobe.session/app:func*")
int session(void *ctx)
{
	return 1;
}

SEC("uprobe/app:function")
__attribute__((naked)) int refused(void)
{
	ASM((
		r0 = r3;
		exit;
	));
}
// CHECK:entry|ACCEPT||ACCEPT|
// CHECK-NEXT:refused|REJECT|instruction 0: {{.*}}|REJECT|R3 !read_ok
// CHECK-NEXT:multi|ACCEPT||ACCEPT|
// CHECK-NEXT:session|ACCEPT||ACCEPT|
// CHECK-NOT:{{.}}
// ONE:entry|ACCEPT||ACCEPT|
// ONE-NOT:{{.}}
// JSON: ['ACCEPT', 'REJECT', 'ACCEPT', 'ACCEPT']
// ROWS:return_0|ACCEPT||ACCEPT|
// ROWS-NEXT:upper_case|ACCEPT||ACCEPT|
// ROWS-NEXT:r2_unset|REJECT|{{.*}}|REJECT|R2 !read_ok
// ROWS-NEXT:lookup|ACCEPT||ACCEPT|
// ROWS-NEXT:lookup_untested|REJECT|{{.*}}|REJECT|{{.*}}map_value_or_null{{.*}}
