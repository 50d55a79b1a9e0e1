/* SPDX-License-Identifier: BSD-2-Clause */
/* Session cookies: nested, one a call; a non-zero return at entry suppresses the exit run. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} results SEC(".maps");

__u64 entries, exits, wrong_ip, suppressed_exits, mixed_up;

SEC("uprobe.session/kv_fibonacci")
int fibonacci(struct pt_regs *ctx)
{
	__u64 *cookie = bpf_session_cookie(), *sum;
	__u32 n;

	if (!bpf_session_is_return()) {
		entries++;
		if (*cookie)
			mixed_up++;
		*cookie = (PT_REGS_PARM1(ctx) & 0xffffffff) | 1ull << 40;
		return 0;
	}
	exits++;
	if (*cookie >> 40 != 1)
		mixed_up++;
	n = (__u32)*cookie & 63;
	sum = bpf_map_lookup_elem(&results, &n);
	if (sum)
		*sum += PT_REGS_RC(ctx);
	return 0;
}

/* Two programs at one function: each has a cookie of its own. */
SEC("uprobe.session/kv_fibonacci")
int odd_only(struct pt_regs *ctx)
{
	__u64 *cookie = bpf_session_cookie();

	if (!bpf_session_is_return()) {
		*cookie = 77;
		return !(PT_REGS_PARM1(ctx) & 1);
	}
	suppressed_exits++;
	if (*cookie != 77)
		mixed_up++;
	return 0;
}

SEC("uprobe.session/kv_increment")
int same_function(struct pt_regs *ctx)
{
	__u64 *cookie = bpf_session_cookie();

	if (!bpf_session_is_return())
		*cookie = bpf_get_func_ip(ctx);
	else if (*cookie != bpf_get_func_ip(ctx) || !*cookie)
		wrong_ip++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
