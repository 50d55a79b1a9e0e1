/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs of a map's memory: a log of requests that wraps, slices, everything that is refused. */
#include <inlay/inlay.bpf.h>

#define LOG_BYTES 256

struct log {
	unsigned char bytes[LOG_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct log);
} logs SEC(".maps");

struct entry {
	__u16 flags;
	__u16 nr;
	__u32 check;
};

__u64 written, refused, slices, sum, errors[4];
__u32 nr;

static void tell(struct bpf_dynptr *ptr, __u32 offset, struct entry *entry)
{
	if (bpf_dynptr_write(ptr, offset, entry, sizeof(*entry), 0))
		refused++;
	else
		written++;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u16 flags)
{
	__u32 which = nr & 1, bytes = flags & (LOG_BYTES - 1);
	struct entry entry = { .flags = flags, .nr = (__u16)nr, .check = flags * 31u + nr };
	struct entry back = {}, *slice;
	struct log *log = bpf_map_lookup_elem(&logs, &which);
	struct bpf_dynptr ptr, whole;
	long err;

	if (!log)
		return 0;
	bpf_dynptr_from_mem(log->bytes, bytes, 0, &ptr);
	tell(&ptr, nr * 8 & (LOG_BYTES - 1), &entry);
	tell(&ptr, bytes - 8, &entry);
	if (!bpf_dynptr_read(&back, sizeof(back), &ptr, flags & 0x7f, 0))
		sum += back.check + back.flags;
	slice = bpf_dynptr_data(&ptr, (flags & 0x1f) * 8, sizeof(*slice));
	if (slice) {
		slices++;
		slice->nr++;
	}
	/* the first half moves over the second, and a byte on */
	bpf_dynptr_from_mem(log->bytes, sizeof(log->bytes), 0, &whole);
	bpf_dynptr_write(&whole, 1, log->bytes, 64, 0);
	bpf_dynptr_read(log->bytes + 100, 100, &whole, 99, 0);

	err = bpf_dynptr_from_mem(log->bytes, 8, 1, &ptr);
	errors[0] += (__u32)err;
	errors[1] += (__u32)bpf_dynptr_read(&back, 1, &ptr, 0, 0);
	errors[2] += (__u32)bpf_dynptr_write(&whole, 0, &entry, 4, 1);
	errors[3] += (__u32)bpf_dynptr_read(&back, 4, &whole, 253, 0);
	nr++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
