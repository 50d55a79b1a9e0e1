/* SPDX-License-Identifier: BSD-2-Clause */
/* Six integer arguments of different width and sign, and the first six of eight. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __s64);
} sums SEC(".maps");

struct mixed {
	signed char a;
	unsigned short b;
	int c;
	unsigned int d;
	long e;
	unsigned long f;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct mixed);
	__type(value, __u32);
} seen SEC(".maps");

static __always_inline void add(__u32 slot, __s64 n)
{
	__s64 *sum = bpf_map_lookup_elem(&sums, &slot);

	if (sum)
		__sync_fetch_and_add(sum, n);
}

SEC("uprobe/kv_mix")
int BPF_UPROBE(mix, signed char a, unsigned short b, int c, unsigned int d, long e, unsigned long f)
{
	struct mixed key;
	__u32 zero = 0, *n;

	__builtin_memset(&key, 0, sizeof(key));
	key.a = a;
	key.b = b;
	key.c = c;
	key.d = d;
	key.e = e;
	key.f = f;
	n = inlay_map_lookup_or_init(&seen, &key, &zero);
	if (n)
		(*n)++;
	add(0, a);
	add(1, b);
	add(2, c);
	add(3, d);
	add(4, e);
	add(5, (__s64)f);
	return 0;
}

SEC("uprobe/kv_wide")
int BPF_UPROBE(wide, int a, int b, int c, int d, int e, int f)
{
	add(6, a);
	add(7, b);
	add(8, c);
	add(9, d);
	add(10, e);
	add(11, f);
	return 0;
}

/* What is declared 32 bits wide has an upper half of zero in both. */
SEC("uprobe/kv_word")
int word(struct pt_regs *ctx)
{
	add(12, (__s64)PT_REGS_PARM1(ctx));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
