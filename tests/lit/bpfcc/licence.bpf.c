/* SPDX-License-Identifier: BSD-2-Clause */
/* gpl_only helpers as in the kernel; override only when it is allowed. */
// RUN: %clang_bpf -DLICENCE='"Dual BSD/GPL"' -c %s -o %t.bpf.o
// RUN: not %bpfcc -d %t.bpf.o 2>&1 | FileCheck %s --check-prefix=OVERRIDE
// RUN: %bpfcc -d --allow-override %t.bpf.o
// RUN: %clang_bpf -DLICENCE='"Proprietary"' -c %s -o %t.1.bpf.o
// RUN: not %bpfcc -d --allow-override %t.1.bpf.o 2>&1 | FileCheck %s --check-prefix=GPL
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char name[] SEC("license") = LICENCE;

SEC("uprobe/f")
int f(void *ctx)
{
	bpf_override_return(ctx, 1);
	return 0;
}
// OVERRIDE: licence.bpf.c:[[#@LINE - 3]]: error: bpf_override_return changes what the target does
// OVERRIDE: help: --allow-override accepts it (inlay-cc: -finlay-allow-override)
// GPL: error: bpf_override_return is for programs of a GPL-compatible licence, and this object's is "Proprietary"
