/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting for bpf_trace_printk(), bpf_trace_vprintk() and bpf_snprintf(). Signal-safe. */
#ifndef INLAY_RT_BPRINTF_H
#define INLAY_RT_BPRINTF_H

#include "inlay/abi.h"

#define INLAY_BPRINTF_MAX_ARGS 12u /* MAX_BPRINTF_VARARGS */

struct inlay_text {
	char *buf;
	__u32 room;
	__u32 length;	/* what there would be with enough room */
};

/*
 * Appends the formatted text to `out`, which gets no NUL. 0, or what the kernel says of the format:
 * -EINVAL, -ENOSPC. fmt_bytes is a limit: where the NUL is, is looked for. Format and arguments may
 * change meanwhile.
 */
__attribute__((visibility("hidden"))) int
__inlay_bprintf(struct inlay_text *out, const char *fmt, __u32 fmt_bytes, const __u64 *args,
		__u32 nr_args);

/* What __inlay_bprintf() will say of a format that ends with NUL and does not change. */
__attribute__((visibility("hidden"))) int __inlay_bprintf_check(const char *fmt, const __u64 *args,
								__u32 nr_args);

#endif /* INLAY_RT_BPRINTF_H */
