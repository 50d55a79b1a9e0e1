/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps and programs of every kind that `inlay` prints, on the functions of target.c. */
#include <inlay/inlay.bpf.h>

enum state { IDLE, BUSY = 3 };

struct conn {
	__u32 id;
	char name[12];
};

struct stats {
	__u64 hits;
	__s32 last;
	enum state state;
	char tag[8];
	__u16 pair[2];
};

struct latency {
	__u64 slots[32];
	__u64 total;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} sizes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct conn);
	__type(value, struct stats);
} conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} by_thread SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u64);
	__type(value, struct latency);
} latency_ns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} tiny SEC(".maps");

__u64 works;
int lowest = 1000;
char label[8] = "e2e";
const volatile __u32 limit = 5;

SEC("uprobe/work")
int on_work(struct pt_regs *ctx)
{
	__u32 id = (__u32)PT_REGS_PARM1(ctx), zero = 0, slot = id & 7;
	__u64 *n;

	__sync_fetch_and_add(&works, 1);
	if ((int)id < lowest)
		lowest = (int)id;
	n = bpf_map_lookup_elem(&sizes, &slot);
	if (n)
		__sync_fetch_and_add(n, 2);
	n = bpf_map_lookup_elem(&by_thread, &zero);
	if (n)
		*n += 1;
	bpf_map_update_elem(&tiny, &id, &id, BPF_ANY);
	return 0;
}

SEC("uprobe/greet")
int on_greet(struct pt_regs *ctx)
{
	struct conn key = {};
	struct stats fresh = { .state = BUSY, .tag = "new\0old" }, *stats;

	key.id = (__u32)PT_REGS_PARM1(ctx);
	bpf_probe_read_user_str(key.name, sizeof(key.name), (void *)PT_REGS_PARM2(ctx));
	stats = bpf_map_lookup_elem(&conns, &key);
	if (!stats) {
		bpf_map_update_elem(&conns, &key, &fresh, BPF_ANY);
		stats = bpf_map_lookup_elem(&conns, &key);
	}
	if (stats) {
		__sync_fetch_and_add(&stats->hits, 1);
		stats->last = -(int)key.id;
		stats->pair[1] = limit;
	}
	if (key.id == 1)
		bpf_printk("greeted %d", key.id);
	return 0;
}

SEC("uprobe.session/work")
int time_work(struct pt_regs *ctx)
{
	__u64 *start = bpf_session_cookie(), ip = bpf_get_func_ip(ctx), ns;
	static const struct latency empty;
	struct latency *latency;
	__u32 slot = 0;

	if (!bpf_session_is_return()) {
		*start = bpf_ktime_get_ns();
		return 0;
	}
	ns = bpf_ktime_get_ns() - *start;
	latency = bpf_map_lookup_elem(&latency_ns, &ip);
	if (!latency) {
		bpf_map_update_elem(&latency_ns, &ip, &empty, BPF_NOEXIST);
		latency = bpf_map_lookup_elem(&latency_ns, &ip);
	}
	if (!latency)
		return 0;
	/* not a real log2: a known bucket is what the test can compare with */
	slot = 10;
	latency->slots[slot] += 1;
	latency->total += ns ? 1 : 1;
	return 0;
}

__u64 optional;

INLAY_SWITCHED
SEC("uprobe/work")
int on_demand(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&optional, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
