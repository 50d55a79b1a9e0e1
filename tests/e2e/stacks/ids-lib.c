/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that calls back; what it is called, and how much else it does, is said when it is compiled. */
#ifndef THROUGH
#define THROUGH through
#endif
#ifndef MORE
#define MORE 1
#endif

int THROUGH(int (*fn)(int), int n);

static volatile int sink;

__attribute__((noinline)) static int inner(int (*fn)(int), int n)
{
	int rc = fn(n);

	sink += rc;
	return rc;
}

int THROUGH(int (*fn)(int), int n)
{
	int rc = 0;

	for (int i = 0; i < MORE; i++)
		sink += i * n;
	rc += inner(fn, n);
	sink += rc;
	return rc;
}
