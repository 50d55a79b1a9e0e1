/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A probe object with one of everything that the loader reads: for tests of the loader.
 */
#include <linux/bpf.h>
#include <asm/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum mode { MODE_OFF, MODE_ON = 7, MODE_LOW = -3 };
struct limits {
	int low;
	unsigned char high[4];
};

const volatile int threshold = 10;
const volatile unsigned char small_number;
const volatile _Bool is_enabled = 1;
const volatile enum mode mode = MODE_ON;
const volatile char pattern[8] = "abc";
const volatile struct limits limits = {.low = 1};
const volatile unsigned long long wide = 1;
unsigned long total;
static unsigned long by_low_bits[4];
long started = 5;
int mine SEC(".data.mine") = 3;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 4);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__type(key, __u64);
	__type(value, __u64);
	__uint(max_entries, 100);
} per_thread SEC(".maps");

/* the companion's: of a type that Inlay does not have */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

/* vmlinux.h's way to say "relocate me" */
struct pt_regs___probe {
	unsigned long di, si;
} __attribute__((preserve_access_index));

extern void bpf_no_such_function(void) __ksym __weak;

__noinline int global_function(int x)
{
	return x * 3 + mine;
}

static __noinline unsigned long static_function(unsigned long x)
{
	total += x;
	return by_low_bits[1] + started;
}

SEC("uprobe/server:handle")
int on_handle(struct pt_regs *ctx)
{
	struct pt_regs___probe *regs = (void *)ctx;
	__u32 key = 1;
	__u64 tid = bpf_get_current_pid_tgid(), one = 1, *value;

	if (is_enabled && regs->di > threshold)
		by_low_bits[regs->si & 3]++;
	value = bpf_map_lookup_elem(&counts, &key);
	if (value)
		__sync_fetch_and_add(value, 1);
	value = bpf_map_lookup_elem(&per_thread, &tid);
	if (value)
		*value += 1;
	else
		bpf_map_update_elem(&per_thread, &tid, &one, BPF_NOEXIST);
	if (bpf_no_such_function)
		bpf_no_such_function();
	if (mode == MODE_OFF)
		bpf_printk("%s %d %d", pattern, small_number, wide);
	return global_function(key) + static_function(tid);
}

__attribute__((btf_decl_tag("inlay:late"), btf_decl_tag("inlay:switched=on")))
SEC("uretprobe")
int on_return(struct pt_regs *ctx)
{
	total += PT_REGS_RC(ctx) + limits.low;
	return 0;
}

SEC("uprobe.multi/*:store_*")
int on_store(struct pt_regs *ctx)
{
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_write")
int in_kernel(void *ctx)
{
	bpf_ringbuf_output(&events, &total, sizeof(total), 0);
	return 0;
}
