/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's side: syscall programs, compiled by its JIT, run by BPF_PROG_TEST_RUN. */
#include "bench/codegen/bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int be_quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static bool has_jit(void)
{
	FILE *f = fopen("/proc/sys/net/core/bpf_jit_enable", "re");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c != '0';
}

void bench_kernel_open(struct bench_program *program, const char *path)
{
	struct bpf_object *object;
	struct bpf_program *p;

	program->kernel_fd = -1;
	if (geteuid()) {
		program->why_no_kernel = "needs root";
		return;
	}
	if (!has_jit()) {
		program->why_no_kernel = "the kernel's JIT is off";
		return;
	}
	libbpf_set_print(be_quiet);
	object = bpf_object__open(path);
	if (!object) {
		program->why_no_kernel = "the object cannot be opened";
		return;
	}
	bpf_object__for_each_program(p, object)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), program->key));
	p = bpf_object__find_program_by_name(object, program->key);
	if (p && !bpf_object__load(object))
		program->kernel_fd = dup(bpf_program__fd(p));
	if (program->kernel_fd < 0)
		program->why_no_kernel = "the kernel refuses it";
	bpf_object__close(object);
}

int bench_kernel_run(const struct bench_program *program, uint32_t rounds, uint32_t *ret_result)
{
	uint64_t ctx = rounds;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	int err = bpf_prog_test_run_opts(program->kernel_fd, &opts);

	*ret_result = opts.retval;
	return err;
}
