/* SPDX-License-Identifier: BSD-2-Clause */
/* Open-coded iterators: bounds that the target gives, nested, left early, empty, refused, in functions. */
#include <inlay/inlay.bpf.h>

#define KEY_BYTES 16

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} letters SEC(".maps");

__u64 hash, rounds, repeats, pairs, returned, drained, by_bit[64];
__s64 errors[4], ends[4];

static int first_set(__u32 bits)
{
	int i;

	bpf_for(i, 0, 32)
		if (bits & 1u << (i & 31))
			return i;
	return -1;
}

static void odd_ranges(__u16 flags)
{
	struct bpf_iter_num it;
	int *now;

	errors[0] += (__u32)bpf_iter_num_new(&it, 1, 0);
	while (bpf_iter_num_next(&it))
		ends[0]++;
	bpf_iter_num_destroy(&it);
	errors[1] += (__u32)bpf_iter_num_new(&it, -1, (8 << 20) + flags % 3 - 2);
	while (bpf_iter_num_next(&it))
		ends[1]++;
	bpf_iter_num_destroy(&it);
	errors[2] += (__u32)bpf_iter_num_new(&it, -2147483647 - 1, -2147483647 + flags % 4);
	while ((now = bpf_iter_num_next(&it)))
		ends[2] += *now;
	while (bpf_iter_num_next(&it))
		drained++;
	bpf_iter_num_destroy(&it);
	errors[3] += (__u32)bpf_iter_num_new(&it, 2147483645, 2147483647);
	while ((now = bpf_iter_num_next(&it)))
		ends[3] += *now;
	bpf_iter_num_destroy(&it);
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u16 flags)
{
	char text[KEY_BYTES] = {};
	int i = 0, j, n;

	n = bpf_probe_read_user_str(text, sizeof(text), key);
	bpf_for(i, 0, n - 1) {
		__u64 one = 1, *count;
		__u32 letter;

		if (i >= KEY_BYTES)
			break;
		letter = (unsigned char)text[i];
		hash = hash * 31 + letter;
		count = bpf_map_lookup_elem(&letters, &letter);
		if (count)
			*count += 1;
		else
			bpf_map_update_elem(&letters, &letter, &one, BPF_ANY);
	}
	rounds += i;
	bpf_for(i, 0, flags % 7) {
		bpf_for(j, i, flags % 11) {
			if (j == 5)
				continue;
			if (i + j > 9)
				break;
			pairs += i * 16 + j;
		}
	}
	bpf_repeat(flags % 5)
		repeats++;
	i = first_set(flags);
	if (i >= 0 && i < 64)
		by_bit[i]++;
	odd_ranges(flags);
	bpf_for(i, -3, 3)
		if (i == (int)(flags % 4)) {
			returned++;
			return 0;
		}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
