/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map helpers of the running kernel, for tests that compare: a real map, and a program for each
 * helper that may be used with it, which takes key, value and flags from a page that it shares with
 * the test and leaves the result there. So what is compared is the programs' view, not the system
 * call's.
 */
#ifndef INLAY_TEST_MAP_KERNEL_H
#define INLAY_TEST_MAP_KERNEL_H

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "map_fixture.h"

enum kernel_op { KOP_LOOKUP, KOP_UPDATE, KOP_DELETE, KOP_PUSH, KOP_POP, KOP_PEEK, KOP_NR };
enum { KMAP_FLAGS = 0, KMAP_RET = 8, KMAP_KEY = 16, KMAP_VALUE = 1024, KMAP_BYTES = 4096 };

struct kernel_map {
	int fd, page_fd;
	int progs[KOP_NR];
	char *page;
	__u32 key_size, value_size;
};

static inline long kmap_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static inline struct bpf_insn kmap_insn(int code, int dst, int src, int off, int imm)
{
	return (struct bpf_insn){ .code = (__u8)code, .dst_reg = dst & 15, .src_reg = src & 15,
				  .off = (__s16)off, .imm = imm };
}

static inline int kmap_prog(const struct kernel_map *k, enum kernel_op op)
{
	static const int helper[KOP_NR] = {
		BPF_FUNC_map_lookup_elem, BPF_FUNC_map_update_elem, BPF_FUNC_map_delete_elem,
		BPF_FUNC_map_push_elem, BPF_FUNC_map_pop_elem, BPF_FUNC_map_peek_elem,
	};
	bool has_key = op <= KOP_DELETE;
	int flags_reg = op == KOP_PUSH ? 3 : 4;
	struct bpf_insn p[64];
	static char log[1 << 16];
	union bpf_attr attr;
	int fd, n = 0;

	/* r6 = the page; r1 = map, then key, value, flags as far as the helper has them */
	p[n++] = kmap_insn(BPF_LD | BPF_IMM | BPF_DW, 6, BPF_PSEUDO_MAP_VALUE, 0, k->page_fd);
	p[n++] = kmap_insn(0, 0, 0, 0, 0);
	p[n++] = kmap_insn(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, k->fd);
	p[n++] = kmap_insn(0, 0, 0, 0, 0);
	p[n++] = kmap_insn(BPF_ALU64 | BPF_MOV | BPF_X, 2, 6, 0, 0);
	p[n++] = kmap_insn(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, has_key ? KMAP_KEY : KMAP_VALUE);
	if (op == KOP_UPDATE) {
		p[n++] = kmap_insn(BPF_ALU64 | BPF_MOV | BPF_X, 3, 6, 0, 0);
		p[n++] = kmap_insn(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, KMAP_VALUE);
	}
	if (op == KOP_UPDATE || op == KOP_PUSH)
		p[n++] = kmap_insn(BPF_LDX | BPF_MEM | BPF_DW, flags_reg, 6, KMAP_FLAGS, 0);
	p[n++] = kmap_insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper[op]);
	if (op == KOP_LOOKUP) {
		/* if (r0) { copy value_size bytes; r0 = 1; } */
		p[n++] = kmap_insn(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6, 0);
		p[n++] = kmap_insn(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0);
		p[n++] = kmap_insn(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, KMAP_VALUE);
		p[n++] = kmap_insn(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, (int)k->value_size);
		p[n++] = kmap_insn(BPF_ALU64 | BPF_MOV | BPF_X, 3, 0, 0, 0);
		p[n++] = kmap_insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel);
		p[n++] = kmap_insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
	}
	p[n++] = kmap_insn(BPF_STX | BPF_MEM | BPF_DW, 6, 0, KMAP_RET, 0);
	p[n++] = kmap_insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	p[n++] = kmap_insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

	memset(&attr, 0, sizeof(attr));
	/* sleepable ones may not use every type of map */
	attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	attr.insns = (__u64)(uintptr_t)p;
	attr.insn_cnt = (__u32)n;
	attr.license = (__u64)(uintptr_t) "Dual BSD/GPL";
	attr.log_buf = (__u64)(uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	fd = (int)kmap_bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		print_error("%s\n", log);
	assert_true(fd >= 0);
	return fd;
}

static inline int kmap_create(__u32 type, __u32 key_size, __u32 value_size, __u32 max_entries,
			      __u32 flags, __u64 extra)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key_size;
	attr.value_size = value_size;
	attr.max_entries = max_entries;
	attr.map_flags = flags;
	attr.map_extra = extra;
	fd = (int)kmap_bpf(BPF_MAP_CREATE, &attr);
	return fd < 0 ? -errno : fd;
}

/* False: there are no kernel maps here. `ops`: bits of what the type allows. */
static inline bool kmap_open(struct kernel_map *k, const struct inlay_map_desc *desc,
			     unsigned int ops)
{
	int op;

	k->fd = kmap_create(desc->type, desc->key_size, desc->value_size, desc->max_entries,
			    desc->map_flags, desc->extra);
	if (k->fd < 0) {
		print_message("no kernel maps here: %s\n", strerror(-k->fd));
		return false;
	}
	assert_true(desc->key_size <= KMAP_VALUE - KMAP_KEY &&
		    desc->value_size <= KMAP_BYTES - KMAP_VALUE);
	k->key_size = desc->key_size;
	k->value_size = desc->value_size;
	k->page_fd = kmap_create(BPF_MAP_TYPE_ARRAY, 4, KMAP_BYTES, 1, BPF_F_MMAPABLE, 0);
	assert_true(k->page_fd >= 0);
	k->page = mmap(NULL, KMAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, k->page_fd, 0);
	assert_true(k->page != MAP_FAILED);
	for (op = 0; op < KOP_NR; op++)
		k->progs[op] = ops & 1u << op ? kmap_prog(k, op) : -1;
	return true;
}

static inline void kmap_close(struct kernel_map *k)
{
	int op;

	for (op = 0; op < KOP_NR; op++)
		if (k->progs[op] >= 0)
			close(k->progs[op]);
	munmap(k->page, KMAP_BYTES);
	close(k->page_fd);
	close(k->fd);
}

/* The helper's result; of a lookup 1 if there was a value, which is copied. */
static inline __s64 kmap_op(struct kernel_map *k, enum kernel_op op, const void *key, void *value,
			    __u64 flags)
{
	union bpf_attr attr;
	__s64 ret;

	memcpy(k->page + KMAP_FLAGS, &flags, 8);
	if (key)
		memcpy(k->page + KMAP_KEY, key, k->key_size);
	memcpy(k->page + KMAP_VALUE, value, k->value_size);
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (__u32)k->progs[op];
	assert_int_equal(kmap_bpf(BPF_PROG_TEST_RUN, &attr), 0);
	memcpy(&ret, k->page + KMAP_RET, 8);
	memcpy(value, k->page + KMAP_VALUE, k->value_size);
	return ret;
}

#endif /* INLAY_TEST_MAP_KERNEL_H */
