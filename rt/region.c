/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts shared pages in the place of a region's link-time pages, under running code: the address
 * stays, what was counted before is kept.
 */
#include <errno.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

static bool page_is_zero(const __u64 *page)
{
	size_t i;

	for (i = 0; i < INLAY_PAGE_BYTES / sizeof(*page); i++)
		if (load_relaxed(&page[i]))
			return false;
	return true;
}

int __inlay_region_write(int fd, const void *data, __u64 off, __u64 bytes)
{
	__u64 done = 0;

	while (done < bytes) {
		long n = sys_pwrite(fd, (const char *)data + done, bytes - done, off + done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EIO;
		done += (__u64)n;
	}
	return 0;
}

/*
 * Writes what the region holds into its place in the file. Only pages with something in them: fresh
 * pages of the file are zero. A hit of another thread between this and the mapping would be lost;
 * at constructor time there is no other thread, and in a library that dlopen() loads only those
 * that the constructors before this one started.
 */
int __inlay_region_save(int fd, const void *region, __u64 off, __u64 bytes)
{
	const char *page = region;
	__u64 at;
	int err = 0;

	for (at = 0; at < bytes && !err; at += INLAY_PAGE_BYTES)
		if (!page_is_zero((const __u64 *)(page + at)))
			err = __inlay_region_write(fd, page + at, off + at, INLAY_PAGE_BYTES);
	return err;
}

int __inlay_region_map(int fd, void *region, __u64 off, __u64 bytes)
{
	void *at;

	if ((uintptr_t)region % INLAY_PAGE_BYTES || bytes % INLAY_PAGE_BYTES)
		return -EINVAL;
	at = sys_mmap(region, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, off);
	if (at != region)
		return -ENOMEM;
	__inlay_cut_note(at, bytes);
	return 0;
}
