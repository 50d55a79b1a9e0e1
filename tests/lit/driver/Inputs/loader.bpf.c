/* SPDX-License-Identifier: BSD-2-Clause */
/* As tools are whose loader chooses functions, sizes and what is compiled in: of no use as it is. */
#include <inlay/inlay.bpf.h>

const volatile _Bool wants_task = 1;
__u64 entries, returns;

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(__u32));
} stacks SEC(".maps");

SEC("kprobe/dummy")
int on_entry(struct pt_regs *ctx)
{
	/* no process has one: only what --set leaves out may call it */
	if (wants_task && bpf_task_pt_regs(bpf_get_current_task_btf()))
		entries += 1000;
	if (bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK) >= 0)
		entries++;
	return 0;
}

SEC("uretprobe/label")
int on_return(struct pt_regs *ctx)
{
	returns += PT_REGS_RC(ctx);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
