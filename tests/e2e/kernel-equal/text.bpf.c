/* SPDX-License-Identifier: BSD-2-Clause */
/* Text made and taken apart: formats, numbers, comparisons; also what was printed, by its length. */
#include <inlay/inlay.bpf.h>

struct line {
	char text[48];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct line);
	__type(value, __u64);
} lines SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __s64);
	__type(value, __u64);
} answers SEC(".maps");

__s64 signed_sum, unsigned_sum, parsed, before, equal, behind, printed, vprinted;

static __always_inline void count(void *map, const void *key)
{
	__u64 zero = 0, *n = inlay_map_lookup_or_init(map, key, &zero);

	if (n)
		*n += 1;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, unsigned short flags)
{
	struct line line = {};
	char copy[24] = {};
	__s64 length, order;

	bpf_probe_read_user_str(copy, sizeof(copy), key);
	length = BPF_SNPRINTF(line.text, sizeof(line.text), "%-9s|%5d|%05u|%x.", copy, flags, flags,
			      flags);
	count(&answers, &length);
	count(&lines, &line);
	order = bpf_strncmp(copy, sizeof(copy), "key2");
	before += order < 0;
	equal += !order;
	behind += order > 0;
	/* the number of a key: from its first digit on, or none */
	if (bpf_strncmp(copy, 3, "key") == 0) {
		__s64 number = 7;
		__u64 unsigned_number = 7;

		length = bpf_strtol(copy + 3, sizeof(copy) - 3, 10, (long *)&number);
		count(&answers, &length);
		parsed += length > 0;
		signed_sum += number;
		bpf_strtoul(copy + 3, sizeof(copy) - 3, 0, (unsigned long *)&unsigned_number);
		unsigned_sum += unsigned_number;
	}
	return 0;
}

SEC("uprobe/kv_mix")
int BPF_UPROBE(mix, signed char a, unsigned short b, int c, unsigned int d, long e)
{
	struct line line = {};
	__s64 length;

	length = BPF_SNPRINTF(line.text, sizeof(line.text), "%d %u %+d %X %lld", a, b, c, d, e);
	count(&answers, &length);
	count(&lines, &line);
	/* cut */
	length = BPF_SNPRINTF(line.text, 9, "%llx:%llx:%c%c", e, e, 'a' + (c & 15), 'z');
	count(&answers, &length);
	count(&lines, &line);
	printed += bpf_printk("%d %u %ld", a, b, e);
	vprinted += bpf_printk("%d %u %d %u %ld", a, b, c, d, e);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
