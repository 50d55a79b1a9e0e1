/* SPDX-License-Identifier: BSD-2-Clause */
/* Return values of every width, signed and not. */
#include <inlay/inlay.bpf.h>

struct key {
	__u32 function;
	__u32 pad;
	__s64 value;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct key);
	__type(value, __u64);
} values SEC(".maps");

static __always_inline int note(__u32 function, __s64 value)
{
	struct key key = { .function = function, .value = value };
	__u64 zero = 0, *n = inlay_map_lookup_or_init(&values, &key, &zero);

	if (n)
		*n += 1;
	return 0;
}

#define RETURNS(nr, function, type)                                                                \
	SEC("uretprobe/" #function)                                                                \
	int BPF_URETPROBE(r##nr, type ret)                                                         \
	{                                                                                          \
		return note(nr, ret);                                                              \
	}

RETURNS(1, kv_is_odd, _Bool)
RETURNS(2, kv_narrow, signed char)
RETURNS(3, kv_short, short)
RETURNS(4, kv_byte, unsigned char)
RETURNS(5, kv_word, unsigned int)
RETURNS(6, kv_negate, long)
RETURNS(7, kv_mix, int)
RETURNS(8, kv_weigh, long)
RETURNS(9, kv_sum, unsigned long)
RETURNS(10, kv_get, int)
RETURNS(11, kv_delete, _Bool)

/* A program may run at the return of a function that returns nothing. */
SEC("uretprobe/kv_nothing")
int nothing(struct pt_regs *ctx)
{
	return note(12, 0);
}

char LICENSE[] SEC("license") = "GPL";
