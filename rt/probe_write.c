/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_probe_write_user(): a copy that may fault where it writes. What was written before the fault
 * stays, as in the kernel.
 */
#include <errno.h>
#include <sys/uio.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/probe_copy.h"
#include "rt/sys.h"

static int write_by_call(__u64 addr, const void *src, __u64 bytes)
{
	struct iovec local = { .iov_base = (void *)src, .iov_len = bytes };
	struct iovec remote = { .iov_base = (void *)addr, .iov_len = bytes };
	long n = sys_call6(__NR_process_vm_writev, sys_getpid(), (long)&local, 1, (long)&remote, 1,
			   0);

	return n == (long)bytes ? 0 : -EFAULT;
}

__s64 __inlay_probe_write_user_v1(__u64 addr, const void *src, __u64 bytes)
{
	__u32 size = (__u32)bytes;
	int err;

	/* its loads and its stores are covered alike */
	if (__inlay_read_is_guarded())
		err = (int)__inlay_copy((void *)addr, (__u64)src, size);
	else
		err = write_by_call(addr, src, size);
	return err;
}
