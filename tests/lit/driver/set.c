// --set, --map and -finlay-attach reach the compiled probe; a wrong one is an error with a reason.
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -c %S/Inputs/set.bpf.c -o %t.bpf.o
// RUN: rm -rf %t.dir && mkdir %t.dir && chmod 700 %t.dir
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -finlay-attach=add_step:work --set step=5 --map seen.max_entries=3 %s -o %t.exe
// RUN: env INLAY_DIR=%t.dir INLAY_KEEP=1 %t.exe
// RUN: env INLAY_DIR=%t.dir inlay dump .bss | FileCheck %s --check-prefix=STEP
// STEP: total = 35
// RUN: env INLAY_DIR=%t.dir inlay maps | FileCheck %s --check-prefix=MAPS
// MAPS: seen hash u32 -> u64 3 {{.*}} 4{{$}}

// RUN: rm -rf %t.dir/*
// RUN: %inlay_cc -finlay-probes=%t.bpf.o -finlay-attach=set.c.tmp:add_step:work -finlay-set=is_off=true %s -o %t.exe
// RUN: env INLAY_DIR=%t.dir INLAY_KEEP=1 %t.exe
// RUN: env INLAY_DIR=%t.dir inlay dump .bss | FileCheck %s --check-prefix=OFF
// OFF: total = 0

// RUN: not %inlay_cc -finlay-probes=%t.bpf.o -finlay-attach=add_step:work --set no_such=1 -c %s -o %t.o 2>&1 | FileCheck %s --check-prefix=NO-VAR
// NO-VAR: error: {{.*}}no_such
// RUN: not ls %t.o
// RUN: not %inlay_cc -finlay-probes=%t.bpf.o -finlay-attach=add_step:work --map seen.max_entries=0 -c %s -o %t.o 2>&1 | FileCheck %s --check-prefix=NO-MAP
// NO-MAP: error: {{.*}}max_entries
// RUN: not %inlay_cc -finlay-probes=%t.bpf.o -finlay-attach=no_such:work -c %s -o %t.o 2>&1 | FileCheck %s --check-prefix=NO-PROG
// NO-PROG: error: {{.*}}no_such

// With several objects an option may be for one: its name stands in front.
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -c %S/Inputs/work.bpf.c -o %t.work.bpf.o
// RUN: not %inlay_cc -finlay-probes=%t.bpf.o,%t.work.bpf.o -finlay-attach=set.c.tmp:add_step:work --set step=5 -c %s -o %t.o 2>&1 | FileCheck %s --check-prefix=SEVERAL
// SEVERAL: error: {{.*}}set.c.tmp.work.bpf.o: --set step=5: the object has no variable "step"; {{.*}}; with OBJECT: in front it is for one object only
// RUN: %inlay_cc -finlay-probes=%t.bpf.o,%t.work.bpf.o -finlay-attach=set.c.tmp:add_step:work --set set.c.tmp:step=5 -c %s -o %t.o
// RUN: not %inlay_cc -finlay-probes=%t.bpf.o,%t.work.bpf.o --set sett:step=5 -c %s -o %t.o 2>&1 | FileCheck %s --check-prefix=NO-OBJECT
// NO-OBJECT: inlay-cc: error: '-finlay-set=sett:step=5': no probe object is called 'sett'
// RUN: not %inlay_cc -finlay-probes=%t.bpf.o -finlay-skip=x:add_step -c %s -o %t.o 2>&1 | FileCheck %s --check-prefix=NO-SKIP
// NO-SKIP: inlay-cc: error: '-finlay-skip=x:add_step': no probe object is called 'x'

// A program that is left out is in nobody's way.
// RUN: %inlay_cc -finlay-probes=%t.bpf.o,%t.work.bpf.o -finlay-skip=set.c.tmp:add_* %s -o %t.exe 2>&1 | FileCheck %s --check-prefix=SKIP
// SKIP: inlay: set.c.tmp.exe: 1 of 1 programs at 1 sites
// RUN: not %inlay_cc -finlay-probes=%t.bpf.o -finlay-skip=ad_step -c %s -o %t.o 2>&1 | FileCheck %s --check-prefix=SKIP-NONE
// SKIP-NONE: error: {{.*}}--skip ad_step: the object has no program of that name
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
