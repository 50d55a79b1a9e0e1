/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds `step` at each call of the function that the build attaches it to, unless `is_off`. */
#include <inlay/inlay.bpf.h>

const volatile __u64 step = 1;
const volatile _Bool is_off;
__u64 total;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

SEC("uprobe")
int add_step(struct pt_regs *ctx)
{
	__u32 key = (__u32)PT_REGS_PARM1(ctx);
	__u64 one = 1;

	if (is_off)
		return 0;
	total += step;
	bpf_map_update_elem(&seen, &key, &one, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
