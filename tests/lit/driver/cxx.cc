// inlay-c++ compiles C++ and links its library; functions are named by mangled name.
// RUN: %clang_bpf -DFUNCTION='"_Z4worki"' -c %S/Inputs/work.bpf.c -o %t.bpf.o
// RUN: %inlay_cxx -Werror -O2 -finlay-probes=%t.bpf.o %s -o %t.exe 2>&1 | FileCheck %s
// CHECK: 1 of 1 programs at 1 sites
// RUN: %t.exe | FileCheck %s --check-prefix=OUT
// OUT: caught 3
#include <iostream>

int work(int n)
{
	if (n > 2)
		throw n;
	return n + 1;
}

int main()
{
	try {
		work(work(2));
	} catch (int n) {
		std::cout << "caught " << n << std::endl;
	}
	return 0;
}
