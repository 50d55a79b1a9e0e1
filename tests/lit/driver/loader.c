// What a tool's loader does is said by options, and the link knows them as the compiler does.
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -c %S/Inputs/loader.bpf.c -o %t.bpf.o
// RUN: rm -rf %t.dir && mkdir %t.dir && chmod 700 %t.dir
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -finlay-attach=on_entry:work -finlay-attach=loader.c.tmp:on_return:wo*k --set wants_task=false -finlay-map=loader.c.tmp:stacks.value_size=64 --map stacks.max_entries=16 %s -o %t.exe 2>&1 | FileCheck %s --check-prefix=BUILD
// BUILD: 2 of 2 programs at 2 sites
// RUN: env INLAY_DIR=%t.dir INLAY_KEEP=1 %t.exe
// RUN: env INLAY_DIR=%t.dir inlay dump .bss | FileCheck %s --check-prefix=COUNTS
// COUNTS-DAG: entries = 7
// COUNTS-DAG: returns = 28
// RUN: env INLAY_DIR=%t.dir inlay maps | FileCheck %s --check-prefix=MAPS
// MAPS: stacks stack_trace {{.*}} 16 {{.*}}

// Without them it is refused, by the compiler and by the link.
// RUN: not %inlay_cc -finlay-probes=%t.bpf.o --set wants_task=0 -finlay-attach=on_entry:work %s -o %t.exe 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: error: {{.*}}map "stacks": max_entries is 0
__attribute__((noinline)) int work(int n)
{
	return n + 1;
}

int main(void)
{
	int n = 0;

	while (n < 7)
		n = work(n);
	return 0;
}
