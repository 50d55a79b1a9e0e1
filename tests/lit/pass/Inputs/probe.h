/* SPDX-License-Identifier: BSD-2-Clause */
/* For the probes of these tests: libbpf's headers, registers, and an array to put results into. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef PT_REGS_PARM6 /* libbpf 1.1 ends at 5 */
#define PT_REGS_PARM6(ctx) ((ctx)->r9)
#endif

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __u64);
} out SEC(".maps");

static __always_inline void put(__u32 i, __u64 v)
{
	__u64 *p = bpf_map_lookup_elem(&out, &i);

	if (p)
		*p = v;
}

static __always_inline void add(__u32 i, __u64 v)
{
	__u64 *p = bpf_map_lookup_elem(&out, &i);

	if (p)
		*p += v;
}

extern _Bool bpf_session_is_return(void *ctx) __ksym;
extern __u64 *bpf_session_cookie(void *ctx) __ksym;

#define TAG(text) __attribute__((btf_decl_tag("inlay:" text)))

char LICENSE[] SEC("license") = "GPL";
