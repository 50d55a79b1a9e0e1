/* SPDX-License-Identifier: BSD-2-Clause */
/* What the current task leads to: relatives, names, credentials and namespaces. */
#include <inlay/inlay.bpf.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
typedef struct {
	unsigned int val;
} kuid_t;
struct cred {
	kuid_t uid, gid, euid, egid;
};
struct ns_common {
	unsigned int inum;
};
struct uts_namespace {
	struct ns_common ns;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct pid_namespace {
	unsigned int level;
	struct ns_common ns;
};
struct net {
	struct ns_common ns;
};
struct nsproxy {
	struct uts_namespace *uts_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};
struct thread_struct {
	unsigned long fsbase;
};
struct task_struct {
	struct thread_struct thread;
	struct nsproxy *nsproxy;
	int pid, tgid;
	struct task_struct *real_parent, *parent, *group_leader;
	struct pid *thread_pid;
	const struct cred *cred, *real_cred;
	char comm[16];
	void *no_such_member;
};
#pragma clang attribute pop

struct comm {
	char text[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct comm);
	__type(value, __u64);
} comms SEC(".maps");

__u64 hits, wrong_pid, wrong_tgid, wrong_leader, own_parent, no_parent, two_parents, no_number;
__u64 wrong_number, leaders, uid_gid, euid_egid, lengths, members, wrong_thread;
__u32 uts, mnt, pid, net, pid_again;

SEC("uprobe/kv_work")
int BPF_UPROBE(work)
{
	struct task_struct *task = (void *)bpf_get_current_task(), *leader;
	__u64 id = bpf_get_current_pid_tgid(), zero = 0, *seen;
	__u32 tgid = id >> 32, parent = BPF_CORE_READ(task, real_parent, tgid), nr;
	__u64 thread, self = 0;
	struct comm comm = {};

	__sync_fetch_and_add(&hits, 1);
	leader = BPF_CORE_READ(task, group_leader);
	__sync_fetch_and_add(&wrong_pid, BPF_CORE_READ(task, pid) != (__u32)id);
	__sync_fetch_and_add(&wrong_tgid, BPF_CORE_READ(task, tgid) != tgid);
	__sync_fetch_and_add(&wrong_leader, BPF_CORE_READ(leader, pid) != tgid);
	__sync_fetch_and_add(&wrong_leader, BPF_CORE_READ(leader, tgid) != tgid);
	__sync_fetch_and_add(&leaders, leader == task);
	__sync_fetch_and_add(&no_parent, !parent);
	__sync_fetch_and_add(&own_parent, parent == tgid);
	__sync_fetch_and_add(&two_parents, BPF_CORE_READ(task, parent, tgid) != parent);
	/* by way of the first thread; a level of another namespace has a number there, too */
	__sync_fetch_and_add(&no_number, !BPF_CORE_READ(task, real_parent, group_leader, thread_pid,
							 numbers[0].nr));
	nr = BPF_CORE_READ(task, thread_pid, numbers[0].nr);
	__sync_fetch_and_add(&no_number, !nr);
	if (!BPF_CORE_READ(task, thread_pid, level))
		__sync_fetch_and_add(&wrong_number, nr != (__u32)id);

	BPF_CORE_READ_INTO(&comm, task, group_leader, comm);
#ifdef bpf_target_x86
	/* the thread's control block begins with its own address */
	thread = BPF_CORE_READ(task, thread.fsbase);
	if (bpf_probe_read_user(&self, sizeof(self), (void *)thread) || self != thread)
		__sync_fetch_and_add(&wrong_thread, 1);
#endif
	seen = inlay_map_lookup_or_init(&comms, &comm, &zero);
	if (seen)
		__sync_fetch_and_add(seen, 1);
	__sync_fetch_and_add(&lengths, BPF_CORE_READ_STR_INTO(&comm.text, task, comm));

	uts = BPF_CORE_READ(task, nsproxy, uts_ns, ns.inum);
	mnt = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	net = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	pid = BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum);
	return 0;
}

SEC("uprobe/kv_fibonacci")
int BPF_UPROBE(fibonacci)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	uid_gid = (__u64)BPF_CORE_READ(task, cred, uid.val) << 32 | BPF_CORE_READ(task, cred, gid.val);
	euid_egid = (__u64)BPF_CORE_READ(task, real_cred, euid.val) << 32 |
		    BPF_CORE_READ(task, real_cred, egid.val);
	/* the last number is that of the innermost namespace, the process's own */
	if (!BPF_CORE_READ(task, thread_pid, level))
		pid_again = BPF_CORE_READ(task, thread_pid, numbers[0].ns, ns.inum);
	else
		pid_again = BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum);
	members = bpf_core_field_exists(task->real_parent) + 2 * bpf_core_field_exists(task->comm) +
		  4 * bpf_core_field_exists(task->no_such_member) +
		  8 * bpf_core_type_exists(struct task_struct) +
		  16 * bpf_core_field_size(task->comm) + 512 * bpf_core_field_exists(task->pid);
	return 0;
}

SEC("uretprobe/kv_fibonacci")
int BPF_URETPROBE(after)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	if (task != (void *)bpf_get_current_task())
		wrong_pid++;
	wrong_pid += BPF_CORE_READ(task, pid) != (__u32)bpf_get_current_pid_tgid();
	no_parent += !BPF_CORE_READ(task, real_parent, tgid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
