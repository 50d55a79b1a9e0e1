/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions of a program's structure. */
#if VERSION == 1
struct item { int flags, number; short more; };
#elif VERSION == 2
struct item { long flags; struct { int pad[2]; union { int number; char former_[4]; }; int former; }; };
#endif
#if VERSION < 3
int f(struct item *item);
int f(struct item *item)
{
	return item->flags;
}
#else
/* two of one name */
int f(void);
int f(void)
{
	struct item { int number; } item = { 1 };

	return item.number;
}
int g(void);
int g(void)
{
	struct item { int flags, number; } item = { 1, 2 };

	return item.number;
}
#endif
