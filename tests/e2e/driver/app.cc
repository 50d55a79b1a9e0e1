/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls step() three times; the last one throws. */
#include <stdexcept>

int step(int n)
{
	if (n == 2)
		throw std::runtime_error("done");
	return n + 1;
}

int main()
{
	try {
		for (int n = 0;;)
			n = step(n);
	} catch (const std::runtime_error &) {
		return 0;
	}
}
