/* SPDX-License-Identifier: BSD-2-Clause */
/* Who runs: user and group, name of the command, thread and process; subprograms and loops. */
#include <inlay/inlay.bpf.h>

struct comm {
	char text[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct comm);
	__type(value, __u64);
} comms SEC(".maps");

__u64 uid_gid, main_threads, other_threads, late_clock, cpu_out_of_range, loops, cut;
static __u64 last_ns;

static __attribute__((noinline)) __u64 weigh(__u64 n)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < 16; i++) {
		if (i > n)
			break;
		sum += i * n;
	}
	return sum;
}

SEC("uprobe/kv_fibonacci")
int BPF_UPROBE(fibonacci, unsigned int n)
{
	__u64 zero = 0, *seen, id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	struct comm comm = {};

	bpf_get_current_comm(comm.text, sizeof(comm.text));
	seen = inlay_map_lookup_or_init(&comms, &comm, &zero);
	if (seen)
		*seen += 1;
	bpf_get_current_comm(comm.text, 2);
	cut += comm.text[0] + comm.text[1];
	uid_gid = bpf_get_current_uid_gid();
	if (id >> 32 == (__u32)id)
		main_threads++;
	else
		other_threads++;
	late_clock += now < last_ns;
	last_ns = 0;
	cpu_out_of_range += bpf_get_smp_processor_id() > 4095;
	loops += weigh(n);
	return 0;
}

SEC("uprobe/kv_work")
int BPF_UPROBE(work)
{
	__u64 id = bpf_get_current_pid_tgid();

	if (id >> 32 == (__u32)id)
		__sync_fetch_and_add(&main_threads, 1);
	else
		__sync_fetch_and_add(&other_threads, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
