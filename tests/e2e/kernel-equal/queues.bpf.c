/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues, stacks and bloom filters: pushed to, popped, peeked at, full, empty, with flags that are wrong. */
#include <inlay/inlay.bpf.h>

struct name {
	char text[20];
};

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 6);
	__type(value, struct name);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 5);
	__type(value, struct name);
} stack SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4);
	__type(value, __u64);
} newest SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 1000);
	__uint(map_extra, 3);
	__type(value, struct name);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

static __always_inline void note(__u32 slot, __s64 result)
{
	__s64 *sum = bpf_map_lookup_elem(&results, &slot);

	if (sum)
		*sum = *sum * 3 + result;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u64 flags)
{
	struct name k = {}, v;

	bpf_probe_read_user_str(k.text, sizeof(k.text), key);
	note(0, bpf_map_push_elem(&queue, &k, BPF_ANY));
	note(1, bpf_map_push_elem(&stack, &k, flags & 1 ? BPF_EXIST : BPF_ANY));
	note(2, bpf_map_push_elem(&stack, &k, BPF_NOEXIST));
	note(3, bpf_map_push_elem(&newest, &flags, BPF_EXIST));
	note(4, bpf_map_push_elem(&names, &k, BPF_ANY));
	note(5, bpf_map_push_elem(&names, &k, BPF_EXIST));
	note(6, bpf_map_peek_elem(&queue, &v));
	note(7, v.text[3]);
	return 0;
}

SEC("uprobe/kv_delete")
int BPF_UPROBE(del, void *store, const char *key)
{
	struct name v;

	note(8, bpf_map_pop_elem(&queue, &v));
	note(9, v.text[4]);
	note(10, bpf_map_pop_elem(&stack, &v));
	note(11, v.text[4]);
	return 0;
}

SEC("uprobe/kv_get")
int BPF_UPROBE(get, void *store, const char *key)
{
	struct name k = {}, v;

	/* what was added is found; what was not is found here or there, as their hashes differ */
	bpf_probe_read_user_str(k.text, sizeof(k.text), key);
	note(12, bpf_map_push_elem(&names, &k, 0));
	note(13, bpf_map_peek_elem(&names, &k));
	if (k.text[3] == '5')
		note(14, bpf_map_pop_elem(&stack, &v));
	else
		note(14, bpf_map_peek_elem(&stack, &v));
	note(15, v.text[5]);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
