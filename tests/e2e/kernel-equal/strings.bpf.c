/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings read from arguments: whole, cut, and from where nothing is. */
#include <inlay/inlay.bpf.h>

struct name {
	char text[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct name);
	__type(value, __u64);
} keys SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __s64);
	__type(value, __u64);
} lengths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct name);
} last SEC(".maps");

__s64 bad_str, bad_read, zero_bytes, one_byte;

static __always_inline void count(void *map, const void *key)
{
	__u64 zero = 0, *n = inlay_map_lookup_or_init(map, key, &zero);

	if (n)
		*n += 1;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value)
{
	struct name name, raw;
	__u32 slot = 0;
	__s64 length;

	__builtin_memset(&name, 0, sizeof(name));
	length = bpf_probe_read_user_str(name.text, sizeof(name.text), key);
	count(&lengths, &length);
	count(&keys, &name);
	__builtin_memset(&raw, 0, sizeof(raw));
	length = bpf_probe_read_user(raw.text, 3, value);
	if (!length)
		bpf_map_update_elem(&last, &slot, &raw, BPF_ANY);
	slot = 1;
	bpf_map_update_elem(&last, &slot, &name, BPF_ANY);
	one_byte += bpf_probe_read_user_str(raw.text, 1, value);
	zero_bytes += bpf_probe_read_user_str(raw.text, 0, value);
	return 0;
}

SEC("uprobe/kv_nothing")
int nowhere(struct pt_regs *ctx)
{
	struct name name;
	__u32 slot = 2;

	__builtin_memset(&name, 'x', sizeof(name));
	bad_str += bpf_probe_read_user_str(name.text, sizeof(name.text), (void *)8);
	bpf_map_update_elem(&last, &slot, &name, BPF_ANY);
	slot = 3;
	__builtin_memset(&name, 'y', sizeof(name));
	bad_read += bpf_probe_read_user(name.text, sizeof(name.text), (void *)16);
	bpf_map_update_elem(&last, &slot, &name, BPF_ANY);
	return 0;
}

SEC("uretprobe/kv_peek")
int BPF_URETPROBE(peek, const char *ret)
{
	struct name name;

	__builtin_memset(&name, 0, sizeof(name));
	if (ret)
		bpf_probe_read_user_str(name.text, sizeof(name.text), ret);
	count(&keys, &name);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
