// Every way to call a compiler, with a probe in it; the linked programs run and hold the site.
// RUN: %clang_bpf -c %S/Inputs/work.bpf.c -o %t.bpf.o
// RUN: rm -rf %t.dir && mkdir %t.dir
// RUN: echo "-finlay-probes=%t.bpf.o -O2" > %t.rsp

// RUN: %inlay_cc @%t.rsp -c %s -o %t.o && %inlay_cc @%t.rsp %t.o -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.exe | FileCheck %s --check-prefix=SITE
// SITE: inlay_sites
// RUN: %inlay_cc -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.exe | FileCheck %s --check-prefix=SITE

// RUN: %inlay_cc -Werror -O0 -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: %inlay_cc -Werror -O1 -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: %inlay_cc -Werror -O2 -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: %inlay_cc -Werror -O3 -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: %inlay_cc -Werror -Os -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: %inlay_cc -Werror -Oz -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: %inlay_cc -Werror -Og -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: %inlay_cc -Werror -g -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -S %s -o %t.s && %inlay_cc -finlay-probes=%t.bpf.o %t.s -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.exe | FileCheck %s --check-prefix=SITE
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -S -emit-llvm %s -o - | FileCheck %s --check-prefix=IR
// IR: inlay_sites
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -x c -c - -o %t.o < %s && %inlay_cc -finlay-runtime %t.o -o %t.exe && %t.exe
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -E %s | FileCheck %s --check-prefix=PREPROCESSED
// PREPROCESSED-NOT: {{^#include}}
// PREPROCESSED: int work(int n)
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -save-temps=obj %s -o %t.dir/a && %t.dir/a

// Several sources in one command.
// RUN: cd %t.dir && %inlay_cc -finlay-probes=%t.bpf.o -c -DNO_MAIN %s %S/Inputs/second.c && llvm-readelf -S modes.o | FileCheck %s --check-prefix=SITE
// RUN: cd %t.dir && llvm-readelf -S second.o | FileCheck %s --check-prefix=NO-SITE
// NO-SITE-NOT: inlay_sites
// RUN: %inlay_cc -finlay-probes=%t.bpf.o %s %S/Inputs/second.c -o %t.exe && %t.exe

// make's rule knows the probe object.
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -MMD -MF %t.d -c %s -o %t.o && FileCheck %s --check-prefix=RULE < %t.d
// RULE: modes.c.tmp.bpf.o

// RUN: %inlay_cc -finlay-probes=%t.bpf.o -fPIC -shared -DNO_MAIN %s -o %t.so && %clang -DNO_WORK %s %t.so -Wl,-rpath,%T -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.so | FileCheck %s --check-prefix=SITE
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -DNO_MAIN -r %s -o %t.r.o && %inlay_cc -finlay-probes=%t.bpf.o -DNO_WORK %s %t.r.o -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.exe | FileCheck %s --check-prefix=SITE
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -static %s -o %t.exe && %t.exe
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -no-pie -fno-pie %s -o %t.exe && %t.exe
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -fuse-ld=lld %s -o %t.exe && %t.exe
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -ffunction-sections -Wl,--gc-sections %s -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.exe | FileCheck %s --check-prefix=SITE

// RUN: %inlay_cc -finlay-probes=%t.bpf.o -O2 -flto %s -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.exe | FileCheck %s --check-prefix=SITE
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -O2 -flto=thin -c %s -o %t.o && %inlay_cc -finlay-probes=%t.bpf.o -O2 -flto=thin %t.o -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.exe | FileCheck %s --check-prefix=SITE
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -O1 -fsanitize=address %s -o %t.exe && %t.exe
// RUN: llvm-readelf -S %t.exe | FileCheck %s --check-prefix=SITE

int work(int n);

#ifndef NO_WORK
int work(int n)
{
	return n + 1;
}
#endif

#ifndef NO_MAIN
int main(void)
{
	return work(-1);
}
#endif
