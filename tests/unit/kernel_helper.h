/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the running kernel what a helper does: a SEC("syscall") program of a few instructions calls
 * it on this process's memory, and BPF_PROG_TEST_RUN runs it. For tests that compare with the
 * kernel.
 */
#ifndef INLAY_TESTS_KERNEL_HELPER_H
#define INLAY_TESTS_KERNEL_HELPER_H

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_BUF 512u

/* What the program reads and writes; the buffer is an array map's value. */
struct kernel_call {
	uint64_t args[3];
	uint32_t bytes;
	uint32_t pad0;
	int64_t ret;
};

struct kernel_helper {
	int prog_fd, map_fd;
};

static inline long kernel_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

#define KH_INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define KH_MOV(d, s) KH_INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define KH_MOVI(d, i) KH_INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define KH_LOAD(d, s, o) KH_INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define KH_LOADW(d, s, o) KH_INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)

/*
 * helper(buf, bytes, args...): prepares the program. 0 or -errno (no right to load it, or a kernel
 * that does not allow the helper there).
 */
static inline int kernel_helper_open(int id, int min_bytes, struct kernel_helper *ret_helper)
{
	static char log[65536];
	union bpf_attr attr;
	int map, prog;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = KERNEL_BUF;
	attr.max_entries = 1;
	map = (int)kernel_bpf(BPF_MAP_CREATE, &attr);
	if (map < 0)
		return -errno;
	{
		struct bpf_insn insns[] = {
			KH_MOV(6, 1),
			KH_INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0),
			KH_MOV(2, 10),
			KH_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
			KH_INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map),
			KH_INSN(0, 0, 0, 0, 0),
			KH_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
			KH_INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 9, 0),
			KH_LOADW(2, 6, 24),
			KH_INSN(BPF_JMP | BPF_JGT | BPF_K, 2, 0, 7, KERNEL_BUF),
			KH_INSN(BPF_JMP | BPF_JLT | BPF_K, 2, 0, 6, min_bytes),
			KH_MOV(1, 0),
			KH_LOAD(3, 6, 0),
			KH_LOAD(4, 6, 8),
			KH_LOAD(5, 6, 16),
			KH_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id),
			KH_INSN(BPF_STX | BPF_MEM | BPF_DW, 6, 0, 32, 0),
			KH_MOVI(0, 0),
			KH_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		};

		memset(&attr, 0, sizeof(attr));
		attr.prog_type = BPF_PROG_TYPE_SYSCALL;
		attr.prog_flags = BPF_F_SLEEPABLE;
		attr.insns = (uint64_t)insns;
		attr.insn_cnt = sizeof(insns) / sizeof(insns[0]);
		attr.license = (uint64_t) "GPL";
		attr.log_buf = (uint64_t)log;
		attr.log_size = sizeof(log);
		attr.log_level = 1;
		prog = (int)kernel_bpf(BPF_PROG_LOAD, &attr);
	}
	if (prog < 0) {
		int err = -errno;

		close(map);
		return err;
	}
	ret_helper->prog_fd = prog;
	ret_helper->map_fd = map;
	return 0;
}

/* Runs it with `buf` (KERNEL_BUF bytes) in place; buf and call->ret hold the outcome. */
static inline int kernel_helper_run(const struct kernel_helper *helper, struct kernel_call *call,
				    void *buf)
{
	union bpf_attr attr;
	uint32_t key = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)helper->map_fd;
	attr.key = (uint64_t)&key;
	attr.value = (uint64_t)buf;
	if (kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr))
		return -errno;
	call->ret = INT64_MIN;
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)helper->prog_fd;
	attr.test.ctx_in = (uint64_t)call;
	attr.test.ctx_size_in = sizeof(*call);
	if (kernel_bpf(BPF_PROG_TEST_RUN, &attr))
		return -errno;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)helper->map_fd;
	attr.key = (uint64_t)&key;
	attr.value = (uint64_t)buf;
	return kernel_bpf(BPF_MAP_LOOKUP_ELEM, &attr) ? -errno : 0;
}

static inline void kernel_helper_close(struct kernel_helper *helper)
{
	close(helper->prog_fd);
	close(helper->map_fd);
}

#endif /* INLAY_TESTS_KERNEL_HELPER_H */
