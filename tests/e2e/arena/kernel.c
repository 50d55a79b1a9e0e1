/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel OBJECT: runs its programs in the kernel and prints what each returns. 77: that cannot be done here. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>

#define SLEEPABLE (1u << 4) /* BPF_F_SLEEPABLE */

int main(int argc, char **argv)
{
	struct bpf_object *object = argc == 2 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_program *prog;
	int err;

	if (!object)
		return 2;
	bpf_object__for_each_program(prog, object) {
		bpf_program__set_type(prog, BPF_PROG_TYPE_SYSCALL);
		bpf_program__set_flags(prog, SLEEPABLE);
	}
	err = bpf_object__load(object);
	if (err) {
		fprintf(stderr, "the kernel does not load it: %d\n", err);
		return err == -EPERM ? 77 : 1;
	}
	bpf_object__for_each_program(prog, object) {
		LIBBPF_OPTS(bpf_test_run_opts, run);

		err = bpf_prog_test_run_opts(bpf_program__fd(prog), &run);
		if (err)
			return 1;
		printf("%s %x\n", bpf_program__name(prog), run.retval);
	}
	bpf_object__close(object);
	return 0;
}
