/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_snprintf(): bpf_trace_printk()'s text into the program's memory. */
#include <errno.h>

#include "rt/bprintf.h"
#include "rt/inlay_rt.h"

__s64 __inlay_snprintf_v1(void *dst, __u64 dst_bytes, const char *fmt, const void *args,
			  __u64 args_bytes)
{
	__u32 size = (__u32)dst_bytes, bytes = (__u32)args_bytes;
	struct inlay_text text = { .buf = dst, .room = size ? size - 1 : 0 };
	int err;

	if (bytes % 8 || bytes > INLAY_BPRINTF_MAX_ARGS * 8 || (bytes && !args))
		return -EINVAL;
	/* the verifier has seen its NUL, in memory that does not change */
	err = __inlay_bprintf_check(fmt, args, bytes / 8);
	/* the buffer stays as it is where the format is bad, as with the kernel's */
	if (!err)
		err = __inlay_bprintf(&text, fmt, ~0u, args, bytes / 8);
	if (err)
		return err;
	if (size)
		text.buf[text.length < size - 1 ? text.length : size - 1] = '\0';
	return (__s64)text.length + 1;
}
