/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Untrusted memory by system call: slow, and safe whatever the target did to its signals. Used where
 * SIGSEGV cannot be ours, and by what is slow anyway.
 */
#include <errno.h>
#include <sys/uio.h>

#include "rt/helpers.h"
#include "rt/sys.h"

int __inlay_read_by_call(void *dst, __u64 addr, __u64 bytes)
{
	struct iovec local = { .iov_base = dst, .iov_len = bytes };
	struct iovec remote = { .iov_base = (void *)addr, .iov_len = bytes };
	long n;

	if (!bytes)
		return 0;
	n = sys_call6(__NR_process_vm_readv, sys_getpid(), (long)&local, 1, (long)&remote, 1, 0);
	return n == (long)bytes ? 0 : -EFAULT;
}

long __inlay_read_string_by_call(char *dst, __u64 addr, __u64 bytes)
{
	__u64 done = 0;

	while (done < bytes) {
		/* a page at a time: what lies behind the NUL may be unmapped */
		__u64 n = INLAY_PAGE_BYTES - ((addr + done) & (INLAY_PAGE_BYTES - 1));
		char page[INLAY_PAGE_BYTES];
		__u64 room;

		if (n > bytes - done)
			n = bytes - done;
		if (__inlay_read_by_call(page, addr + done, n))
			return -EFAULT;
		for (__u64 i = 0; i < n; i++) {
			dst[done + i] = page[i];
			if (page[i])
				continue;
			/* as the other way: the word that holds the NUL is cleared behind it */
			done += i;
			room = bytes - (done & ~7ull);
			for (__u64 j = done & 7; room >= 8 && j < 8; j++)
				dst[(done & ~7ull) + j] = 0;
			return (long)done;
		}
		done += n;
	}
	return (long)bytes;
}
