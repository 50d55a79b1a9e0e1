/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas: a list in pages of one, compiled and interpreted; what is not there reads as 0. */
// RUN: %clang_bpf -mcpu=v4 -c %s -o %t.bpf.o && %bpfcc verify %t.bpf.o
// RUN: %bpfcc run %t.bpf.o:list > %t.out && %bpfcc run --interp %t.bpf.o:list >> %t.out
// RUN: %bpfcc run %t.bpf.o:gone >> %t.out && %bpfcc run --interp %t.bpf.o:gone >> %t.out
// RUN: %bpfcc run %t.bpf.o:across >> %t.out && %bpfcc run --interp %t.bpf.o:across >> %t.out
// RUN: %bpfcc run %t.bpf.o:cast >> %t.out && %bpfcc run --interp %t.bpf.o:cast >> %t.out
// RUN: %bpfcc run %t.bpf.o:arithmetic >> %t.out && %bpfcc run --interp %t.bpf.o:arithmetic >> %t.out
// RUN: %bpfcc run %t.bpf.o:mixed >> %t.out && %bpfcc run --interp %t.bpf.o:mixed >> %t.out
// RUN: %bpfcc run %t.bpf.o:atomic >> %t.out && %bpfcc run --interp %t.bpf.o:atomic >> %t.out
// RUN: %bpfcc run %t.bpf.o:halves >> %t.out && %bpfcc run --interp %t.bpf.o:halves >> %t.out
// RUN: FileCheck %s --check-prefix=RESULT --input-file=%t.out
// RUN: %bpfcc %t.bpf.o -o - --emit=ll | FileCheck %s
// RUN: not %bpfcc verify %t.bpf.o --map arena.max_entries=2000000 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: %clang_bpf -mcpu=v4 -c %s -DNO_FLAG -o %t.flag.bpf.o && not %bpfcc verify %t.flag.bpf.o 2>&1 | FileCheck %s --check-prefix=FLAG
// RUN: %clang_bpf -mcpu=v4 -c %s -DVARIABLES -DEXTRA=0x7e0000000000ull -o %t.var.bpf.o
// RUN: %bpfcc run %t.var.bpf.o:variables > %t.variables && %bpfcc run --interp %t.var.bpf.o:variables >> %t.variables
// RUN: FileCheck %s --check-prefix=VARIABLES --input-file=%t.variables
// RUN: %bpfcc %t.var.bpf.o -o - --emit=ll | FileCheck %s --check-prefix=IMAGE
// RUN: %bpfcc %t.var.bpf.o --map arena.max_entries=1000 -o - --emit=ll | FileCheck %s --check-prefix=START
// RUN: %bpfcc run --set number=50 %t.var.bpf.o:variables | FileCheck %s --check-prefix=SET
// RUN: not %bpfcc verify %t.var.bpf.o --map arena.max_entries=1 2>&1 | FileCheck %s --check-prefix=FEW
// RUN: %clang_bpf -mcpu=v4 -c %s -DVARIABLES -DTWO -o %t.two.bpf.o && not %bpfcc verify %t.two.bpf.o 2>&1 | FileCheck %s --check-prefix=TWO
// RUN: %clang_bpf -mcpu=v4 -c %s -DEXTRA=0x7e0012345000ull -o %t.extra.bpf.o
// RUN: %bpfcc run %t.extra.bpf.o:address > %t.address && %bpfcc run --interp %t.extra.bpf.o:address >> %t.address
// RUN: %bpfcc run %t.bpf.o:address >> %t.address && FileCheck %s --check-prefix=ADDRESS --input-file=%t.address
// RUN: %clang_bpf -mcpu=v4 -c %s -DEXTRA=0x20000 -o %t.small.bpf.o && %bpfcc run %t.small.bpf.o:address | FileCheck %s --check-prefix=SMALL-EXTRA
// RUN: %clang_bpf -mcpu=v4 -c %s -DEXTRA=0x1800 -o %t.odd.bpf.o && not %bpfcc verify %t.odd.bpf.o 2>&1 | FileCheck %s --check-prefix=ODD
// RUN: %clang_bpf -mcpu=v4 -c %s -DEXTRA=0xffff0000ull -o %t.cross.bpf.o && not %bpfcc verify %t.cross.bpf.o --map arena.max_entries=17 2>&1 | FileCheck %s --check-prefix=CROSS
// ODD: error: map "arena": map_extra 0x1800, the address of an arena, must be a multiple of the page
// CROSS: error: map "arena": its 17 pages at map_extra 0xffff0000 cross a multiple of 4 GiB (-ERANGE)
// LARGE: error: map "arena": an arena has at most 1048576 pages
// FLAG: error: map "arena": an arena has the flag BPF_F_MMAPABLE
// FEW: error: map "arena": its 1 pages are too few for {{[0-9]+}} bytes of variables in address space 1
// TWO: error: variables in address space 1, and two arenas that they could be in
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define __arena __attribute__((address_space(1)))
#define PAGES 4
#ifndef __ulong
#define __ulong(name, value) enum { name##_value = value } name
#endif

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */
#ifndef NO_FLAG
	__uint(map_flags, BPF_F_MMAPABLE);
