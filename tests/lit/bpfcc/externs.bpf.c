/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that the object does not define: session kfuncs with both of the kernel's prototypes, weak ones. */
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc -d %t.bpf.o | FileCheck %s
// RUN: %clang_bpf -DWITH_CTX -c %s -o %t.ctx.bpf.o
// RUN: %bpfcc -d %t.ctx.bpf.o | FileCheck %s
// RUN: %clang_bpf -DUSE_KCONFIG -c %s -o %t.1.bpf.o
// RUN: not %bpfcc -d %t.1.bpf.o 2>&1 | FileCheck %s --check-prefix=KCONFIG
// RUN: %bpfcc -d --set CONFIG_STRONG=3 %t.1.bpf.o | FileCheck %s --check-prefix=KNOWN
// RUN: %bpfcc -d --set CONFIG_STRONG=3 --set LINUX_KERNEL_VERSION=7 %t.1.bpf.o | FileCheck %s --check-prefix=CHANGED
// RUN: %clang_bpf -DSTRONG -c %s -o %t.2.bpf.o
// RUN: not %bpfcc -d %t.2.bpf.o 2>&1 | FileCheck %s --check-prefix=STRONG
// RUN: %clang_bpf -DVARIABLE -c %s -o %t.3.bpf.o
// RUN: not %bpfcc -d %t.3.bpf.o 2>&1 | FileCheck %s --check-prefix=VARIABLE
// RUN: %clang_bpf -DCALLBACK -c %s -o %t.4.bpf.o
// RUN: %bpfcc -d %t.4.bpf.o | FileCheck %s --check-prefix=CALLBACK
// RUN: %clang_bpf -DPOINTERS -c %s -o %t.5.bpf.o
// RUN: not %bpfcc -d %t.5.bpf.o 2>&1 | FileCheck %s --check-prefix=POINTERS
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifdef WITH_CTX
#define CTX void *ctx
#define ARG ctx
#else
#define CTX void
#define ARG
#endif
extern _Bool bpf_session_is_return(CTX) __ksym;
extern __u64 *bpf_session_cookie(CTX) __ksym;
extern void weak_function(void) __ksym __weak;
extern void strong_function(void) __ksym;
extern const int weak_variable __ksym __weak;
extern const int strong_variable __ksym;
extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_STRONG __kconfig;
extern int CONFIG_WEAK __kconfig __weak;
unsigned long total;
char LICENSE[] SEC("license") = "GPL";

#ifdef POINTERS
static const char *const volatile words[] = {"one", "two"};
#endif

static long callback(__u32 i, void *data)
{
	return 0;
}

SEC("uprobe.session/*:f")
int both(void *ctx)
{
	__u64 *cookie = bpf_session_cookie(ARG);

	if (bpf_session_is_return(ARG))
		total += *cookie;
	else
		*cookie = 1;
	if (weak_function)
		weak_function();
	if (&weak_variable)
		total += weak_variable;
#ifdef USE_KCONFIG
	if (LINUX_KERNEL_VERSION < 1000)
		total += 1;
	if (CONFIG_STRONG < 1001)
		total += 2;
	if (CONFIG_WEAK < 1002)
		total += 3;
#endif
#ifdef STRONG
	strong_function();
#endif
#ifdef VARIABLE
	total += (long)&strong_variable;
#endif
#ifdef POINTERS
	total += *words[total & 1];
#endif
#ifdef CALLBACK
	bpf_loop(3, callback, 0, 0);
#endif
	return 0;
}
// CHECK: call bpf_session_cookie
// CHECK: call bpf_session_is_return
// CHECK: r{{[0-9]}} = 0x0 ll
// CHECK: never runs
// KCONFIG: error: a process has no kernel configuration: "CONFIG_STRONG" is not known
// KCONFIG: help: --set gives it a value; declared __weak it is 0
// KNOWN: ".kconfig": type 2, key 4 bytes, value 12 bytes, 1 entries, read-only
// KNOWN-DAG: if {{.*}} 999 {{.*}}=397824
// KNOWN-DAG: if {{.*}} 1000 {{.*}}=3
// KNOWN-DAG: if {{.*}} 1001 {{.*}}=0
// CHANGED-DAG: if {{.*}} 999 {{.*}}=7
// CHANGED-DAG: if {{.*}} 1000 {{.*}}=3
// STRONG: externs.bpf.c:{{[0-9]+}}: error: kernel function "strong_function" is not supported
// STRONG: help: {{.*}}__weak
// VARIABLE: error: "strong_variable" is not defined in the object: kernel symbols do not exist in a process
// POINTERS: error: section "{{.*}}" holds addresses of variables, which an eBPF object cannot have
// CALLBACK: r2 = func(callback) ll
// CALLBACK: call bpf_loop
