/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE: asking for helpers, map types and ring buffers is asking what the runtime has; what a process
 * hands to system calls has the kernel's layout. A type of the target with such a name comes first.
 */
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc -d %t.bpf.o | FileCheck %s
// RUN: %bpfcc verify %t.bpf.o
// RUN: %clang_bpf -DMEMBER -c %s -o %t.bad.bpf.o
// RUN: not %bpfcc -d %t.bad.bpf.o 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: %clang_bpf -DTARGET -c %s -o %t.target.o
// RUN: %bpfcc -d --target-btf=%t.target.o %t.bpf.o | FileCheck %s --check-prefix=OWN
#ifdef TARGET
struct in_addr {
	unsigned int s_addr;
};
struct sockaddr_in {
	char before[96];
	struct in_addr sin_addr;
} address;
/* as the C library calls its members */
struct in6_addr {
	unsigned char __u6_addr8[16];
} address6;
#else
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

/* the numbers are this file's own: what counts is the name */
enum bpf_func_id___names {
	BPF_FUNC_ringbuf_submit___any = 1,
	BPF_FUNC_task_storage_get___any,
	BPF_FUNC_no_such_helper___any,
};
enum bpf_map_type___names {
	BPF_MAP_TYPE_BLOOM_FILTER___any = 1,
	BPF_MAP_TYPE_XSKMAP___any,
};
struct bpf_ringbuf___here {
	int unused;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct in_addr {
	__be32 s_addr;
};
struct sockaddr_in {
	struct in_addr sin_addr;
};
struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};
struct sockaddr_in6 {
	struct in6_addr sin6_addr;
};
struct user_msghdr {
	unsigned int msg_flags;
	void *no_such_member;
};
#pragma clang attribute pop

unsigned long out[16];

SEC("uprobe/f")
int read(void *ctx)
{
	struct sockaddr_in *in = 0;
	struct sockaddr_in6 *in6 = 0;
	struct user_msghdr *message = 0;

	out[0] = bpf_core_enum_value_exists(enum bpf_func_id___names, BPF_FUNC_ringbuf_submit___any);
	out[1] = bpf_core_enum_value(enum bpf_func_id___names, BPF_FUNC_ringbuf_submit___any);
	out[2] = bpf_core_enum_value_exists(enum bpf_func_id___names, BPF_FUNC_task_storage_get___any);
	out[3] = bpf_core_enum_value_exists(enum bpf_func_id___names, BPF_FUNC_no_such_helper___any);
	out[4] = bpf_core_enum_value_exists(enum bpf_map_type___names,
					    BPF_MAP_TYPE_BLOOM_FILTER___any);
	out[5] = bpf_core_enum_value_exists(enum bpf_map_type___names, BPF_MAP_TYPE_XSKMAP___any);
	out[6] = bpf_core_type_exists(struct bpf_ringbuf___here);
	out[7] = (unsigned long)__builtin_preserve_access_index(&in->sin_addr.s_addr);
	out[8] = (unsigned long)__builtin_preserve_access_index(&in6->sin6_addr.in6_u.u6_addr8[3]);
	out[9] = bpf_core_field_offset(message->msg_flags);
#ifdef MEMBER
	out[10] = bpf_core_field_offset(message->no_such_member);
#endif
	return 0;
}
#endif
// CHECK-LABEL: read:
// CHECK: r1 = 0x1 ll
// CHECK: r1 = 0x84 ll
// CHECK: r1 = 0x0 ll
// CHECK: r1 = 0x0 ll
// CHECK: r1 = 0x1 ll
// CHECK: r1 = 0x0 ll
// CHECK: r1 = 1 {{ *}};
// CHECK: r1 = 4 {{ *}};
// CHECK: r1 = 11 {{ *}};
// CHECK: r1 = 48 {{ *}};

// BAD: error: member "no_such_member" of "struct user_msghdr" is the kernel's: a process knows only msg_name, msg_namelen,

// OWN-LABEL: read:
// OWN: r1 = 0x84 ll
// OWN: r1 = 96 {{ *}};
// OWN: r1 = 11 {{ *}};
