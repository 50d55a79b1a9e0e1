/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rt/helpers.def as a table that can be searched.
 */
#ifndef INLAY_BPFCC_HELPERS_H
#define INLAY_BPFCC_HELPERS_H

#include <stdint.h>

#define BPFCC_MAX_ARGS 5

enum bpfcc_helper_class {
	BPFCC_HELPER_INLINE,
	BPFCC_HELPER_AUTO,
	BPFCC_HELPER_CALL,
	BPFCC_HELPER_LOWERED,	/* code made by bpfcc/ll/ */
	BPFCC_HELPER_ABSENT,	/* the verifier knows it, the runtime does not have it yet */
};

enum bpfcc_ret {
	BPFCC_RET_INT,
	BPFCC_RET_PTR_VALUE_OR_NULL,
	BPFCC_RET_PTR_MEM,
	BPFCC_RET_VOID,
	BPFCC_RET_BOOL,
	BPFCC_RET_RECORD_OR_NULL,
	BPFCC_RET_SLICE_OR_NULL,
	BPFCC_RET_SLICE_R_OR_NULL,
	BPFCC_RET_OBJECT,
	BPFCC_RET_ITEM_OR_NULL,
};

/* what they mean: rt/helpers.def */
enum bpfcc_arg {
	BPFCC_ARG_NONE,
	BPFCC_ARG_MAP,
	BPFCC_ARG_KEY,
	BPFCC_ARG_VALUE,
	BPFCC_ARG_VALUE_OR_NULL,
	BPFCC_ARG_VALUE_W,
	BPFCC_ARG_MEM_R,
	BPFCC_ARG_MEM_W,
	BPFCC_ARG_MEM_RW,
	BPFCC_ARG_MEM_R_OR_NULL,
	BPFCC_ARG_MEM_W_OR_NULL,
	BPFCC_ARG_SIZE,
	BPFCC_ARG_SIZE0,
	BPFCC_ARG_ALLOC_SIZE,
	BPFCC_ARG_LONG_OUT,
	BPFCC_ARG_CONST_STR,
	BPFCC_ARG_SCALAR,
	BPFCC_ARG_ADDR,
	BPFCC_ARG_CTX,
	BPFCC_ARG_FUNC,
	BPFCC_ARG_CALLBACK_CTX,
	BPFCC_ARG_RECORD,
	BPFCC_ARG_DYNPTR,
	BPFCC_ARG_DYNPTR_RECORD,
	BPFCC_ARG_DYNPTR_NEW,
	BPFCC_ARG_DYNPTR_CLONE,
	BPFCC_ARG_BUFFER_OR_NULL,
	BPFCC_ARG_DYNPTR_RECORD_NEW,
	BPFCC_ARG_ITER_NEW,
	BPFCC_ARG_ITER,
	BPFCC_ARG_ITER_END,
	BPFCC_ARG_SPIN_LOCK,
	BPFCC_ARG_OBJECT,
	BPFCC_ARG_NEVER,
};

enum bpfcc_helper_flags {
	BPFCC_HELPER_F_FRAME = 1u << 0,
	BPFCC_HELPER_F_GPL = 1u << 1,
	BPFCC_HELPER_F_OVERRIDE = 1u << 2,
	BPFCC_HELPER_F_CTX_NULL = 1u << 3,
	BPFCC_HELPER_F_VARIADIC_SCALARS = 1u << 4,
	BPFCC_HELPER_F_WRITE = 1u << 5,
	BPFCC_HELPER_F_SIZED = 1u << 6,
	BPFCC_HELPER_F_SLEEPABLE = 1u << 7,
	BPFCC_HELPER_F_OURS = 1u << 8,
	BPFCC_HELPER_F_SESSION = 1u << 9,
};

/* BPFCC_KFUNC_bpf_session_cookie ...: index of the row among those of kernel functions */
enum bpfcc_kfunc {
	BPFCC_KFUNC_NONE = -1,
#define INLAY_HELPER(...)
#define INLAY_KFUNC(name, ...) BPFCC_KFUNC_##name,
#include "rt/helpers.def"
};

struct bpfcc_helper {
	int32_t id;		/* kernel's number; 0: a kernel function, called by name */
	enum bpfcc_kfunc kfunc;	/* which one then */
	const char *name;	/* helper: without "bpf_"; kfunc: with */
	enum bpfcc_helper_class class;
	enum bpfcc_ret ret;
	enum bpfcc_arg args[BPFCC_MAX_ARGS];
	uint32_t nr_args;
	uint32_t flags;		/* enum bpfcc_helper_flags */
};

/* All of them in the order of helpers.def, kernel functions (id 0) last; NULL after the last. */
const struct bpfcc_helper *bpfcc_helper_row(uint32_t row);
/* NULL if unknown */
const struct bpfcc_helper *bpfcc_helper_by_id(int32_t id);
const struct bpfcc_helper *bpfcc_kfunc_by_index(int32_t index);
/* index of the INLAY_KFUNC row, or -1 */
int bpfcc_kfunc_index(const char *name);
/* The kernel's name of a helper id that Inlay may not have ("bpf_perf_event_output"), or NULL. */
const char *bpfcc_kernel_helper_name(int32_t id);
/* Why there will be no such helper here, for one of class ABSENT; NULL: it is only not built yet. */
const char *bpfcc_helper_absent_reason(const struct bpfcc_helper *helper);
/* The same for a function of the kernel's that is not in the table. */
const char *bpfcc_kfunc_absent_reason(const char *name);
/* index of the FUNC argument, 0 to 4, or -1: the helper calls nothing back */
int bpfcc_helper_callback_arg(const struct bpfcc_helper *helper);
/* Text that changes with any row that the runtime has: part of the object hash. */
extern const char bpfcc_helpers_abi[];

#endif /* INLAY_BPFCC_HELPERS_H */
