/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of every kind, whose counts are the same on any machine. */
#include <inlay/inlay.bpf.h>
#include <stdbool.h>
#include <bpf/usdt.bpf.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} starts SEC(".maps");

struct {
	__u64 entries, arguments, text, returns, results, paired, sessions, calls, usdt_hits, usdt_sum;
	__u64 again, frames, records, overridden, pid_differs, wrong_ip;
} said;

SEC("uprobe/serve")
int BPF_UPROBE(on_serve, int n, const char *name, long long price, signed char small)
{
	__u64 *seen, zero = 0, id = bpf_get_current_pid_tgid();
	__u32 key = (__u32)n;
	char copy[8] = {};

	said.entries++;
	said.arguments += n + (__s64)price + (signed char)small;
	bpf_probe_read_user_str(copy, sizeof(copy), name);
	for (int i = 0; i < 8; i++)
		said.text += copy[i];
	seen = inlay_map_lookup_or_init(&starts, &key, &zero);
	if (seen)
		said.again += (*seen)++ != 0;
	said.wrong_ip += PT_REGS_IP(ctx) != bpf_get_func_ip(ctx);
	said.pid_differs += (__u32)id != id >> 32;
	return 0;
}

SEC("uretprobe/serve")
int BPF_URETPROBE(after_serve, int ret)
{
	said.returns++;
	said.results += ret;
	return 0;
}

SEC("uprobe.session/wide")
int both(struct pt_regs *ctx)
{
	__u64 *cookie = bpf_session_cookie();

	if (bpf_session_is_return()) {
		said.paired += *cookie;
	} else {
		*cookie = PT_REGS_PARM1(ctx) + PT_REGS_PARM6(ctx);
		said.sessions++;
	}
	return 0;
}

SEC("uprobe/getppid")
int on_call(struct pt_regs *ctx)
{
	said.calls++;
	return 0;
}

SEC("usdt/shop:order")
int on_order(struct pt_regs *ctx)
{
	long value;

	said.usdt_hits++;
	for (int i = 0; i < 3; i++)
		if (!bpf_usdt_arg(ctx, i, &value))
			said.usdt_sum += value * (i + 1);
	return 0;
}

/* Argument: the caller's frame. */
SEC("uprobe/framed")
int BPF_UPROBE(on_framed, void *frame)
{
	__u64 ips[4];
	long bytes = bpf_get_stack(ctx, ips, sizeof(ips), BPF_F_USER_STACK);

	said.frames += PT_REGS_FP(ctx) == (__u64)frame;
	said.records += bytes >= 16 && ips[0] == bpf_get_func_ip(ctx);
	return 0;
}

SEC("uprobe/refused")
int on_refused(struct pt_regs *ctx)
{
	said.overridden++;
	bpf_override_return(ctx, -17);
	return 0;
}
