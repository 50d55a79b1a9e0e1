/* SPDX-License-Identifier: BSD-2-Clause */
/* One program at many functions by a glob, at their entries and returns. */
#include <inlay/inlay.bpf.h>

__u64 entries, returns, at_entry, sessions, session_ends, by_set;

SEC("uprobe.multi/kv_*[ae]*")
int enter(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&entries, 1);
	return 0;
}

SEC("uretprobe.multi/kv_*[ae]*")
int leave(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&returns, 1);
	return 0;
}

SEC("uprobe.multi/kv_?et")
int get_set(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&by_set, 1);
	return 0;
}

SEC("uprobe.session/kv_[!r]*d*")
int both(struct pt_regs *ctx)
{
	if (bpf_session_is_return())
		__sync_fetch_and_add(&session_ends, 1);
	else
		__sync_fetch_and_add(&sessions, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
