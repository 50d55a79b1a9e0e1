/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a probe author includes: libbpf's headers, and on top of them what the installed ones may
 * lack and what only Inlay knows. An object that uses it loads in a kernel as well.
 *
 *	#include "vmlinux.h"		// optional, and first
 *	#include <inlay/inlay.bpf.h>
 *
 *	SEC("uprobe/kv_get")
 *	int BPF_UPROBE(count_get, const char *key) { ... }
 *
 * Compile with: clang -target bpf -D__TARGET_ARCH_x86 -g -O2 -c x.bpf.c -o x.bpf.o
 * (on Debian also -I/usr/include/$(uname -m)-linux-gnu); `inlay_add_bpf_object()` of the CMake
 * package does it.
 */
#ifndef INLAY_INLAY_BPF_H
#define INLAY_INLAY_BPF_H

#if !defined(__TARGET_ARCH_x86) && !defined(__TARGET_ARCH_arm64)
#error "say what the target runs on: -D__TARGET_ARCH_x86 or -D__TARGET_ARCH_arm64"
#endif

#ifndef __VMLINUX_H__
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/ptrace.h> /* the registers, which bpf_tracing.h leaves to its user */
/* ... those of the machine that compiles. For another one: */
#if defined(__TARGET_ARCH_arm64) && !defined(PSR_MODE_EL0t)
struct user_pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
#elif defined(__TARGET_ARCH_x86) && defined(PSR_MODE_EL0t)
struct pt_regs {
	unsigned long r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi,
		orig_rax, rip, cs, eflags, rsp, ss;
};
#endif
#endif

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* ---- What older libbpf lacks ------------------------------------------------------------ */

#ifndef PT_REGS_PARM6
#if defined(__TARGET_ARCH_arm64)
#define PT_REGS_PARM6(ctx) (__PT_REGS_CAST(ctx)->regs[5])
#else
#define PT_REGS_PARM6(ctx) (__PT_REGS_CAST(ctx)->r9)
#endif
#endif

#ifndef ___bpf_kprobe_args6
#define ___bpf_kprobe_args6(x, args...) ___bpf_kprobe_args5(args), (void *)PT_REGS_PARM6(ctx)
#endif

/*
 * A program at the entry of a function, with the first arguments of integer and pointer type by
 * name: int BPF_UPROBE(name, int fd, const char *path). Floating-point arguments do not count: list
 * only what travels in general registers, in order. `ctx` is there as well.
 */
#ifndef BPF_UPROBE
#define BPF_UPROBE(name, args...) BPF_KPROBE(name, ##args)
#endif
/* A program at the return: int BPF_URETPROBE(name, long ret). */
#ifndef BPF_URETPROBE
#define BPF_URETPROBE(name, args...) BPF_KRETPROBE(name, ##args)
#endif

/*
 * In a program of SEC("uprobe.session/..."): whether this run is the one at the return, and eight
 * bytes that live from entry to return of this call. Kernels from 7.0 on pass ctx; before, and here,
 * there is no argument. Define INLAY_NO_SESSION_KFUNCS if vmlinux.h declares them.
 */
#ifndef INLAY_NO_SESSION_KFUNCS
extern _Bool bpf_session_is_return(void) __ksym __weak;
extern __u64 *bpf_session_cookie(void) __ksym __weak;
#endif

/*
 * Loops that the kernel counts (since 6.4; libbpf has them since 1.2): the number of rounds may be one that
 * only the running program knows, and takes no time to verify.
 *	bpf_for(i, 0, n) { ... }	i: an int that was declared before
 *	bpf_repeat(100) { ... }
 * `break`, `continue` and `return` work as in any loop.
 */
#ifndef bpf_for
#if defined(__has_include) && !defined(__VMLINUX_H__)
#if __has_include(<linux/version.h>)
#include <linux/version.h>
#endif
#endif
#if !defined(__VMLINUX_H__) && (!defined(LINUX_VERSION_CODE) || LINUX_VERSION_CODE < 0x060400)
struct bpf_iter_num {
	__u64 __opaque[1];
} __attribute__((aligned(8)));
#endif
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym __weak;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym __weak;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym __weak;

/* The cleanup ends the iterator wherever control leaves the loop. It is named, too, so that it has BTF. */
#define INLAY_ITER(it, start, end)                                                                 \
	struct bpf_iter_num it __attribute__((cleanup(bpf_iter_num_destroy))),                     \
		*it##_made __attribute__((unused)) =                                               \
			(bpf_iter_num_new(&it, (start), (end)), (void)bpf_iter_num_destroy,        \
			 (struct bpf_iter_num *)0)
