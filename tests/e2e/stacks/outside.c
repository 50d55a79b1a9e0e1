/* SPDX-License-Identifier: BSD-2-Clause */
/* What target.c only declares: its probe runs around the call. */
int outside(int n);

int outside(int n)
{
	return n * 3;
}
