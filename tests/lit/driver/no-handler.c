// -finlay-no-handler keeps the process free of signal handlers; guarded reads work all the same.
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -c %S/Inputs/read.bpf.c -o %t.bpf.o
// RUN: %inlay_cc -finlay-probes=%t.bpf.o %s -o %t.exe && %t.exe | FileCheck %s --check-prefix=WITH
// WITH: SIGSEGV is caught
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -finlay-no-handler %s -o %t.exe && %t.exe | FileCheck %s --check-prefix=WITHOUT
// WITHOUT: SIGSEGV is not caught
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -finlay-no-handler -fuse-ld=lld -no-pie -fno-pie %s -o %t.exe && %t.exe | FileCheck %s --check-prefix=WITHOUT
// RUN: rm -rf %t.dir && mkdir %t.dir && chmod 700 %t.dir
// RUN: env INLAY_DIR=%t.dir INLAY_KEEP=1 %t.exe && env INLAY_DIR=%t.dir inlay dump .bss | FileCheck %s --check-prefix=READ
// READ-DAG: bytes = 6
// READ-DAG: text = "hello"
#include <signal.h>
#include <stdio.h>
#include <string.h>

__attribute__((noinline)) int work(const char *text)
{
	return (int)strlen(text);
}

int main(void)
{
	unsigned long caught = 0;
	char line[256];
	FILE *status;

	if (work("hello") != 5)
		return 1;
	status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "SigCgt: %lx", &caught);
	printf("SIGSEGV is %scaught\n", caught >> (SIGSEGV - 1) & 1 ? "" : "not ");
	return 0;
}