#endif
	__uint(max_entries, PAGES);
#ifdef EXTRA
	__ulong(map_extra, EXTRA); /* what libbpf before 1.5 does not read */
#endif
} arena SEC(".maps");

void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt, int node_id,
				    __u64 flags) __ksym;
void bpf_arena_free_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym;

struct node {
	struct node __arena *next;
	long value;
};

struct node __arena *head;
char LICENSE[] SEC("license") = "GPL";

static void __arena *pages(int nr)
{
	return bpf_arena_alloc_pages(&arena, 0, nr, -1, 0);
}

/* 1 + 2 + 3 */
// RESULT: {{^}}6{{$}}
// RESULT-NEXT: {{^}}6{{$}}
// CHECK-LABEL: define {{.*}}@__inlay_prog_{{[0-9a-f]+}}_list(
// CHECK: call {{.*}}@__inlay_bpf_arena_alloc_pages_v1(ptr {{.*}}@__inlay_desc_{{[0-9a-f]+}}_arena,
// CHECK: icmp ugt i64 %{{.*}}, 16376
// CHECK: store volatile i64 1, ptr {{.*}}, !nosanitize
SEC("uprobe.s/app:f")
int list(void *ctx)
{
	struct node __arena *n = pages(1), *p;
	long sum = 0;

	if (!n)
		return -1;
	n[0].value = 1;
	n[0].next = n + 1;
	n[1].value = 2;
	n[1].next = n + 2;
	n[2].value = 3;
	head = n;
	p = head;
	for (int i = 0; i < 100 && p; i++, p = p->next)
		sum += p->value;
	return sum;
}

/* behind the pages, before they are there, after they have gone, and when they come again */
// RESULT-NEXT: {{^}}1{{$}}
// RESULT-NEXT: {{^}}1{{$}}
SEC("uprobe.s/app:f")
int gone(void *ctx)
{
	volatile long __arena *a = pages(PAGES + 1), *p;

	if (a)
		return 100;
	a = pages(2);
	if (!a)
		return 101;
	a[0] = 7;
	a[512] = 8;
	if (a[0] != 7)
		return 102;
	a[5 * 512] = 9;
	if (a[5 * 512] || a[1L << 28])
		return 103;
	bpf_arena_free_pages(&arena, (void __arena *)a, 1);
	a[0] = 10;
	if (a[0] || a[512] != 8)
		return 104;
	if (pages(PAGES))
		return 105;
	p = pages(1);
	if (p != a || p[0])
		return 106;
	return 1;
}

/* of a page that is there and one that is not */
// RESULT-NEXT: {{^}}2{{$}}
// RESULT-NEXT: {{^}}2{{$}}
SEC("uprobe.s/app:f")
int across(void *ctx)
{
	char __arena *a = pages(2);
	volatile long __arena *p = (void __arena *)(a + 4093), *q = (void __arena *)(a + 2 * 4096 - 4);

	if (!a)
		return 100;
	*p = 0x123456789abcdef;
	if (*p != 0x123456789abcdef)
		return 101;
	*q = -1;
	if (*q || a[2 * 4096 - 1])
		return 102;
	return 2;
}

/* an address in the kernel's sense has 32 bits, and NULL is NULL */
// RESULT-NEXT: {{^}}3{{$}}
// RESULT-NEXT: {{^}}3{{$}}
SEC("uprobe.s/app:f")
int cast(void *ctx)
{
	unsigned long user = (unsigned long)pages(1), kern, again, null = 0;

	asm volatile("%[k] = %[u]; %[k] = addr_space_cast(%[k], 0, 1);"
		     : [k] "=r"(kern) : [u] "r"(user));
	asm volatile("%[a] = %[k]; %[a] = addr_space_cast(%[a], 1, 0);"
		     : [a] "=r"(again) : [k] "r"(kern));
	asm volatile("%[n] = addr_space_cast(%[n], 1, 0);" : [n] "+r"(null));
	if (!user || user >> 32 == 0)
		return 100;
	if (kern != (unsigned int)user)
		return 101;
	return again == user && !null ? 3 : 102;
}

/* 64-bit arithmetic on one leaves 32 bits, as in kernels */
// RESULT-NEXT: {{^}}4{{$}}
// RESULT-NEXT: {{^}}4{{$}}
SEC("uprobe.s/app:f")
int arithmetic(void *ctx)
{
	unsigned long kern = 8, page = (unsigned long)pages(1), value;

	asm volatile("%[k] = addr_space_cast(%[k], 0, 1);"
		     "%[k] += -16;" : [k] "+r"(kern));
	if (kern != 0xfffffff8)
		return 100;
	asm volatile("%[k] = addr_space_cast(%[k], 0, 1);"
		     "*(u64 *)(%[k] + 8) = 5;"
		     "%[k] <<= 32; %[k] >>= 32;"
		     "%[k] |= 8;"
		     "%[v] = *(u64 *)(%[k] + 0);" : [k] "+r"(page), [v] "=r"(value));
	return page != 8 ? 101 : value ? 102 : 4;
}

