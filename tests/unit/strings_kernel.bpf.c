/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel's string functions say of strings in a map, and of addresses. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "strings_kernel.h"

extern int bpf_strcmp(const char *s1, const char *s2) __ksym;
extern int bpf_strcasecmp(const char *s1, const char *s2) __ksym;
extern int bpf_strchr(const char *s, char c) __ksym;
extern int bpf_strchrnul(const char *s, char c) __ksym;
extern int bpf_strnchr(const char *s, __u64 count, char c) __ksym;
extern int bpf_strrchr(const char *s, int c) __ksym;
extern int bpf_strlen(const char *s) __ksym;
extern int bpf_strnlen(const char *s, __u64 count) __ksym;
extern int bpf_strspn(const char *s, const char *accept) __ksym;
extern int bpf_strcspn(const char *s, const char *reject) __ksym;
extern int bpf_strstr(const char *s, const char *wanted) __ksym;
extern int bpf_strnstr(const char *s, const char *wanted, __u64 len) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct strings_memory);
} memory SEC(".maps");

SEC("syscall")
int strings(struct strings_call *call)
{
	struct strings_memory *m;
	const char *a, *b;
	__u32 zero = 0;

	m = bpf_map_lookup_elem(&memory, &zero);
	if (!m)
		return 1;
	a = &m->all[call->at[0] & (STRINGS_SHORT - 1)];
	b = &m->all[call->at[1] & (STRINGS_SHORT - 1)];
	if (call->address[0])
		a = (const char *)call->address[0];
	if (call->address[1])
		b = (const char *)call->address[1];
	switch (call->op) {
	case STRINGS_CMP:
		call->ret = bpf_strcmp(a, b);
		break;
	case STRINGS_CASECMP:
		call->ret = bpf_strcasecmp(a, b);
		break;
	case STRINGS_CHR:
		call->ret = bpf_strchr(a, call->c);
		break;
	case STRINGS_CHRNUL:
		call->ret = bpf_strchrnul(a, call->c);
		break;
	case STRINGS_NCHR:
		call->ret = bpf_strnchr(a, call->count, call->c);
		break;
	case STRINGS_RCHR:
		call->ret = bpf_strrchr(a, call->c);
		break;
	case STRINGS_LEN:
		call->ret = bpf_strlen(a);
		break;
	case STRINGS_NLEN:
		call->ret = bpf_strnlen(a, call->count);
		break;
	case STRINGS_SPN:
		call->ret = bpf_strspn(a, b);
		break;
	case STRINGS_CSPN:
		call->ret = bpf_strcspn(a, b);
		break;
	case STRINGS_STR:
		call->ret = bpf_strstr(a, b);
		break;
	case STRINGS_NSTR:
		call->ret = bpf_strnstr(a, b, call->count);
		break;
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
