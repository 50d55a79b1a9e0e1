/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers and map types that no other object here has: older names of reads, cgroup arrays, messages to a
 * program of which there are none, records that are given up, random numbers, cookies.
 */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__uint(max_entries, 2);
} groups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} messages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} parts SEC(".maps");

/* What was returned, in the order of the slots; each result leaves its trace in what follows. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

#ifdef __TARGET_ARCH_x86
#define NOWHERE ((void *)0xffff800000000000) /* a hole in front of all mappings */
#else
#define NOWHERE ((void *)-4096l)
#endif

static const char constant[] = "a constant, of which a part is read";
__u64 hits, wide_random, different, called_back;

static __always_inline void note(__u32 slot, __s64 result)
{
	__s64 *sum = bpf_map_lookup_elem(&results, &slot);

	if (sum)
		*sum = *sum * 3 + result;
}

SEC("uprobe/kv_get")
int BPF_UPROBE(get, void *store, const char *key)
{
	char text[8] = {}, part[16] = {};
	__u64 whole = 0x1122334455667788, copy = 0;

	hits++;
	note(0, bpf_probe_read_str(text, sizeof(text), key));
	note(1, *(__u64 *)text);
	note(2, bpf_probe_read(text, 3, key));
	note(3, *(__u64 *)text);
	note(4, bpf_probe_read_kernel(&copy, sizeof(copy), &whole));
	note(5, copy);
	note(6, bpf_probe_read_kernel_str(part, sizeof(part), constant + 2));
	note(7, *(__u64 *)part + *(__u64 *)(part + 8));
	/* no memory in a kernel either; of a process's addresses it says -ERANGE */
	note(8, bpf_probe_read_kernel(&copy, sizeof(copy), NOWHERE));
	note(9, copy);
	note(10, bpf_probe_read_kernel_str(part, sizeof(part), NOWHERE));
	note(11, bpf_probe_read_str(text, sizeof(text), (void *)8));
	note(12, *(__u64 *)text);
	note(13, bpf_get_attach_cookie(ctx));
	return 0;
}

static long on_message(struct bpf_dynptr *message, void *context)
{
	called_back++;
	return 0;
}

SEC("uprobe/kv_fibonacci")
int BPF_UPROBE(fibonacci, unsigned int n)
{
	__u64 a = bpf_get_prandom_u32(), b = bpf_get_prandom_u32();
	__u32 slot = n & 3;
	struct bpf_dynptr record;

	hits++;
	wide_random += a >> 32 | b >> 32;
	different |= a != b;
	note(16, bpf_current_task_under_cgroup(&groups, 0));
	note(17, bpf_current_task_under_cgroup(&groups, 2));
	note(18, bpf_user_ringbuf_drain(&messages, on_message, 0, 0));
	note(19, bpf_user_ringbuf_drain(&messages, on_message, 0, BPF_RB_NO_WAKEUP));
	note(20, bpf_user_ringbuf_drain(&messages, on_message, 0, 1 << 7));
	note(21, bpf_ringbuf_reserve_dynptr(&records, 24, 0, &record));
	note(22, bpf_dynptr_write(&record, 8, &slot, sizeof(slot), 0));
	if (n & 1)
		bpf_ringbuf_submit_dynptr(&record, 0);
	else
		bpf_ringbuf_discard_dynptr(&record, BPF_RB_NO_WAKEUP);
	/* neither a processor nor a thread of that number */
	note(23, !bpf_map_lookup_percpu_elem(&parts, &slot, 0x7fffffff));
	slot = 4;
	note(24, !bpf_map_lookup_percpu_elem(&parts, &slot, 0));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
