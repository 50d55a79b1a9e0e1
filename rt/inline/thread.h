/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What inline helpers keep about the calling thread, and how they know that it is still true.
 *
 * A cached value holds while the thread's epoch equals the process's. The process's epoch lives in
 * a page that the kernel wipes in every fork child (MADV_WIPEONFORK), also behind a raw clone()
 * that no fork handler sees; 0 means "ask again". The one kind of child this cannot see is one that
 * shares its parent's memory, between vfork() and exec.
 *
 * The declarations carry no visibility: libinlay.a defines the symbols hidden, so that they bind at
 * link time; libinlay.so exports them.
 */
#ifndef INLAY_RT_INLINE_THREAD_H
#define INLAY_RT_INLINE_THREAD_H

#include "inlay/abi.h"
#include "rt/inline/cold.h"

struct inlay_thread {
	__u64 pid_tgid;		/* tgid << 32 | tid */
	__u64 random;		/* state of bpf_get_prandom_u32() */
	__u32 epoch;		/* 0: nothing known yet */
	__u32 pad0;
};

struct inlay_process {
	__u32 epoch;		/* 0: unknown, or a fork child that has not asked yet */
	__u32 owner;		/* __inlay_owner(), for who changes hash maps; 0: ask */
	__u8 pad0[INLAY_PAGE_BYTES - 8];	/* a page of its own: it is mapped over */
};

extern __thread struct inlay_thread __inlay_thread_v1
	__attribute__((tls_model("initial-exec")));
extern struct inlay_process __inlay_process_v1;

/* Fills the calling thread's record and its epoch, if it can be kept; returns tgid << 32 | tid. */
INLAY_COLD_CALL __u64 __inlay_thread_refresh_v1(void);

static inline __attribute__((always_inline)) int __inlay_thread_is_known(void)
{
	__u32 epoch = __atomic_load_n(&__inlay_process_v1.epoch, __ATOMIC_RELAXED);

	return __builtin_expect((epoch != 0) & (epoch == __inlay_thread_v1.epoch), 1);
}

#endif /* INLAY_RT_INLINE_THREAD_H */
