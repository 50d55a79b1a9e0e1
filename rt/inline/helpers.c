/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper bodies that bpfcc imports: one external instance, __inlay_h_<name>, of every helper of
 * class INLINE or AUTO in rt/helpers.def. Compiled to bitcode only, for the baseline processor and
 * without sanitizers; see bpfcc/ll/CMakeLists.txt. Helpers of class CALL have no body here.
 */
#include "rt/inline/arena.h"
#include "rt/inline/clock.h"
#include "rt/inline/ctx.h"
#include "rt/inline/current.h"
#include "rt/inline/dynptr.h"
#include "rt/inline/iter.h"
#include "rt/inline/map.h"
#include "rt/inline/map_each.h"
#include "rt/inline/map_ringbuf.h"
#include "rt/inline/none.h"
#include "rt/inline/perf.h"
#include "rt/inline/random.h"
#include "rt/inline/stack.h"
#include "rt/inline/string.h"
#include "rt/inline/usdt.h"

/* result types */
#define RET_INT __s64
#define RET_BOOL __u64
#define RET_PTR_VALUE_OR_NULL void *
#define RET_VOID void
#define RET_PTR_MEM void *
#define RET_RECORD_OR_NULL void *
#define RET_SLICE_OR_NULL void *
#define RET_SLICE_R_OR_NULL void *
#define RET_ITEM_OR_NULL void *
#define RET_OBJECT void *

/* The first parameter stands alone, the others bring their comma; NONE is nothing. */
#define FIRST_NONE void
#define FIRST_MAP const struct inlay_map_desc *a1
/* all inlined helpers that are given ctx want the frame behind it (F_FRAME) */
#define FIRST_CTX struct inlay_frame *a1
#define FIRST_MEM_R const void *a1
#define FIRST_MEM_W void *a1
#define FIRST_MEM_RW void *a1
#define FIRST_MEM_W_OR_NULL void *a1
#define FIRST_RECORD void *a1
#define FIRST_DYNPTR void *a1
#define FIRST_DYNPTR_RECORD void *a1
#define FIRST_ITER_NEW void *a1
#define FIRST_ITER void *a1
#define FIRST_ITER_END void *a1
#define FIRST_SPIN_LOCK void *a1
#define FIRST_SCALAR __u64 a1
#define FIRST_ADDR __u64 a1
#define NEXT_NONE(n)
#define NEXT_MAP(n) , const struct inlay_map_desc *a##n
#define NEXT_KEY(n) , const void *a##n
#define NEXT_VALUE(n) , const void *a##n
#define NEXT_VALUE_OR_NULL(n) , const void *a##n
#define NEXT_VALUE_W(n) , void *a##n
#define NEXT_MEM_R(n) , const void *a##n
#define NEXT_MEM_W(n) , void *a##n
#define NEXT_MEM_RW(n) , void *a##n
#define NEXT_MEM_R_OR_NULL(n) , const void *a##n
#define NEXT_MEM_W_OR_NULL(n) , void *a##n
#define NEXT_LONG_OUT(n) , void *a##n
#define NEXT_CONST_STR(n) , const char *a##n
#define NEXT_RECORD(n) , void *a##n
#define NEXT_DYNPTR(n) , void *a##n
#define NEXT_DYNPTR_RECORD(n) , void *a##n
#define NEXT_DYNPTR_NEW(n) , void *a##n
#define NEXT_DYNPTR_CLONE(n) , void *a##n
#define NEXT_BUFFER_OR_NULL(n) , void *a##n
#define NEXT_DYNPTR_RECORD_NEW(n) , void *a##n
#define NEXT_SPIN_LOCK(n) , void *a##n
#define NEXT_SIZE(n) , __u64 a##n
#define NEXT_SIZE0(n) , __u64 a##n
#define NEXT_ALLOC_SIZE(n) , __u64 a##n
#define NEXT_SCALAR(n) , __u64 a##n
#define NEXT_ADDR(n) , __u64 a##n

