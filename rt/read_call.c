/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Untrusted memory by system call: slow, and safe whatever the target did to its signals. Used
 * where SIGSEGV cannot be ours, and by what is slow anyway.
 */
#include <errno.h>
#include <sys/uio.h>

#include "rt/helpers.h"
#include "rt/sys.h"

#define PIECE_BYTES 256u /* divides a page */

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

/*
 * As rt/probe_copy.c leaves it: the word that holds the NUL is cleared behind it, if the whole word
 * is inside the buffer and could be read.
 */
static void clear_behind(char *dst, __u64 addr, __u64 length, __u64 bytes)
{
	__u64 word = length & ~7ull, whole;

	if (bytes - word < 8 || __inlay_read_by_call(&whole, addr + word, sizeof(whole)))
		return;
	for (__u64 i = length; i < word + 8; i++)
		dst[i] = 0;
}

long __inlay_read_string_by_call(char *dst, __u64 addr, __u64 bytes)
{
	__u64 done = 0;

	while (done < bytes) {
		/*
		 * Never beyond the page of a byte that is wanted: what lies behind the NUL may be
		 * unmapped. Little at a time, as the stack may be a signal handler's.
		 */
		char piece[PIECE_BYTES];
		__u64 n = PIECE_BYTES - ((addr + done) & (PIECE_BYTES - 1));

		if (n > bytes - done)
			n = bytes - done;
		if (__inlay_read_by_call(piece, addr + done, n))
			return -EFAULT;
		for (__u64 i = 0; i < n; i++) {
			dst[done + i] = piece[i];
			if (piece[i])
				continue;
			done += i;
			clear_behind(dst, addr, done, bytes);
			return (long)done;
		}
		done += n;
	}
	return (long)bytes;
}
