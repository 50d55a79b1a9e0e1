/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of bench-probe: variants, their processes, kernel uprobes, the report. */
#ifndef INLAY_BENCH_PROBE_H
#define INLAY_BENCH_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/common/common.h"

#define BENCH_REASON_BYTES 200

enum bench_peer {
	BENCH_PLAIN,	/* just run it */
	BENCH_UFTRACE,	/* under uftrace record */
	BENCH_LTTNG,	/* with a session daemon and a session of our own */
	BENCH_KERNEL,	/* a kernel uprobe on it: `object` */
};

struct bench_variant {
	const char *key;	/* in JSON */
	const char *what;
	const char *program;	/* in the folder of the benchmark's programs */
	enum bench_peer peer;
	const char *object;	/* BENCH_KERNEL: probe object in that folder */
	bool is_slow;		/* a hundredth of the calls */

	pid_t pid;
	int to_fd, from_fd;
	struct bench_times times;	/* nanoseconds a call, one a round */
	char skipped[BENCH_REASON_BYTES];	/* why; "" if it ran */
	struct bench_kernel *kernel;
};

struct bench_options {
	const char *folder;
	const char *json;
	const char *only;	/* keys, comma-separated */
	unsigned int rounds;
	unsigned long calls;
};

/* variant.c: starts and ends a variant's process; runs a round of it. 0 or -errno, reason noted. */
int bench_variant_start(struct bench_variant *variant, const struct bench_options *options,
			const char *scratch);
int bench_variant_run(struct bench_variant *variant, unsigned long calls, double *ret_ns);
void bench_variant_end(struct bench_variant *variant);
/* The session daemon that BENCH_LTTNG needs; one for all. */
int bench_lttng_start(const char *scratch, char *reason);
void bench_lttng_end(void);

/* kernel.c: attaches the program of `object` at bench_victim in process `pid` running `binary`. */
int bench_kernel_attach(const char *object, const char *binary, pid_t pid,
			struct bench_kernel **ret_kernel, char *reason);
/* Whether the program has really run. */
bool bench_kernel_has_run(const struct bench_kernel *kernel);
void bench_kernel_detach(struct bench_kernel *kernel);

/* report.c */
/* Prints the table and the figures; false if a figure is missed. */
bool bench_report(struct bench_variant *variants, size_t nr, const struct bench_options *options);
int bench_write_json(const struct bench_variant *variants, size_t nr,
		     const struct bench_options *options);

#endif /* INLAY_BENCH_PROBE_H */
