/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calling convention of slow paths that sit beside an inlined fast path: the callee saves
 * (nearly) every general register, so that the fast path in somebody's function spills and
 * saves nothing for a call that is hardly ever made. clang only, as is the bitcode of these
 * headers; the same attribute must stand on declaration and definition.
 */
#ifndef INLAY_RT_INLINE_COLD_H
#define INLAY_RT_INLINE_COLD_H

#if !defined(__clang__)
#error "the runtime is compiled by clang: its slow paths use the preserve_most convention"
#endif

#define INLAY_COLD_CALL __attribute__((preserve_most, cold, noinline))

#endif /* INLAY_RT_INLINE_COLD_H */
