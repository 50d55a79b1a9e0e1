/* SPDX-License-Identifier: BSD-2-Clause */
/* Every helper that is not about maps, called at one function; what it said goes into one struct. */
#include <inlay/inlay.bpf.h>

char LICENSE[] SEC("license") = "GPL";

struct said {
	__u64 hits;
	__u64 pid_tgid;
	__u64 uid_gid;
	__u64 cpu;
	__u64 ip;
	__u64 cookie;
	__u64 random, random2;
	__u64 began_ns, took_ns;
	__s64 comm_ret;
	char comm[16];
	__s64 text_ret;
	char text[16];
	__s64 bad_ret, word_ret;
	__u64 bad, word;
	__s64 print_ret;
	__s64 line_ret, number, number_ret, order, namespace_ret;
	char line[24];
	__u64 boot_ns, coarse_late, cgroup, task_read, node;
} said;

static __always_inline void made_and_found(void)
{
	__u64 began = bpf_ktime_get_ns();
	struct bpf_pidns_info ids;
	char digits[] = " -0x2a?";

	said.line_ret = BPF_SNPRINTF(said.line, sizeof(said.line), "<%s:%04d>", said.comm,
				     (int)said.hits);
	said.number_ret = bpf_strtol(digits, sizeof(digits), 0, (long *)&said.number);
	said.order = bpf_strncmp(said.comm, sizeof(said.comm), "helper-childish");
	said.namespace_ret = bpf_get_ns_current_pid_tgid(0, 1, &ids, sizeof(ids));
	said.boot_ns = bpf_ktime_get_boot_ns();
	said.coarse_late = bpf_ktime_get_coarse_ns() > began + 1000000000ull;
	said.cgroup = bpf_get_current_cgroup_id();
	said.task_read = bpf_probe_read_kernel(&said.node, 8, (void *)bpf_get_current_task() + 8192);
	said.node = bpf_get_numa_node_id();
}

SEC("uprobe/look")
int at_entry(struct pt_regs *ctx)
{
	const char *text = (const char *)PT_REGS_PARM1(ctx);
	const void *bad = (const void *)PT_REGS_PARM2(ctx);

	said.hits++;
	said.pid_tgid = bpf_get_current_pid_tgid();
	said.uid_gid = bpf_get_current_uid_gid();
	said.cpu = bpf_get_smp_processor_id();
	said.ip = bpf_get_func_ip(ctx);
	said.cookie = bpf_get_attach_cookie(ctx);
	said.random = bpf_get_prandom_u32();
	said.random2 = bpf_get_prandom_u32();
	said.comm_ret = bpf_get_current_comm(said.comm, sizeof(said.comm));
	said.text_ret = bpf_probe_read_user_str(said.text, sizeof(said.text), text);
	said.bad_ret = bpf_probe_read_user(&said.bad, sizeof(said.bad), bad);
	said.word_ret = bpf_probe_read(&said.word, sizeof(said.word), text);
	said.print_ret = bpf_printk("look at %s: %d", text, (int)said.hits);
	made_and_found();
	return 0;
}

SEC("uprobe.session/look")
int around(void *ctx)
{
	__u64 *begin = bpf_session_cookie();

	if (bpf_session_is_return()) {
		said.took_ns = bpf_ktime_get_ns() - *begin;
	} else {
		*begin = bpf_ktime_get_ns();
		said.began_ns = *begin;
	}
	return 0;
}
