/* SPDX-License-Identifier: BSD-2-Clause */
/* Every way to change a hash map, and what each says: flags, a full map, keys that are not there. */
#include <inlay/inlay.bpf.h>

struct name {
	char text[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10);
	__type(key, struct name);
	__type(value, struct name);
} small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8);
	__type(key, __u16);
	__type(value, __u64);
} flags_seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

struct wide {
	__u64 words[1024];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct wide);
} wide_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct wide);
} wide_by_key SEC(".maps");

/* Counts at both ends of values that do not fit a page. */
static __always_inline void count_wide(__u32 key)
{
	struct wide *value = bpf_map_lookup_elem(&wide_counts, &key);

	if (!value)
		return;
	value->words[0] += 1;
	value->words[1023] += 2;
	bpf_map_update_elem(&wide_by_key, &key, value, BPF_NOEXIST);
	value = bpf_map_lookup_elem(&wide_by_key, &key);
	if (value)
		value->words[1023] += 3;
}

static __always_inline void note(__u32 slot, __s64 result)
{
	__s64 *sum = bpf_map_lookup_elem(&results, &slot);

	if (sum)
		*sum = *sum * 3 + result;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u16 flags)
{
	struct name k = {}, v = {};
	__u32 slot = 99;
	__u64 one = 1, *n;

	count_wide(flags & 1);
	bpf_probe_read_user_str(k.text, sizeof(k.text), key);
	bpf_probe_read_user_str(v.text, sizeof(v.text), value);
	note(0, bpf_map_update_elem(&small, &k, &v, BPF_NOEXIST));
	note(1, bpf_map_update_elem(&small, &k, &v, BPF_EXIST));
	note(2, bpf_map_update_elem(&small, &k, &v, BPF_ANY));
	note(3, bpf_map_update_elem(&small, &k, &v, 17));
	note(4, bpf_map_update_elem(&results, &slot, &one, BPF_ANY));
	note(5, bpf_map_delete_elem(&results, &slot));
	n = bpf_map_lookup_elem(&flags_seen, &flags);
	if (n)
		*n += 1;
	else
		note(6, bpf_map_update_elem(&flags_seen, &flags, &one, BPF_NOEXIST));
	return 0;
}

SEC("uprobe/kv_delete")
int BPF_UPROBE(del, void *store, const char *key)
{
	struct name k = {};

	bpf_probe_read_user_str(k.text, sizeof(k.text), key);
	note(7, bpf_map_delete_elem(&small, &k));
	return 0;
}

SEC("uprobe/kv_get")
int BPF_UPROBE(get, void *store, const char *key)
{
	struct name k = {}, *v;

	bpf_probe_read_user_str(k.text, sizeof(k.text), key);
	v = bpf_map_lookup_elem(&small, &k);
	note(8, v ? v->text[0] : -1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
