// What clang is asked to do, shown by clang itself.
// clang -### leaves its temporary files behind
// RUN: rm -rf %t.tmp && mkdir -p %t.tmp && export TMPDIR=%t.tmp
// RUN: %clang_bpf -c %S/Inputs/work.bpf.c -o %t.bpf.o
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -c %s -o %t.o -### 2>&1 | FileCheck %s --check-prefix=COMPILE
// COMPILE: "-cc1"
// COMPILE-SAME: "-load" "{{[^"]*}}inlay-pass.so"
// COMPILE-SAME: "-fpass-plugin={{[^"]*}}inlay-pass.so"
// COMPILE-SAME: "-mllvm" "-inlay-probes={{[^"]*}}.bpf.o"
// COMPILE-SAME: "-mllvm" "-inlay-hash={{[0-9a-f]+}}"

// The assembler of a mixed command line does not know the plugin.
// RUN: %clang -S %s -o %t.s
// RUN: %inlay_cc -Werror -finlay-probes=%t.bpf.o -c %t.s -x c %S/Inputs/other.inc -### 2>&1 | FileCheck %s --check-prefix=MIXED
// MIXED: "-cc1as"
// MIXED-NOT: "-inlay-
// MIXED: "-cc1"
// MIXED-SAME: "-inlay-probes=

// RUN: %inlay_cc -finlay-probes=%t.bpf.o %s -o %t.exe -### 2>&1 | FileCheck %s --check-prefix=LINK
// LINK: "{{[^"]*}}.o" "{{[^"]*}}libinlay.a" "-lgcc"

// RUN: %inlay_cc -finlay-probes=%t.bpf.o -flto=thin %s -o %t.exe -### 2>&1 | FileCheck %s --check-prefix=LTO
// LTO: ld.lld"
// LTO-NOT: -inlay-probes
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -flto -fuse-ld=bfd %s -o %t.exe -### 2>&1 | FileCheck %s --check-prefix=LTO-BFD
// LTO-BFD-NOT: ld.lld

// The hash follows the content of the probe object, not its name.
// RUN: %clang_bpf -DFUNCTION='"other"' -c %S/Inputs/work.bpf.c -o %t.2.bpf.o
// RUN: cp %t.bpf.o %t.same.bpf.o
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -c %s -### 2>&1 | grep -o 'inlay-hash=[0-9a-f]*' > %t.hash
// RUN: %inlay_cc -finlay-probes=%t.same.bpf.o -c %s -### 2>&1 | grep -o 'inlay-hash=[0-9a-f]*' > %t.hash.same
// RUN: %inlay_cc -finlay-probes=%t.2.bpf.o -c %s -### 2>&1 | grep -o 'inlay-hash=[0-9a-f]*' > %t.hash.2
// RUN: cmp %t.hash %t.hash.same
// RUN: not cmp -s %t.hash %t.hash.2

// A launcher such as a compiler cache sees the whole command line.
// RUN: env INLAY_LAUNCHER="echo LAUNCHED" %inlay_cc -finlay-probes=%t.bpf.o -c %s | FileCheck %s --check-prefix=LAUNCHER
// LAUNCHER: LAUNCHED {{.*}}clang{{.*}} -fplugin={{.*}} -inlay-hash={{.*}} -c

// INLAY_FLAGS and INLAY_PROBES stand in for options, and options win.
// RUN: env INLAY_FLAGS="-finlay-probes=%t.bpf.o -finlay-stats" %inlay_cc -c %s -### 2>&1 | FileCheck %s --check-prefix=ENV
// ENV: "-inlay-probes={{[^"]*}}" {{.*}}"-inlay-stats"
// RUN: env INLAY_PROBES=%t.bpf.o %inlay_cc -c %s -### 2>&1 | FileCheck %s --check-prefix=COMPILE

// RUN: %inlay_cc -finlay-probes=%t.bpf.o --print-flags | FileCheck %s --check-prefix=PRINT
// PRINT: compile: -fplugin={{.*}}inlay-pass.so -fpass-plugin={{.*}}inlay-pass.so -Xclang -mllvm -Xclang -inlay-probes=
// PRINT-NEXT: link: -Xlinker {{.*}}libinlay.a

int work(int n)
{
	return n + 1;
}

int main(void)
{
	return work(-1);
}
