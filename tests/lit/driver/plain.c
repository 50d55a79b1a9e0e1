// With nothing to do the wrapper is clang: the same bytes, the same messages, the same exit code.
// RUN: %clang -O2 -g -c %s -o %t.clang.o
// RUN: %inlay_cc -O2 -g -c %s -o %t.inlay.o
// RUN: cmp %t.clang.o %t.inlay.o
// RUN: %clang -O2 -S %s -o %t.clang.s
// RUN: %inlay_cc -O2 -S %s -o %t.inlay.s
// RUN: cmp %t.clang.s %t.inlay.s
// RUN: %clang -E %s > %t.clang.i
// RUN: %inlay_cc -E %s > %t.inlay.i
// RUN: cmp %t.clang.i %t.inlay.i
// RUN: %clang %s -o %t.clang
// RUN: cp %t.clang %t.reference
// RUN: %inlay_cc %s -o %t.clang
// RUN: cmp %t.clang %t.reference
// RUN: %clang --version > %t.clang.version
// RUN: %inlay_cc --version > %t.inlay.version
// RUN: cmp %t.clang.version %t.inlay.version
// RUN: not %inlay_cc -c %s -DBROKEN -o %t.broken.o 2>&1 | FileCheck %s --check-prefix=BROKEN
// BROKEN: plain.c:[[#]]:{{.*}}error: broken

// Assembly, other targets and -fsyntax-only pass as they are, also with probes named.
// RUN: %inlay_cc -finlay-probes=%t.missing --target=bpf -O2 -c %s -o %t.bpf.o
// RUN: %inlay_cc -finlay-probes=%t.missing -fsyntax-only %s
// RUN: %inlay_cc -finlay-probes=%t.missing -M %s
// RUN: %inlay_cc -finlay-probes=%t.missing -Werror -c %t.clang.s -o %t.asm.o

#ifdef BROKEN
#error broken
#endif
int work(int n)
{
	return n + 1;
}

int main(void)
{
	return work(-1);
}
