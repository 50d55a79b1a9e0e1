/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of maps that the object fills: looked up by index and by key, and the inner ones used in every way. */
#include <inlay/inlay.bpf.h>

struct counts {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} counts_a SEC(".maps"), counts_b SEC(".maps"), counts_c SEC(".maps");

struct seen {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 6);
	__type(key, __u64);
	__type(value, __u64);
} seen_a SEC(".maps"), seen_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 5);
	__type(key, __u32);
	__array(values, struct counts);
} by_index SEC(".maps") = {
	.values = { [0] = &counts_a, [2] = &counts_b, [4] = &counts_c },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 20);
	__type(key, __u32);
	__array(values, struct seen);
} by_key SEC(".maps") = {
	.values = { [1] = &seen_a, [17] = &seen_b },
};

__u64 found, missing, results;

static __always_inline void note(__s64 result)
{
	results = results * 3 + (__u64)result;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u32 flags)
{
	__u32 index = flags % 7, slot = flags % 9, key_slot = flags % 19;
	__u64 number = flags, *n;
	void *inner = bpf_map_lookup_elem(&by_index, &index);

	if (inner) {
		found++;
		n = bpf_map_lookup_elem(inner, &slot);
		if (n)
			__sync_fetch_and_add(n, number);
		note(bpf_map_update_elem(inner, &index, &number, BPF_ANY));
		note(bpf_map_update_elem(inner, &slot, &number, BPF_NOEXIST));
		note(bpf_map_delete_elem(inner, &slot));
	} else {
		missing++;
	}
	inner = bpf_map_lookup_elem(&by_key, &key_slot);
	if (inner) {
		found += 100;
		n = bpf_map_lookup_elem(inner, &number);
		if (n)
			*n += 1;
		note(bpf_map_update_elem(inner, &number, &number, BPF_NOEXIST));
	}
	return 0;
}

static long each(void *map, __u64 *key, __u64 *value, void *ctx)
{
	*(__u64 *)ctx += *key ^ *value;
	return 0;
}

SEC("uprobe/kv_delete")
int BPF_UPROBE(del, void *store, const char *text)
{
	char digits[8] = {};
	__u64 number, sum = 0;
	__u32 key = 1;
	void *inner = bpf_map_lookup_elem(&by_key, &key);

	bpf_probe_read_user_str(digits, sizeof(digits), text);
	number = (__u64)digits[3];
	if (!inner)
		return 0;
	note(bpf_map_delete_elem(inner, &number));
	note(bpf_map_update_elem(inner, &number, &number, BPF_ANY));
	bpf_for_each_map_elem(inner, each, &sum, 0);
	note((__s64)sum);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
