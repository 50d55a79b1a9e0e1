/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LRU maps with room to spare, where nobody has to choose: every way to change them, and what each says.
 */
#include <inlay/inlay.bpf.h>

struct name {
	char text[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct name);
	__type(value, struct name);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
	__uint(map_flags, BPF_F_NO_COMMON_LRU);
} lengths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u16);
	__type(value, __u64);
} flags_seen SEC(".maps");

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
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u16 flags)
{
	struct name k = {}, v = {};
	__u64 one = 1, length, *n;

	length = (__u64)bpf_probe_read_user_str(k.text, sizeof(k.text), key);
	bpf_probe_read_user_str(v.text, sizeof(v.text), value);
	note(0, bpf_map_update_elem(&names, &k, &v, BPF_NOEXIST));
	note(1, bpf_map_update_elem(&names, &k, &v, BPF_EXIST));
	note(2, bpf_map_update_elem(&names, &k, &v, BPF_ANY));
	note(3, bpf_map_update_elem(&names, &k, &v, 17));
	note(4, bpf_map_update_elem(&lengths, &length, &one, BPF_NOEXIST));
	n = bpf_map_lookup_elem(&lengths, &length);
	if (n)
		__sync_fetch_and_add(n, 1);
	n = bpf_map_lookup_elem(&flags_seen, &flags);
	if (n)
		*n += 1;
	else
		note(5, bpf_map_update_elem(&flags_seen, &flags, &one, BPF_NOEXIST));
	return 0;
}

SEC("uprobe/kv_delete")
int BPF_UPROBE(del, void *store, const char *key)
{
	struct name k = {};

	bpf_probe_read_user_str(k.text, sizeof(k.text), key);
	note(6, bpf_map_delete_elem(&names, &k));
	return 0;
}

SEC("uprobe/kv_get")
int BPF_UPROBE(get, void *store, const char *key)
{
	struct name k = {}, *v;

	bpf_probe_read_user_str(k.text, sizeof(k.text), key);
	v = bpf_map_lookup_elem(&names, &k);
	note(7, v ? v->text[0] : -1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
