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
} said;

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