/* what is an address on one path and a number on another keeps all of its bits: proofs rest on them */
// RESULT-NEXT: {{^}}7{{$}}
// RESULT-NEXT: {{^}}7{{$}}
SEC("uprobe.s/app:f")
int mixed(void *ctx)
{
	unsigned long number = (unsigned long)pages(1), result;

	asm volatile("r1 = 0x700000000 ll;"
		     "if %[n] != 0 goto 1f;"
		     "r1 = 8;"
		     "r1 = addr_space_cast(r1, 0, 1);"
		     "1: r1 += 0;"
		     "if %[n] != 0 goto 2f;"
		     "r1 = 9;"
		     "2: r1 >>= 32;"
		     "%[r] = r1;" : [r] "=r"(result) : [n] "r"(number) : "r1");
	return result;
}

/* aligned ones are made, others are not, and leave registers as they are */
// RESULT-NEXT: {{^}}5{{$}}
// RESULT-NEXT: {{^}}5{{$}}
SEC("uprobe.s/app:f")
int atomic(void *ctx)
{
	long __arena *a = pages(1);
	int __arena *odd = (void __arena *)((char __arena *)a + 5);
	long old;

	if (!a)
		return 100;
	__sync_fetch_and_add(a, 5);
	old = __sync_fetch_and_add(a, 2);
	if (old != 5 || *a != 7 || __sync_val_compare_and_swap(a, 7, 9) != 7 || *a != 9)
		return 101;
	if (__sync_fetch_and_add(odd, 77) != 77 || *odd)
		return 102;
	if (__sync_lock_test_and_set(a + 512, 4) != 4 || a[512])
		return 103;
	return 5;
}

unsigned char numbers[4];

/* what gets 4 bytes has no more, also where there is nothing: the verifier takes an index for 0 */
// RESULT-NEXT: {{^}}0{{$}}
// RESULT-NEXT: {{^}}0{{$}}
SEC("uprobe.s/app:f")
int halves(void *ctx)
{
	int __arena *odd = (void __arena *)((char __arena *)pages(1) + 5);
	unsigned long fetched, compared;

	asm volatile("r2 = addr_space_cast(%[p], 0, 1);"
		     "r1 = 0x7fffff0000000000 ll;"
		     "w1 = atomic_fetch_add((u32 *)(r2 + 0), w1);"
		     "r1 >>= 32;"
		     "%[fetched] = r1;"
		     "r0 = 0x7fffff0000000000 ll;"
		     "w1 = 5;"
		     "w0 = cmpxchg32_32(r2 + 0, w0, w1);"
		     "r0 >>= 32;"
		     "%[compared] = r0;"
		     : [fetched] "=&r"(fetched), [compared] "=&r"(compared)
		     : [p] "r"(odd) : "r0", "r1", "r2", "memory");
	return numbers[fetched] + numbers[compared];
}

/* where it is for programs: map_extra, or what bpfcc says */
// ADDRESS: {{^}}7e0012345000{{$}}
// ADDRESS-NEXT: {{^}}7e0012345000{{$}}
// ADDRESS-NEXT: {{^}}100000010000{{$}}
// SMALL-EXTRA: {{^}}20000{{$}}
SEC("uprobe.s/app:f")
long address(void *ctx)
{
	return (long)pages(1);
}

#ifdef VARIABLES
/* in the arena's first pages, with their values; what is allocated comes behind them */
// VARIABLES: {{^}}2a{{$}}
// VARIABLES-NEXT: {{^}}2a{{$}}
// SET: {{^}}33{{$}}
// IMAGE: @__inlay_region_{{[0-9a-f]+}}_arena = {{.*}} section ".data.inlay.{{[0-9a-f]+}}.arena"
// START: @__inlay_desc_{{[0-9a-f]+}}_arena = {{.*}}, ptr @__inlay_start_{{[0-9a-f]+}}_arena, ptr @__inlay_base_{{[0-9a-f]+}}_arena,
// START: @__inlay_start_{{[0-9a-f]+}}_arena = {{.*}} { i64 {{[0-9]+}}, [{{[0-9]+}} x i8] c"
long __arena number = 41;
char __arena filler[5000] = {1, 2, 3};
#ifdef TWO
struct {
	__uint(type, 33);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
} other SEC(".maps");
#endif

SEC("uprobe/app:f")
int variables(void *ctx)
{
	char __arena *p;

	number++;
	p = pages(1);
	if (!p || (unsigned long)p != (unsigned long)(void __arena *)filler / 4096 * 4096 + 8192)
		return 100;
	return filler[2] == 3 && filler[4999] == 0 ? number : 101;
}
#endif
