/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function that is hit, by itself or with what one would write by hand. In a unit of its own,
 * so that it is called and not inlined.
 */
int bench_victim(int x);

#if defined(BENCH_GLOBAL)
static unsigned long hits;
#define ENTRY() (*(volatile unsigned long *)&hits)++
#elif defined(BENCH_TLS_STATIC)
static __thread unsigned long hits;
#define ENTRY() (*(volatile unsigned long *)&hits)++
#elif defined(BENCH_TLS)
/* somebody must be able to read it: defined in another unit */
extern __thread unsigned long bench_hits;
#define ENTRY() (*(volatile unsigned long *)&bench_hits)++
#elif defined(BENCH_ATOMIC)
static unsigned long hits;
#define ENTRY() __atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED)
#elif defined(BENCH_LATENCY)
static volatile unsigned long slots[64];
#define ENTRY() unsigned long long begin = __builtin_ia32_rdtsc()
#define RETURN() slots[63 - __builtin_clzll((__builtin_ia32_rdtsc() - begin) | 1)]++
#else
#define ENTRY() (void)0
#endif
#ifndef RETURN
#define RETURN() (void)0
#endif

#if defined(BENCH_PUSH) || defined(BENCH_NOP5)
/* The first instruction decides what a kernel uprobe costs: emulated, or replaced by a call. */
__asm__("	.text\n"
	"	.globl bench_victim\n"
	"	.type bench_victim, @function\n"
	"	.p2align 4\n"
	"bench_victim:\n"
#ifdef BENCH_NOP5
	"	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
#else
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
#endif
	"	lea 1(%rdi,%rdi,2), %eax\n"
#ifdef BENCH_PUSH
	"	pop %rbp\n"
#endif
	"	ret\n"
	"	.size bench_victim, . - bench_victim\n");
#else
int bench_victim(int x)
{
	int ret;

	ENTRY();
	ret = 3 * x + 1;
	RETURN();
	return ret;
}
#endif
