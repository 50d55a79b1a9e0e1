// SPDX-License-Identifier: BSD-2-Clause
// A counter in a loop that never ends counts every time round: the load and the store stay in the
// loop, because somebody else looks. (Written in assembly: clang would not make such a program, and
// the verifier would not let it pass.)
// RUN: %clang -target bpf -c %s -o %t.bpf.o
// RUN: %bpfcc --unsafe-no-verify %t.bpf.o -o %t.s && FileCheck %s < %t.s
//
// CHECK-LABEL: {{^}}__inlay_prog_{{.*}}_endless:
// CHECK:       [[LOOP:\.LBB[0-9_]+]]:
// CHECK-NEXT:  incq __inlay_region_{{[0-9a-f]+}}__bss(%rip)
// CHECK-NEXT:  jmp [[LOOP]]

	.section "uprobe/f", "ax", @progbits
	.globl	endless
	.type	endless, @function
endless:
	r1 = counter ll
.Lagain:
	r2 = *(u64 *)(r1 + 0)
	r2 += 1
	*(u64 *)(r1 + 0) = r2
	if r2 != 0 goto .Lagain
	goto .Lagain
.Lend:
	.size	endless, .Lend - endless

	.section .bss, "aw", @nobits
	.globl	counter
	.type	counter, @object
	.p2align 3
counter:
	.zero	8
	.size	counter, 8

	.section license, "aw", @progbits
	.asciz	"GPL"
