/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel functions: strings in the program's memory, dynptrs in parts and twice, sections. */
#include <inlay/inlay.bpf.h>

#define LOG_BYTES 256

extern int bpf_strcmp(const char *s1, const char *s2) __ksym;
extern int bpf_strchr(const char *s, char c) __ksym;
extern int bpf_strlen(const char *s) __ksym;
extern int bpf_strspn(const char *s, const char *accept) __ksym;
extern int bpf_strstr(const char *s, const char *wanted) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer,
			      __u32 bytes) __ksym;
extern int bpf_dynptr_copy(struct bpf_dynptr *dst, __u32 dst_off, struct bpf_dynptr *src,
			   __u32 src_off, __u32 bytes) __ksym;
extern int bpf_dynptr_memset(struct bpf_dynptr *p, __u32 offset, __u32 bytes, __u8 value) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

struct log {
	unsigned char bytes[LOG_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct log);
} logs SEC(".maps");

char text[32], before[32];
__u64 lengths, spans, orders[3], found[3], sizes, sum, errors[4];
__u32 nr;

static void strings(void)
{
	int order = bpf_strcmp(text, before), at;

	orders[(order + 1) & 3]++;
	lengths += bpf_strlen(text);
	spans += bpf_strspn(text, "abcdefghijklmnopqrstuvwxyz");
	at = bpf_strchr(text, '1');
	if (at >= 0)
		found[0] += at;
	at = bpf_strstr(text, "ey");
	if (at >= 0)
		found[1] += at;
	else
		found[2]++;
}

static void parts(struct log *log, __u16 flags)
{
	struct bpf_dynptr whole, part;
	const __u32 *slice;

	bpf_dynptr_from_mem(log->bytes, LOG_BYTES, 0, &whole);
	bpf_dynptr_clone(&whole, &part);
	errors[0] += (__u32)bpf_dynptr_adjust(&part, flags & 0x3f, 64 + (flags & 0xff));
	sizes += bpf_dynptr_size(&part);
	errors[1] += (__u32)bpf_dynptr_memset(&part, flags & 0x1f, flags & 0x2f, flags);
	errors[2] += (__u32)bpf_dynptr_copy(&whole, 128 + (flags & 0x3f), &part, flags & 7, 40);
	slice = bpf_dynptr_slice(&part, flags & 0x7c, 0, sizeof(*slice));
	if (slice)
		sum += *slice;
	else
		errors[3]++;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u16 flags)
{
	__u32 which = nr++ & 1;
	struct log *log;

	bpf_probe_read_user_str(text, sizeof(text), key);
	bpf_rcu_read_lock();
	strings();
	bpf_rcu_read_unlock();
	__builtin_memcpy(before, text, sizeof(text));
	log = bpf_map_lookup_elem(&logs, &which);
	if (!log)
		return 0;
	bpf_preempt_disable();
	parts(log, flags);
	bpf_preempt_enable();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
