/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that a program can learn of a USDT probe, added up so that each hit counts. libbpf's
 * usdt.bpf.h is used as it is: in the kernel its functions run, inlaid they do not.
 */
#include <inlay/inlay.bpf.h>
#include <stdbool.h>
#include <bpf/usdt.bpf.h>

char LICENSE[] SEC("license") = "GPL";

enum { NR_ARGS = 12 };

struct record {
	__u64 hits;
	__s64 count, cookie;
	__s64 errors[NR_ARGS + 1];	/* of asking for each argument, and for one too many */
	__s64 args[NR_ARGS];
	__u64 bytes[NR_ARGS];		/* what arguments that are addresses point to */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, int);
	__type(value, struct record);
} records SEC(".maps");

/* `addresses`: a bit for each argument that differs from process to process */
static __always_inline int record(struct pt_regs *ctx, int key, unsigned int addresses)
{
	struct record *r = bpf_map_lookup_elem(&records, &key);
	__u64 bytes;
	long value;

	if (!r)
		return 0;
	r->hits++;
	r->count += bpf_usdt_arg_cnt(ctx);
	r->cookie += bpf_usdt_cookie(ctx);
#pragma unroll
	for (int i = 0; i < NR_ARGS; i++) {
		r->errors[i] = r->errors[i] * 3 + bpf_usdt_arg(ctx, i, &value);
		if (!(addresses >> i & 1)) {
			r->args[i] = r->args[i] * 31 + value;
			continue;
		}
		bytes = 0;
		bpf_probe_read_user(&bytes, 4, (void *)value);
		r->bytes[i] = r->bytes[i] * 31 + bytes;
	}
	r->errors[NR_ARGS] += bpf_usdt_arg(ctx, NR_ARGS, &value) + value;
	return 0;
}

SEC("usdt/t:none") int none(struct pt_regs *ctx) { return record(ctx, 0, 0); }
SEC("usdt/t:small") int small(struct pt_regs *ctx) { return record(ctx, 1, 0); }
SEC("usdt/t:types") int types(struct pt_regs *ctx) { return record(ctx, 2, 0x78); }
SEC("usdt/t:consts") int consts(struct pt_regs *ctx) { return record(ctx, 3, 0); }
SEC("usdt/t:floats") int floats(struct pt_regs *ctx) { return record(ctx, 4, 0); }
SEC("usdt/t:twelve") int twelve(struct pt_regs *ctx) { return record(ctx, 5, 0); }
/* in a function that is inlined in several places */
SEC("usdt/t:inlined") int inlined(struct pt_regs *ctx) { return record(ctx, 6, 0); }
SEC("usdt/stap:two") int stap_two(struct pt_regs *ctx) { return record(ctx, 7, 0); }
SEC("usdt/stap:memory") int stap_memory(struct pt_regs *ctx) { return record(ctx, 8, 0x10); }
SEC("usdt/stap:asm") int stap_asm(struct pt_regs *ctx) { return record(ctx, 9, 0); }
/* behind a semaphore */
SEC("usdt/sema:work") int work(struct pt_regs *ctx) { return record(ctx, 10, 0); }
/* two programs at one probe, and arguments by name */
SEC("usdt/stap:two") int BPF_USDT(stap_two_again, int a, unsigned char b)
{
	int key = 11;
	struct record *r = bpf_map_lookup_elem(&records, &key);

	if (r) {
		r->hits++;
		r->args[0] += a;
		r->args[1] += b;
	}
	return 0;
}
/* an index that is known at run time only */
SEC("usdt/t:small") int chosen(struct pt_regs *ctx)
{
	int key = 12;
	struct record *r = bpf_map_lookup_elem(&records, &key);
	long value;

	if (r) {
		r->errors[0] += bpf_usdt_arg(ctx, r->hits % 8, &value);
		r->args[0] = r->args[0] * 31 + value;
		r->hits++;
	}
	return 0;
}
