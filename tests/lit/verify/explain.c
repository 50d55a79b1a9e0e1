/* SPDX-License-Identifier: BSD-2-Clause */
/* A refusal says what was known, and which decisions led there; -v shows the whole walk. */
// RUN: %clang_bpf -mcpu=v4 -I%S/Inputs -c %s -o %t.bpf.o
// RUN: not %bpfcc verify %t.bpf.o:path > %t.out 2>&1
// RUN: FileCheck %s --check-prefix=PATH < %t.out
// RUN: not %bpfcc verify -v %t.bpf.o:path > %t.walk 2>&1
// RUN: FileCheck %s --check-prefix=WALK < %t.walk
// RUN: not %bpfcc verify %t.bpf.o:around > %t.loop 2>&1
// RUN: FileCheck %s --check-prefix=LOOP < %t.loop
#include "twins.h"

unsigned char table[64];

SEC(TWINS_SECTION) __attribute__((naked)) int path(void *ctx)
{
	ASM((
		r2 = *(u64 *)(r1 + 112);
		r3 = *(u64 *)(r1 + 104);
		if r2 > 63 goto 1f;
		if r3 == 7 goto 2f;
		r2 &= 31;
	1:	r0 = 0;
		exit;
	2:	r2 += 8;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}
// PATH:      explain.c:{{[0-9]+}}: error: the load of 1 byte at offset 8..71 can be outside of the value of ".bss", which has 64 bytes
// PATH:      instruction 11: r0 = *(u8 *)(r1 + 0)
// PATH-NEXT: = r1: a pointer to the value of map '.bss' (64 bytes), offset 8..71
// PATH-NEXT: = help: bound the index: if (i < 0 || i >= N) return 0;
// PATH:      note: the path: the branch is not taken, because r2 <= 63
// PATH:      note: the path: the branch is taken, because r3 == 7
// PATH-NOT:  note:

// WALK:      path:0: r2 = *(u64 *)(r1 + 112) ; r2: a number of which nothing is known
// WALK:      path:4: r2 &= 31 ; r2: a number, 0..31
// WALK:      path:7: r2 += 8 ; r2: a number, 8..71
// WALK:      11: refused: the load of 1 byte

/* Of a loop the last time round is shown. */
SEC(TWINS_SECTION) __attribute__((naked)) int around(void *ctx)
{
	ASM((
		r2 = 0;
	1:	r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		r2 += 1;
		if r2 != 70 goto 1b;
		exit;
	), NUMBER(table, &table));
}
// LOOP:     error: the load of 1 byte at offset 64 is outside of the value of ".bss", which has 64 bytes
// LOOP:     note: the path: the branch is taken, because r2 != 70
// LOOP-NOT: note:
