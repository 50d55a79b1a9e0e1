/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions called by a signal handler, while the interrupted one has not returned. */
#include <inlay/inlay.bpf.h>

__u64 inside, handled, calls_inside, returns_inside, order;
__s64 numbers;

SEC("uprobe/kv_run_signals")
int BPF_UPROBE(begin, unsigned int times)
{
	inside = times;
	return 0;
}

SEC("uretprobe/kv_run_signals")
int BPF_URETPROBE(end, int ret)
{
	inside -= ret;
	return 0;
}

SEC("uprobe/kv_on_signal")
int BPF_UPROBE(on_signal, int number)
{
	handled++;
	numbers += number;
	order = order * 31 + 1;
	return 0;
}

SEC("uretprobe/kv_on_signal")
int on_signal_end(struct pt_regs *ctx)
{
	order = order * 31 + 2;
	return 0;
}

SEC("uprobe.session/kv_fibonacci")
int fibonacci(struct pt_regs *ctx)
{
	__u64 *cookie = bpf_session_cookie();

	if (!inside)
		return 1;
	if (!bpf_session_is_return()) {
		calls_inside++;
		*cookie = order;
		order = order * 31 + 3;
		return 0;
	}
	returns_inside += *cookie != order;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