/* What the verifier does not know of the number, it learns from the comparison. */
#define bpf_for(i, start, end)                                                                     \
	for (INLAY_ITER(inlay_it, start, end); ({                                                  \
		     const int *inlay_now = bpf_iter_num_next(&inlay_it);                          \
		     inlay_now && ((i) = *inlay_now, (i) >= (start) && (i) < (end));               \
	     });)
#define bpf_repeat(n)                                                                              \
	for (INLAY_ITER(inlay_it, 0, n); bpf_iter_num_next(&inlay_it);)
#endif

/* ---- What section names cannot say ------------------------------------------------------ */

/*
 * Written before or behind SEC(): SEC("uprobe/write") INLAY_CALLER("log_append") int BPF_UPROBE(...)
 * Kernels and libbpf accept these declaration tags and ignore them.
 */
#define INLAY_TAG(text) __attribute__((btf_decl_tag("inlay:" text)))

#define INLAY_CALL INLAY_TAG("call")	/* at calls of the function, never inside it */
#define INLAY_CALLER(name) INLAY_TAG("caller=" name)	/* ... and only at those from `name`, a glob */
#define INLAY_EARLY INLAY_TAG("early")	/* before inlining: every call in the source (the default) */
#define INLAY_LATE INLAY_TAG("late")	/* after inlining: calls that are left */
#define INLAY_SWITCHED INLAY_TAG("switched")	/* off until `inlay on` */
#define INLAY_SWITCHED_ON INLAY_TAG("switched=on")	/* on until `inlay off` */
#define INLAY_UNWIND INLAY_TAG("unwind")	/* a return program also runs when an exception passes */
#define INLAY_FUNCTION(name) INLAY_TAG("function=" name)	/* for a bare SEC("uprobe") */

/* ---- Events ----------------------------------------------------------------------------- */

/*
 * Says what the records of a RINGBUF or PERF_EVENT_ARRAY are, for `inlay trace`:
 *	INLAY_EVENT(events, struct event);
 * Kernels and libbpf ignore the section, and nothing of it gets into a target.
 */
#define INLAY_EVENT(map, type) const type *inlay_event_##map SEC(".inlay.event")

/* ---- Histograms ------------------------------------------------------------------------- */

/*
 * `inlay hist` draws any array named `slots`, and takes the unit from the ending of a map's or
 * struct's name (_ns, _us, _ms, _bytes). Slot n counts values from 2^n to 2^(n+1) - 1, slot 0 also 0.
 */
#define INLAY_HIST_SLOTS 64
struct inlay_hist {
	__u64 slots[INLAY_HIST_SLOTS];
};

/* Position of the highest bit; 0 for 0 and 1. No loop, no branch that a verifier must follow. */
static __always_inline __u32 inlay_log2(__u64 v)
{
	__u32 n, step;

	n = (v > 0xffffffff) << 5;
	v >>= n;
	step = (v > 0xffff) << 4;
	v >>= step;
	n |= step;
	step = (v > 0xff) << 3;
	v >>= step;
	n |= step;
	step = (v > 0xf) << 2;
	v >>= step;
	n |= step;
	step = (v > 0x3) << 1;
	v >>= step;
	n |= step;
	return n | (__u32)(v >> 1);
}

/*
 * Adds a value to a histogram in a per-CPU map, where each value has one writer at a time; use
 * inlay_hist_add_shared() for one that threads share.
 */
static __always_inline void inlay_hist_add(struct inlay_hist *hist, __u64 value)
{
	hist->slots[inlay_log2(value) & (INLAY_HIST_SLOTS - 1)]++;
}

static __always_inline void inlay_hist_add_shared(struct inlay_hist *hist, __u64 value)
{
	__sync_fetch_and_add(&hist->slots[inlay_log2(value) & (INLAY_HIST_SLOTS - 1)], 1);
}

/*
 * The value of a key, which is `init` (a value full of zeros, say) if there was none; NULL if the map
 * is full. Written for maps where a key is added once and then counted in.
 */
static __always_inline void *inlay_map_lookup_or_init(void *map, const void *key, const void *init)
{
	void *value = bpf_map_lookup_elem(map, key);

	if (value)
		return value;
	bpf_map_update_elem(map, key, init, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, key);
}

#endif /* INLAY_INLAY_BPF_H */
