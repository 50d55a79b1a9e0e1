/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the running kernel what any helper does: a SEC("syscall") program is made for the helper's kinds
 * of arguments, with two buffers and a constant string, and BPF_PROG_TEST_RUN runs it in this thread.
 * kernel_helper.h is the simple form for helper(buffer, size, ...).
 */
#ifndef INLAY_TESTS_KERNEL_ASK_H
#define INLAY_TESTS_KERNEL_ASK_H

#include "kernel_helper.h"

#define ASK_BYTES 512u

enum ask_arg {
	ASK_NONE,
	ASK_NUM,	/* call.args[i] */
	ASK_CONST,	/* consts[i], known to the kernel's verifier */
	ASK_BUF,	/* call.buf[0] */
	ASK_BUF2,	/* call.buf[1] */
	ASK_NULL,
	ASK_SIZE,	/* call.args[i], 1 to ASK_BYTES */
	ASK_SIZE0,
	ASK_STR,	/* the constant string */
};

struct ask {
	int prog_fd, buf_fd, text_fd;
	char log[8192];
};

struct ask_call {
	uint64_t args[5];
	int64_t ret;
	uint8_t buf[2][ASK_BYTES];
};

static inline int ask_map(uint32_t value_size, uint32_t flags)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = value_size;
	attr.max_entries = 1;
	attr.map_flags = flags;
	fd = (int)kernel_bpf(BPF_MAP_CREATE, &attr);
	return fd < 0 ? -errno : fd;
}

static inline int ask_map_copy(int fd, int cmd, void *value)
{
	union bpf_attr attr;
	uint32_t key = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uint64_t)&key;
	attr.value = (uint64_t)value;
	return kernel_bpf(cmd, &attr) ? -errno : 0;
}

static inline void ask_close(struct ask *ask)
{
	close(ask->prog_fd);
	close(ask->buf_fd);
	close(ask->text_fd);
}

static inline int ask_text(struct ask *ask, const char *text)
{
	char value[ASK_BYTES] = "";
	union bpf_attr attr;

	strncpy(value, text ? text : "", sizeof(value) - 1);
	ask->text_fd = ask_map(sizeof(value), BPF_F_RDONLY_PROG);
	if (ask->text_fd < 0 || ask_map_copy(ask->text_fd, BPF_MAP_UPDATE_ELEM, value))
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)ask->text_fd;
	return (int)kernel_bpf(BPF_MAP_FREEZE, &attr);
}

/* Prepares helper `id`. 0 or -errno: the kernel does not have it, or refuses it. */
static inline int ask_open(struct ask *ask, int id, const enum ask_arg kinds[5],
			   const int32_t consts[5], const char *text)
{
	struct bpf_insn insns[64];
	int exits[16], n = 0, nr_exits = 0;
	union bpf_attr attr;

	memset(ask, 0, sizeof(*ask));
	ask->prog_fd = ask->text_fd = -1;
	ask->buf_fd = ask_map(2 * ASK_BYTES, 0);
	if (ask->buf_fd < 0 || ask_text(ask, text)) {
		ask_close(ask);
		return -EPERM;
	}
	insns[n++] = KH_MOV(6, 1);
	for (int i = 0; i < 5; i++) {
		int r = i + 1, fd = kinds[i] == ASK_STR ? ask->text_fd : ask->buf_fd;

		switch (kinds[i]) {
		case ASK_NONE:
			break;
		case ASK_CONST:
		case ASK_NULL:
			insns[n++] = KH_MOVI(r, kinds[i] == ASK_NULL ? 0 : consts[i]);
			break;
		case ASK_BUF:
		case ASK_BUF2:
		case ASK_STR:
			insns[n++] = KH_INSN(BPF_LD | BPF_IMM | BPF_DW, r, BPF_PSEUDO_MAP_VALUE, 0,
					     fd);
			insns[n++] = KH_INSN(0, 0, 0, 0, kinds[i] == ASK_BUF2 ? ASK_BYTES : 0);
			break;
		case ASK_SIZE:
		case ASK_SIZE0:
		case ASK_NUM:
			insns[n++] = KH_LOAD(r, 6, 8 * i);
			if (kinds[i] == ASK_NUM)
				break;
			exits[nr_exits++] = n;
			insns[n++] = KH_INSN(BPF_JMP | BPF_JGT | BPF_K, r, 0, 0, ASK_BYTES);
			exits[nr_exits++] = n;
			insns[n++] = KH_INSN(BPF_JMP | BPF_JSLT | BPF_K, r, 0, 0,
					     kinds[i] == ASK_SIZE);
			break;
		}
	}
	insns[n++] = KH_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id);
	insns[n++] = KH_INSN(BPF_STX | BPF_MEM | BPF_DW, 6, 0, 40, 0);
	for (int i = 0; i < nr_exits; i++)
		insns[exits[i]].off = (int16_t)(n - exits[i] - 1);
	insns[n++] = KH_MOVI(0, 0);
	insns[n++] = KH_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insns = (uint64_t)insns;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uint64_t) "GPL";
	attr.log_buf = (uint64_t)ask->log;
	attr.log_size = sizeof(ask->log);
	attr.log_level = 1;
	ask->prog_fd = (int)kernel_bpf(BPF_PROG_LOAD, &attr);
	if (ask->prog_fd < 0) {
		int err = -errno;

		ask_close(ask);
		return err;
	}
	return 0;
}

/* Runs it; call->buf and call->ret hold the outcome. */
static inline int ask_run(const struct ask *ask, struct ask_call *call)
{
	union bpf_attr attr;

	if (ask_map_copy(ask->buf_fd, BPF_MAP_UPDATE_ELEM, call->buf))
		return -errno;
	call->ret = INT64_MIN;
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)ask->prog_fd;
	attr.test.ctx_in = (uint64_t)call;
	attr.test.ctx_size_in = 48;
	if (kernel_bpf(BPF_PROG_TEST_RUN, &attr))
		return -errno;
	return ask_map_copy(ask->buf_fd, BPF_MAP_LOOKUP_ELEM, call->buf);
}

#endif /* INLAY_TESTS_KERNEL_ASK_H */
