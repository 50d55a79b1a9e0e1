/* SPDX-License-Identifier: BSD-2-Clause */
/* A class whose methods have C++ names; LIBRARY is the namespace. */
#include <vector>

typedef int reached_fn(int);

namespace LIBRARY {

struct Worker {
	reached_fn *fn;
	int work(const std::vector<int> &items, int n);
};

__attribute__((noinline)) int Worker::work(const std::vector<int> &items, int n)
{
	int sum = 0;

	for (int item : items)
		sum += fn(item + n);
	return sum;
}

} /* namespace LIBRARY */

#define CALL2(library, fn, n)                                                                      \
	do {                                                                                       \
		std::vector<int> items{ 1, 2 };                                                    \
		library::Worker worker{ fn };                                                      \
		volatile int sum = worker.work(items, n);                                          \
		(void)sum;                                                                         \
	} while (0)
#define CALL(library, fn, n) CALL2(library, fn, n)