#define PASS_FIRST_NONE
#define PASS_FIRST_MAP a1
#define PASS_FIRST_CTX a1
#define PASS_FIRST_MEM_W a1
#define PASS_FIRST_MEM_R a1
#define PASS_FIRST_MEM_W_OR_NULL a1
#define PASS_FIRST_RECORD a1
#define PASS_FIRST_DYNPTR a1
#define PASS_FIRST_DYNPTR_RECORD a1
#define PASS_FIRST_ITER_NEW a1
#define PASS_FIRST_ITER a1
#define PASS_FIRST_ITER_END a1
#define PASS_FIRST_SPIN_LOCK a1
#define PASS_FIRST_MEM_RW a1
#define PASS_FIRST_SCALAR a1
#define PASS_FIRST_ADDR a1
#define PASS_NONE(n)
#define PASS_MAP(n) , a##n
#define PASS_KEY(n) , a##n
#define PASS_VALUE(n) , a##n
#define PASS_VALUE_OR_NULL(n) , a##n
#define PASS_VALUE_W(n) , a##n
#define PASS_MEM_R(n) , a##n
#define PASS_MEM_W(n) , a##n
#define PASS_MEM_RW(n) , a##n
#define PASS_MEM_R_OR_NULL(n) , a##n
#define PASS_MEM_W_OR_NULL(n) , a##n
#define PASS_LONG_OUT(n) , a##n
#define PASS_CONST_STR(n) , a##n
#define PASS_RECORD(n) , a##n
#define PASS_DYNPTR(n) , a##n
#define PASS_DYNPTR_RECORD(n) , a##n
#define PASS_DYNPTR_NEW(n) , a##n
#define PASS_DYNPTR_CLONE(n) , a##n
#define PASS_BUFFER_OR_NULL(n) , a##n
#define PASS_DYNPTR_RECORD_NEW(n) , a##n
#define PASS_SPIN_LOCK(n) , a##n
#define PASS_SIZE(n) , a##n
#define PASS_SIZE0(n) , a##n
#define PASS_ALLOC_SIZE(n) , a##n
#define PASS_SCALAR(n) , a##n
#define PASS_ADDR(n) , a##n

#define INSTANCE(name, ret, t1, t2, t3, t4, t5)                                                    \
	RET_##ret __inlay_h_##name(FIRST_##t1 NEXT_##t2(2) NEXT_##t3(3) NEXT_##t4(4)               \
				       NEXT_##t5(5));                                              \
	RET_##ret __inlay_h_##name(FIRST_##t1 NEXT_##t2(2) NEXT_##t3(3) NEXT_##t4(4) NEXT_##t5(5)) \
	{                                                                                          \
		return __inlay_##name(PASS_FIRST_##t1 PASS_##t2(2) PASS_##t3(3) PASS_##t4(4)       \
					  PASS_##t5(5));                                           \
	}
#define CLASS_INLINE(...) INSTANCE(__VA_ARGS__)
#define CLASS_AUTO(...) INSTANCE(__VA_ARGS__)
#define CLASS_CALL(...)
#define CLASS_LOWERED(...)

#define INLAY_HELPER(id, name, class, ret, t1, t2, t3, t4, t5, flags)                              \
	CLASS_##class(name, ret, t1, t2, t3, t4, t5)
/* who takes the frame gets it in the place of ctx, declared or not */
#define KFUNC_NONE(class, name, ret, t2, t3, t4, t5) CLASS_##class(name, ret, CTX, t2, t3, t4, t5)
#define KFUNC_MAP(class, name, ret, t2, t3, t4, t5) CLASS_##class(name, ret, MAP, t2, t3, t4, t5)
#define KFUNC_ADDR(class, name, ret, t2, t3, t4, t5) CLASS_##class(name, ret, ADDR, t2, t3, t4, t5)
#define KFUNC_MEM_RW(class, name, ret, t2, t3, t4, t5) \
	CLASS_##class(name, ret, MEM_RW, t2, t3, t4, t5)
#define KFUNC_DYNPTR(class, name, ret, t2, t3, t4, t5) \
	CLASS_##class(name, ret, DYNPTR, t2, t3, t4, t5)
#define KFUNC_ITER_NEW(class, name, ret, t2, t3, t4, t5) \
	CLASS_##class(name, ret, ITER_NEW, t2, t3, t4, t5)
#define KFUNC_ITER(class, name, ret, t2, t3, t4, t5) CLASS_##class(name, ret, ITER, t2, t3, t4, t5)
#define KFUNC_ITER_END(class, name, ret, t2, t3, t4, t5) \
	CLASS_##class(name, ret, ITER_END, t2, t3, t4, t5)
#define INLAY_KFUNC(name, class, ret, t1, t2, t3, t4, t5, flags)                                   \
	KFUNC_##t1(class, name, ret, t2, t3, t4, t5)
#include "rt/helpers.def"

/* has no ctx in the kernel: bpfcc/ll/call.c passes the frame */
__s64 __inlay_h_get_retval(struct inlay_frame *frame);
__s64 __inlay_h_get_retval(struct inlay_frame *frame)
{
	return __inlay_get_retval(frame);
}

/* no helper of its own: the step of bpf_for_each_map_elem() */
void *__inlay_h_map_each(const struct inlay_map_desc *desc, struct inlay_map_each *each,
			 __u32 *index);
void *__inlay_h_map_each(const struct inlay_map_desc *desc, struct inlay_map_each *each,
			 __u32 *index)
{
	return __inlay_map_each(desc, each, index);
}

/* nor is this: every access in an arena */
void *__inlay_h_arena_at(const struct inlay_map_desc *desc, __u64 address, __s64 off, __u64 bytes,
			 __u64 is_aligned);
void *__inlay_h_arena_at(const struct inlay_map_desc *desc, __u64 address, __s64 off, __u64 bytes,
			 __u64 is_aligned)
{
	return inlay_arena_at(desc, address, off, bytes, (int)is_aligned);
}
