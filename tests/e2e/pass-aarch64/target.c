/* SPDX-License-Identifier: BSD-2-Clause */
/* What is probed; dump.c of the tests of the pass prints the counts at the end. */
#include <inlay/probe.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

NOINLINE int serve(int n, const char *name, long long price, signed char small)
{
	INLAY_PROBE(shop, order, n, price, small);
	return n * 2 + name[0] + (int)price + small;
}

NOINLINE long wide(long a, long b, long c, long d, long e, long f)
{
	return a + b * c - d * e + f;
}

NOINLINE int framed(void *frame)
{
	__asm__ volatile("" : : "r"(frame) : "memory");
	return 1;
}

NOINLINE int refused(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

int main(void)
{
	long sum = 0;

	for (int i = 1; i <= 10; i++) {
		sum += serve(i % 4, i & 1 ? "odd" : "even", i * -100000ll, (signed char)-i);
		sum += wide(i, 2, 3, 4, 5, i * 7);
		sum += framed(__builtin_frame_address(0));
		sum += refused(i) != -17;
		getppid();
	}
	return sum == 0;
}
