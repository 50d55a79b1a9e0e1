/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program finds behind bpf_get_current_task(). */
#ifndef INLAY_ABI_TASK_H
#define INLAY_ABI_TASK_H

#include "inlay/abi/base.h"

/*
 * What bpf_get_current_task() leads to. A process has no struct task_struct; what it can know of its own
 * tasks can be read with bpf_probe_read_kernel() at addresses that no process has, where a view of
 * each thread seems to lie: bpfcc resolves CO-RE accesses of the kernel's structures to these offsets,
 * the runtime makes the bytes when they are read. Members stand for those of the same name.
 */
#define INLAY_TASK_BASE 0xffff888000000000ull
#define INLAY_TASK_SHIFT 14	/* a thread's view is at INLAY_TASK_BASE + (tid << 14) */
#define INLAY_TASK_TIDS (1ull << 22)
#define INLAY_TASK_COMM_BYTES 16u

struct inlay_task_ns {		/* struct pid_namespace, mnt_namespace ... */
	__u64 ops[2];		/* 0; from here to count: struct ns_common */
	__u32 inum;
	__u32 count;		/* 0 */
	__u32 level;		/* of a pid_namespace: 0, as if the own one were the first */
	__u32 pad;
};

enum inlay_task_ns_kind {
	INLAY_TASK_NS_UTS,
	INLAY_TASK_NS_IPC,
	INLAY_TASK_NS_MNT,
	INLAY_TASK_NS_PID,
	INLAY_TASK_NS_NET,
	INLAY_TASK_NS_TIME,
	INLAY_TASK_NS_CGROUP,
	INLAY_TASK_NR_NS
};

struct inlay_task_cred {	/* struct cred */
	__u32 uid, gid, suid, sgid, euid, egid;
};

struct inlay_task_pid {		/* struct pid, with one struct upid */
	__u32 level;		/* 0 */
	__u32 pad;
	__u32 nr;
	__u32 pad2;
	__u64 ns;
};

struct inlay_task_view {
	__u32 pid, tgid;
	__u8 comm[INLAY_TASK_COMM_BYTES];
	__u64 real_parent, parent, group_leader, nsproxy, thread_pid, cred; /* addresses of views */
	__u64 nsproxy_ns[INLAY_TASK_NR_NS]; /* struct nsproxy */
	struct inlay_task_cred own_cred;
	struct inlay_task_pid own_pid;
	struct inlay_task_ns ns[INLAY_TASK_NR_NS];
	__u64 thread;		/* struct thread_struct: fsbase of x86-64, uw.tp_value of arm64 */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_task_view) == 24 + 48 + 56 + 24 + 24 + 7 * 32 + 8,
		    "struct inlay_task_view");

#endif /* INLAY_ABI_TASK_H */
