/* SPDX-License-Identifier: BSD-2-Clause */
/* What probe objects of these tests include: libbpf's headers and the ctx of x86-64. */
#ifndef INLAY_TESTS_PROBE_H
#define INLAY_TESTS_PROBE_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip,
		cs, flags, sp, ss;
};

#define MAP(name, map_type, entries, key_type, value_type)                                       \
	struct {                                                                                 \
		__uint(type, map_type);                                                          \
		__uint(max_entries, entries);                                                    \
		__type(key, key_type);                                                           \
		__type(value, value_type);                                                       \
	} name SEC(".maps")

char LICENSE[] SEC("license") = "GPL";

#endif /* INLAY_TESTS_PROBE_H */
