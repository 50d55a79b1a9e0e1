// SPDX-License-Identifier: BSD-2-Clause
// A byte of a map that is used as a number is loaded and extended by one instruction; one that is
// counted stays one instruction, too.
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.s && FileCheck %s < %t.s
#include "probe.h"

unsigned char bytes[64], flags;
unsigned short halves[4];

// CHECK-LABEL: __inlay_prog_{{[0-9a-f]+}}_use:
// CHECK:       incb __inlay_region_{{.*}}(%rip)
// CHECK-NOT:   movzbl %
// CHECK:       movzbl (%
// CHECK-NOT:   mov{{z[bw]l %|b |w }}
// CHECK:       movzwl __inlay_region_{{.*}}(%rip)
// CHECK-NOT:   movzwl %
// CHECK:       retq
SEC("uprobe/f") int use(struct pt_regs *ctx)
{
	int sum = bytes[ctx->di & 63] * 7 ^ halves[2] * 5;

	flags++;
	return sum;
}
