/* SPDX-License-Identifier: BSD-2-Clause */
/* An argument kept by thread id until the return, as tools without sessions do. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __s64);
} started SEC(".maps");

struct pair {
	__s64 by, result;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct pair);
	__type(value, __u64);
} pairs SEC(".maps");

__u64 unpaired;

SEC("uprobe/kv_increment")
int BPF_UPROBE(enter, void *store, const char *key, long by)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__s64 value = by;

	bpf_map_update_elem(&started, &tid, &value, BPF_ANY);
	return 0;
}

SEC("uretprobe/kv_increment")
int BPF_URETPROBE(leave, long ret)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__s64 *by = bpf_map_lookup_elem(&started, &tid);
	struct pair key = { .result = ret };
	__u64 zero = 0, *n;

	if (!by) {
		unpaired++;
		return 0;
	}
	key.by = *by;
	bpf_map_delete_elem(&started, &tid);
	n = inlay_map_lookup_or_init(&pairs, &key, &zero);
	if (n)
		*n += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
