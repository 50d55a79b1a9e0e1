/* SPDX-License-Identifier: BSD-2-Clause */
/* One call of a helper reads ctx on one path and the target's memory on another. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} seen SEC(".maps");

SEC("uprobe/kv_set")
int set(struct pt_regs *ctx)
{
	const void *from = (const void *)PT_REGS_PARM2(ctx);
	__u64 word = 0, one = 1, *n;

	if (PT_REGS_PARM4(ctx) & 1)
		from = &PT_REGS_PARM4(ctx);
	/* one register, whichever it is */
	asm volatile("" : "+r"(from));
	if (bpf_probe_read(&word, 2, from))
		word = -1;
	n = bpf_map_lookup_elem(&seen, &word);
	if (n)
		*n += 1;
	else
		bpf_map_update_elem(&seen, &word, &one, BPF_ANY);
	return 0;
}

/* the result, or what is at NULL */
SEC("uretprobe/kv_increment")
int increment(struct pt_regs *ctx)
{
	const void *from = &PT_REGS_RC(ctx);
	__u64 word = 0, key, one = 1, *n;
	long error;

	if (PT_REGS_RC(ctx) & 1)
		from = 0;
	asm volatile("" : "+r"(from));
	error = bpf_probe_read(&word, 8, from);
	key = error ? 1ull << 32 : 1ull << 33 | (word & 0xffff);
	n = bpf_map_lookup_elem(&seen, &key);
	if (n)
		*n += 1;
	else
		bpf_map_update_elem(&seen, &key, &one, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
