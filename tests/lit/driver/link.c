// After a link: what matched, and the error for a program that names the linked file and matched nothing.
// RUN: %clang_bpf -DTARGET='"app:"' -c %S/Inputs/work.bpf.c -o %t.app.bpf.o
// RUN: %clang_bpf -DTARGET='"app:"' -DFUNCTION='"absent"' -c %S/Inputs/work.bpf.c -o %t.absent.bpf.o
// RUN: rm -rf %t.dir && mkdir %t.dir

// RUN: %inlay_cc -finlay-probes=%t.app.bpf.o %s -o %t.dir/app 2>&1 | FileCheck %s --check-prefix=MATCHED
// MATCHED: inlay: app: 1 of 1 programs at 1 sites
// MATCHED-NOT: {{.}}
// RUN: %t.dir/app

// The same objects in a program of another name: no error, whatever matched.
// RUN: %inlay_cc -finlay-probes=%t.absent.bpf.o %s -o %t.dir/other 2>&1 | count 0
// RUN: %inlay_cc -finlay-probes=%t.absent.bpf.o -finlay-verbose %s -o %t.dir/other 2>&1 | FileCheck %s --check-prefix=VERBOSE
// VERBOSE: inlay: other: 0 of 1 programs at 0 sites; count_work: none, it is for 'app'

// A section without a path: no error, but a name that may be misspelt is spoken of, in one line.
// RUN: %clang_bpf -DFUNCTION='"wait_for_wrok"' -c %S/Inputs/work.bpf.c -o %t.wrok.bpf.o
// RUN: %inlay_cc -finlay-probes=%t.wrok.bpf.o %s -o %t.dir/other 2>&1 | FileCheck %s --check-prefix=MISSPELT
// MISSPELT: inlay: other: no place for any of 1 programs; count_work: nothing compiled with it defines or calls 'wait_for_wrok'; did you mean 'wait_for_work'?
// MISSPELT-NOT: {{.}}
// RUN: %inlay_cc -finlay-probes=%t.wrok.bpf.o %s -o %t.dir/conftest 2>&1 | count 0
// RUN: cp %t.app.bpf.o %t.second.bpf.o
// RUN: %inlay_cc -finlay-probes=%t.wrok.bpf.o,%t.second.bpf.o %s -o %t.dir/app 2>&1 | FileCheck %s --check-prefix=PARTLY
// PARTLY: inlay: app: 1 of 2 programs at 1 sites; count_work: nothing compiled {{.*}} did you mean 'wait_for_work'?

// RUN: rm %t.dir/app
// RUN: not %inlay_cc -finlay-probes=%t.absent.bpf.o %s -o %t.dir/app 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: absent.bpf.o: error: program 'count_work' (section "uprobe/app:absent") matched nothing in 'app': nothing compiled with it defines or calls 'absent'
// RUN: not ls %t.dir/app

// Compiled without the probe object, linked with it.
// RUN: %clang -c %s -o %t.o
// RUN: not %inlay_cc -finlay-probes=%t.app.bpf.o %t.o -o %t.dir/app 2>&1 | FileCheck %s --check-prefix=STALE
// STALE: 'work' is here, but not from a file compiled with this probe object

// RUN: %inlay_cc -finlay-probes=%t.app.bpf.o -finlay-report=%t.json %s -o %t.dir/app 2>/dev/null
// RUN: FileCheck %s --check-prefix=JSON < %t.json
// JSON: "output": "app"
// JSON: "program": "count_work"
// JSON: "license": "Dual BSD/GPL"
// JSON: "kind": "entry"
// JSON-NEXT: "function": "work"
// RUN: mkdir %t.dir/reports
// RUN: %inlay_cc -finlay-probes=%t.app.bpf.o -finlay-report=%t.dir/reports %s -o %t.dir/app 2>/dev/null
// RUN: ls %t.dir/reports | FileCheck %s --check-prefix=REPORTS
// REPORTS: app.link.json
// REPORTS: link.c.{{[0-9a-f]+}}.json

// An output that is no file to look at.
// RUN: %inlay_cc -finlay-probes=%t.absent.bpf.o %s -o /dev/null
// RUN: %inlay_cc -finlay-probes=%t.absent.bpf.o %s -fuse-ld=lld -Wl,--oformat=binary -Wl,--entry=main -nostdlib -static -o %t.dir/app

// RUN: %inlay_cc -finlay-probes=%t.app.bpf.o %s -o %t.dir/app 2>/dev/null
// Linked by something else and looked at later.
// RUN: %inlay_cc -finlay-probes=%t.app.bpf.o -finlay-check=%t.dir/app 2>&1 | FileCheck %s --check-prefix=MATCHED
// RUN: not %inlay_cc -finlay-probes=%t.absent.bpf.o -finlay-check=%t.dir/app 2>&1 | FileCheck %s --check-prefix=NOTHING

// RUN: not %inlay_cc -finlay-probes=%t.missing.bpf.o -c %s -o %t.o 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: inlay-cc: error: cannot read {{.*}}missing.bpf.o: No such file or directory
// RUN: not %inlay_cc -finlay-prob=x -c %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: inlay-cc: error: '-finlay-prob=x': unknown option
// RUN: not env INLAY_FLAGS=-O2 %inlay_cc -c %s 2>&1 | FileCheck %s --check-prefix=NOT-OURS
// NOT-OURS: inlay-cc: error: INLAY_FLAGS holds what is no option of Inlay: -O2

int work(int n)
{
	return n + 1;
}

int wait_for_work(int n)
{
	return n;
}

int main(void)
{
	return work(-1);
}
