/* SPDX-License-Identifier: BSD-2-Clause */
/* What surrounds a thread, in shapes that are the same wherever it runs: clocks, task, group. */
#include <inlay/inlay.bpf.h>

__u64 hits, node, cgroup, classid, late_boot, late_tai, tai_before_boot, late_jiffies, no_task;
__s64 ancestor, level_too_deep, user_copied, wrong_namespace, branches, bad_signal;

SEC("uprobe/kv_fibonacci")
int BPF_UPROBE(fibonacci, unsigned int n)
{
	__u64 boot = bpf_ktime_get_boot_ns(), tai = bpf_ktime_get_tai_ns(),
	      jiffies = bpf_jiffies64();
	__u64 task = bpf_get_current_task();
	struct bpf_pidns_info ids;

	hits++;
	late_boot += bpf_ktime_get_boot_ns() < boot;
	late_tai += bpf_ktime_get_tai_ns() < tai;
	late_jiffies += bpf_jiffies64() < jiffies;
	tai_before_boot += tai < boot;
	no_task += !task;
	node += bpf_get_numa_node_id();
	cgroup = bpf_get_current_cgroup_id();
	ancestor = bpf_get_current_ancestor_cgroup_id(0);
	level_too_deep += bpf_get_current_ancestor_cgroup_id(200);
	classid += bpf_get_cgroup_classid((void *)0);
	wrong_namespace += bpf_get_ns_current_pid_tgid(1, 2, &ids, sizeof(ids));
	wrong_namespace += ids.pid + ids.tgid;
	bad_signal += bpf_send_signal(99) + bpf_send_signal_thread(1000);
	branches += bpf_get_branch_snapshot(&ids, sizeof(ids), 1);
	return 0;
}

SEC("uprobe.s/kv_hash")
int BPF_UPROBE(hash, const char *key)
{
	char text[4] = {};

	user_copied += bpf_copy_from_user(text, sizeof(text), key);
	user_copied += text[0] + (text[1] << 8);
	user_copied += bpf_copy_from_user(text, sizeof(text), (void *)8);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
