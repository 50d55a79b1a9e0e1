/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections that say something impossible, tags, and what is only counted. */
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc -d %t.bpf.o 2>&1 | FileCheck %s
// RUN: %clang_bpf -DBAD='"uprobe/app:f+4"' -c %s -o %t.1.bpf.o
// RUN: not %bpfcc -d %t.1.bpf.o 2>&1 | FileCheck %s --check-prefix=OFFSET
// RUN: %clang_bpf -DTAG='"inlay:often"' -c %s -o %t.2.bpf.o
// RUN: not %bpfcc -d %t.2.bpf.o 2>&1 | FileCheck %s --check-prefix=TAG
// RUN: %clang_bpf -DTAG='"inlay:function=g"' -c %s -o %t.3.bpf.o
// RUN: not %bpfcc -d %t.3.bpf.o 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: %clang_bpf -DBAD='"uprobe"' -DTAG='"inlay:function=g*"' -c %s -o %t.4.bpf.o
// RUN: not %bpfcc -d %t.4.bpf.o 2>&1 | FileCheck %s --check-prefix=PATTERN
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifndef BAD
#define BAD "uprobe/app:f"
#endif
#ifndef TAG
#define TAG "not ours"
#endif
#define tag(text) __attribute__((btf_decl_tag(text)))

tag(TAG)
SEC(BAD) int one(void *ctx) { return 0; }
tag("inlay:call") tag("inlay:caller=main*") tag("inlay:function=fsync")
SEC("uprobe.session") int two(void *ctx) { return 0; }
tag("inlay:switched") tag("inlay:unwind")
SEC("uretprobe.multi/*:h*") int three(void *ctx) { return 0; }
SEC("usdt/app:a:b") int four(void *ctx) { return 0; }
SEC("tracepoint/a/b") int five(void *ctx) { return 0; }
SEC("raw_tp/a") int six(void *ctx) { return 0; }

// CHECK: program 0 "one": section "uprobe/app:f", entry, function "f", path "app"
// CHECK: program 1 "two": section "uprobe.session", session, function "fsync", caller "main*", multi, call
// CHECK: program 2 "three": section "uretprobe.multi/*:h*", return, function "h*", multi, switched, unwind
// CHECK: program 3 "four": section "usdt/app:a:b", usdt, function "a:b", path "app"
// CHECK: 2 kernel-side programs left to the companion
// OFFSET: error: an offset inside of a function is not a place that Inlay can probe
// OFFSET: section "uprobe/app:f+4", program "one"
// TAG: error: unknown tag "inlay:often"
// TAG: help: known are inlay:call, inlay:caller=NAME
// PATTERN: error: tag "inlay:function=g*": the program's section does not take a pattern
// TWICE: error: tag "inlay:function=g", but the section or another tag names function "f"
