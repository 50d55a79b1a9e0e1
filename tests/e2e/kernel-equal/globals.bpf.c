/* SPDX-License-Identifier: BSD-2-Clause */
/* Global variables: zero, initialised, constant; of every width; with and without atomics. */
#include <inlay/inlay.bpf.h>

__u8 bytes[4];
__u16 halves;
__u32 words = 1000;
__s64 longs = -5;
static __u64 hidden;
const volatile __u32 step = 3;
const volatile char text[] = "constant";
struct {
	__u64 or, and, xor, last;
} bits = { .and = ~0ull };
__u64 exchanged, swapped = 7, hidden_out;

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u16 flags)
{
	bytes[flags & 3]++;
	halves += flags;
	words -= step;
	longs += flags * text[flags % 8];
	hidden += 2;
	hidden_out = hidden;
	__sync_fetch_and_or(&bits.or, flags);
	__sync_fetch_and_and(&bits.and, ~(__u64)(flags & 0xf0));
	__sync_fetch_and_xor(&bits.xor, flags);
	bits.last = flags;
	exchanged += __sync_lock_test_and_set(&swapped, flags);
	__sync_val_compare_and_swap(&swapped, 1, 100);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
