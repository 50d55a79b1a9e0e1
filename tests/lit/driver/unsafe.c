/* SPDX-License-Identifier: BSD-2-Clause */
/* -finlay-unsafe-no-verify takes what is refused otherwise, and says so at every step. */
// RUN: rm -rf %t && mkdir %t
// RUN: %clang_bpf -c %S/Inputs/unsafe.bpf.c -o %t/unsafe.bpf.o
// RUN: not %inlay_cc -finlay-probes=%t/unsafe.bpf.o -c %s -o %t/none.o 2>&1 | FileCheck %s --check-prefix=REFUSED
// RUN: %inlay_cc -finlay-probes=%t/unsafe.bpf.o -finlay-unsafe-no-verify -finlay-report=%t/report.json -O2 -c %s -o %t/app.o 2>&1 | FileCheck %s --check-prefix=UNSAFE
// RUN: cat %t/report.json.d/*.json | FileCheck %s --check-prefix=UNSAFE
// RUN: %inlay_cc -finlay-probes=%t/unsafe.bpf.o -finlay-unsafe-no-verify %t/app.o -o %t/app 2>&1 | FileCheck %s --check-prefix=UNSAFE
// RUN: env INLAY_DISABLE=1 %t/app
// REFUSED: error: {{.*}}NULL
// UNSAFE: NOT VERIFIED
__attribute__((noinline)) int work(int x)
{
	return x + 1;
}

int main(int argc, char **argv)
{
	(void)argv;
	return work(argc) - 2;
}
