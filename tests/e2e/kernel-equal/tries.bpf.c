/* SPDX-License-Identifier: BSD-2-Clause */
/* Tries: prefixes of all lengths come and go, keys find the longest; one that is full. */
#include <inlay/inlay.bpf.h>

struct key {
	__u32 bits;
	__u8 data[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 200);
	__type(key, struct key);
	__type(value, __u64);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 7);
	__type(key, struct key);
	__type(value, __u32);
} small SEC(".maps");

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

/* `bits` bits of the text, and zeros: what is behind the prefix is kept by the kernel, and not by Inlay */
static __always_inline void make(struct key *key, const char *text, __u32 bits)
{
	__builtin_memset(key, 0, sizeof(*key));
	bpf_probe_read_user_str(key->data, sizeof(key->data), text);
	key->bits = bits;
	for (__u32 i = 0; i < sizeof(key->data); i++)
		if (8 * i >= bits)
			key->data[i] = 0;
		else if (8 * i + 8 > bits)
			key->data[i] &= 0xff00 >> bits % 8;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *text, const char *value, __u32 flags)
{
	__u64 number = flags + 1;
	struct key key;

	make(&key, text, flags % 65);
	note(0, bpf_map_update_elem(&routes, &key, &number, BPF_ANY));
	note(1, bpf_map_update_elem(&routes, &key, &number, BPF_NOEXIST));
	note(2, bpf_map_update_elem(&small, &key, &flags, BPF_EXIST));
	note(3, bpf_map_update_elem(&small, &key, &flags, BPF_NOEXIST));
	note(4, bpf_map_update_elem(&small, &key, &flags, BPF_ANY));
	note(5, bpf_map_update_elem(&small, &key, &flags, 5));
	key.bits = 65;
	note(6, bpf_map_update_elem(&small, &key, &flags, BPF_ANY));
	note(7, bpf_map_delete_elem(&small, &key));
	note(8, bpf_map_lookup_elem(&small, &key) != 0);
	return 0;
}

SEC("uprobe/kv_delete")
int BPF_UPROBE(del, void *store, const char *text)
{
	struct key key;

	for (__u32 bits = 0; bits <= 64; bits += 7) {
		make(&key, text, bits);
		note(9, bpf_map_delete_elem(&routes, &key));
		note(10, bpf_map_delete_elem(&small, &key));
	}
	return 0;
}

SEC("uprobe/kv_get")
int BPF_UPROBE(get, void *store, const char *text)
{
	struct key key;
	__u64 *number;
	__u32 *few;

	for (__u32 bits = 4; bits <= 64; bits += 12) {
		make(&key, text, bits);
		number = bpf_map_lookup_elem(&routes, &key);
		note(11, number ? (__s64)*number : -1);
		few = bpf_map_lookup_elem(&small, &key);
		note(12, few ? (__s64)*few : -1);
		if (number)
			__sync_fetch_and_add(number, 1000);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
