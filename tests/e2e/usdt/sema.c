/* SPDX-License-Identifier: BSD-2-Clause */
/* A probe whose arguments are computed only while somebody watches. */
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

__extension__ unsigned short sema_work_semaphore __attribute__((unused, section(".probes")));

long sema_probes(int n);
long sema_probes(int n)
{
	long sum = 0;

	if (__builtin_expect(sema_work_semaphore, 0)) {
		for (int i = 0; i < n; i++)
			sum += i * i;
		STAP_PROBE1(sema, work, sum);
	}
	return n;
}
