/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's side: syscall programs and real maps, run by BPF_PROG_TEST_RUN. */
#include "bench/maps/bench.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

struct context { /* struct bench of programs.h */
	uint64_t rounds, address, result;
};

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

const char *bench_kernel_open(const char *path)
{
	struct bpf_object *object;

	if (geteuid())
		return "needs root";
	if (!has_jit())
		return "the kernel's JIT is off";
	libbpf_set_print(be_quiet);
	object = bpf_object__open(path);
	if (!object)
		return "the object cannot be opened";
	if (bpf_object__load(object)) {
		bpf_object__close(object);
		return "the kernel refuses the object";
	}
	/* the object lives as long as the process */
	for (size_t i = 0; i < bench_nr_programs; i++) {
		struct bpf_program *p =
			bpf_object__find_program_by_name(object, bench_programs[i].name);

		if (p)
			bench_programs[i].kernel_fd = bpf_program__fd(p);
	}
	bench_ring_open(bpf_object__find_map_fd_by_name(object, "ring_map"));
	return NULL;
}

int bench_kernel_run(const struct bench_program *program, uint64_t rounds, uint64_t address,
		     int *ret_result)
{
	struct context ctx = {.rounds = rounds, .address = address};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	int err = bpf_prog_test_run_opts(program->kernel_fd, &opts);

	*ret_result = (int)opts.retval;
	return err;
}
