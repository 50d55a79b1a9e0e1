/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls step() seven times. */
int step(int n);

int step(int n)
{
	return n + 1;
}

int main(void)
{
	int n = 0;

	while (n < 7)
		n = step(n);
	return 0;
}
