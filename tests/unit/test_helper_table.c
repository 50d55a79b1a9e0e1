/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rt/helpers.def: sound in itself, and the same helpers that the running kernel gives to uprobe
 * programs, under the same conditions of licence and sleep.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "bpfcc/helpers.h"
#include "kernel_helper.h"
#include "skip.h"

#define MAX_ID 256
#define PROBED_RELEASE "6.18." /* what the table was written after; others may have more or less */

static void test_rows(void **unused)
{
	const struct bpfcc_helper *h;
	int32_t last = 0;

	(void)unused;
	for (uint32_t row = 0; (h = bpfcc_helper_row(row)) && h->id; row++) {
		const char *name = bpfcc_kernel_helper_name(h->id);
		bool is_mem = false;

		if (h->id <= last)
			fail_msg("bpf_%s: rows are in the order of their ids", h->name);
		last = h->id;
		/* headers of the build may be older than the table */
		if (name && strcmp(name + strlen("bpf_"), h->name))
			fail_msg("%d is %s, not bpf_%s", h->id, name, h->name);
		for (int i = 0; i < BPFCC_MAX_ARGS; i++) {
			enum bpfcc_arg arg = h->args[i];
			bool is_size = arg == BPFCC_ARG_SIZE || arg == BPFCC_ARG_SIZE0;

			if (is_size != is_mem)
				fail_msg("bpf_%s: argument %d: memory and its size go together",
					 h->name, i + 1);
			is_mem = arg == BPFCC_ARG_MEM_R || arg == BPFCC_ARG_MEM_W ||
				 arg == BPFCC_ARG_MEM_RW || arg == BPFCC_ARG_MEM_R_OR_NULL ||
				 arg == BPFCC_ARG_MEM_W_OR_NULL;
			if ((arg == BPFCC_ARG_NONE) != (i >= (int)h->nr_args))
				fail_msg("bpf_%s: a hole in the arguments", h->name);
			if ((arg == BPFCC_ARG_KEY || arg == BPFCC_ARG_VALUE ||
			     arg == BPFCC_ARG_VALUE_W) && h->args[0] != BPFCC_ARG_MAP)
				fail_msg("bpf_%s: a key or value without a map", h->name);
		}
		assert_ptr_equal(bpfcc_helper_by_id(h->id), h);
	}
	assert_true(last > 200);
}

/* ---- the kernel ---- */

static char log_text[1 << 16];

/* Loads { call id; exit } for kprobes; the log says what was wrong. 0 or the errno. */
static int load(int32_t id, const char *license, uint32_t flags)
{
	struct bpf_insn insns[] = {KH_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id),
				   KH_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	log_text[0] = '\0';
	attr.prog_type = BPF_PROG_TYPE_KPROBE;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = sizeof(insns) / sizeof(insns[0]);
	attr.license = (uintptr_t)license;
	attr.log_buf = (uintptr_t)log_text;
	attr.log_size = sizeof(log_text);
	attr.log_level = 1;
	attr.prog_flags = flags;
	fd = (int)kernel_bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static bool log_has(const char *text)
{
	return strstr(log_text, text);
}

static bool is_offered(void)
{
	return !log_has("cannot use helper") && !log_has("unknown func") && !log_has("invalid func");
}

static void test_kernel(void **unused)
{
	struct utsname name;

	(void)unused;
	if (load(BPF_FUNC_ktime_get_ns, "GPL", 0))
		skip_because("kprobe programs cannot be loaded here");
	assert_int_equal(uname(&name), 0);
	for (int32_t id = 1; id < MAX_ID; id++) {
		const struct bpfcc_helper *h = bpfcc_helper_by_id(id);
		bool needs_gpl, sleeps;

		load(id, "GPL", 0);
		if (!is_offered()) {
			/* these two are options of a kernel */
			if (h && id != BPF_FUNC_probe_write_user && id != BPF_FUNC_override_return &&
			    !(h->flags & BPFCC_HELPER_F_OURS) &&
			    !strncmp(name.release, PROBED_RELEASE, strlen(PROBED_RELEASE)))
				fail_msg("the kernel does not offer bpf_%s", h->name);
			continue;
		}
		if (!h) {
			if (!strncmp(name.release, PROBED_RELEASE, strlen(PROBED_RELEASE)))
				fail_msg("the kernel offers helper %d (%s), the table does not", id,
					 bpfcc_kernel_helper_name(id));
			continue;
		}
		if (h->flags & BPFCC_HELPER_F_OURS &&
		    !strncmp(name.release, PROBED_RELEASE, strlen(PROBED_RELEASE)))
			fail_msg("bpf_%s is the kernel's, too", h->name);
		sleeps = log_has("might sleep");
		if (sleeps != !!(h->flags & BPFCC_HELPER_F_SLEEPABLE))
			fail_msg("bpf_%s: F_SLEEPABLE and the kernel differ", h->name);
		load(id, "BSD", 0);
		needs_gpl = log_has("GPL-restricted");
		if (!sleeps && needs_gpl != !!(h->flags & BPFCC_HELPER_F_GPL))
			fail_msg("bpf_%s: F_GPL and the kernel differ", h->name);
		/* r2 to r5 hold nothing: arguments that are ctx, or none, pass */
		if (!load(id, "GPL", 0) && h->nr_args &&
		    (h->nr_args > 1 || (h->args[0] != BPFCC_ARG_CTX &&
					h->args[0] != BPFCC_ARG_SCALAR)))
			fail_msg("bpf_%s has fewer arguments than the table says", h->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_kernel),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
