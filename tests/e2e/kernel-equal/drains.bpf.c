/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that were sent before the program ran (messages.h): drained in portions, and looked at. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 1 << 16);
} filled SEC(".maps");

enum { DRAINS, RETURNED, TAKEN, NUMBERS, BYTES, LONGER, STOPPED, NR_ANSWERS };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, NR_ANSWERS);
} answers SEC(".maps");

/* of the drain at hand */
static __u64 left, numbers, bytes, longer;

static void answer(__u32 at, __u64 add)
{
	__u64 *value = bpf_map_lookup_elem(&answers, &at);

	if (value)
		*value = *value * 3 + add; /* the order counts, too */
}

static long take(struct bpf_dynptr *message, void *ctx)
{
	__u64 number = 0, first = 0, middle = 0, last = 0;

	bpf_dynptr_read(&number, sizeof(number), message, 0, 0);
	numbers = numbers * 31 + number;
	longer = longer * 5 + !bpf_dynptr_read(&first, sizeof(first), message, 8, 0);
	longer += !bpf_dynptr_read(&middle, sizeof(middle), message, 56, 0);
	longer += !bpf_dynptr_read(&last, sizeof(last), message, 111, 0);
	bytes = bytes * 17 + first + 3 * middle + 7 * last;
	left--;
	return left == 0;
}

static void drain(__u64 most, __u64 flags)
{
	long rc;

	left = most;
	numbers = bytes = longer = 0;
	rc = bpf_user_ringbuf_drain(&filled, take, 0, flags);
	answer(DRAINS, 1);
	answer(RETURNED, rc);
	answer(TAKEN, most - left);
	answer(NUMBERS, numbers);
	answer(BYTES, bytes);
	answer(LONGER, longer);
	answer(STOPPED, left == 0);
}

static __u64 hits;

SEC("uprobe/kv_set")
int on_set(struct pt_regs *ctx)
{
	hits++;
	drain(1 + hits % 5, 0);
	return 0;
}

SEC("uprobe/kv_get")
int on_get(struct pt_regs *ctx)
{
	hits++;
	drain(hits % 7 == 3 ? 1000 : 2, BPF_RB_NO_WAKEUP);
	drain(3, 1 << 6);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
