/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which word of pt_regs holds which argument or result. Clang has already lowered C types to the
 * registers' types, so every integer or pointer parameter of the IR takes the next integer register
 * (System V AMD64 ABI 3.2.3; AAPCS64 6.8.2), and what is neither takes none. Invariant: a word that
 * is not certainly known is left unavailable; nothing is ever shifted into its place.
 */
#include <string.h>

#include "pass/plan.h"

static const char *const x86_names[] = {
	"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax",
	"cx", "dx", "si", "di", "orig_ax", "ip", "cs", "flags", "sp", "ss",
};
static const uint8_t x86_args[] = { 14, 13, 12, 11, 9, 8 };
static const char *const arm64_names[] = {
	"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
	"x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
	"x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp", "pc", "pstate",
};
static const uint8_t arm64_args[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static const struct pass_arch archs[] = {
	{
		.name = "x86_64",
		.nr_regs = 21,
		.reg_names = x86_names,
		.nr_args = 6,
		.args = x86_args,
		.rets = { 10, 12 },
		.sret_is_arg = true,
		.sret_is_returned = true,
		.sp = 19,
		.ip = 16,
		.fp = 4,
		.lr = 21,
	},
	{
		.name = "aarch64",
		.nr_regs = 34,
		.reg_names = arm64_names,
		.nr_args = 8,
		.args = arm64_args,
		.rets = { 0, 1 },
		.sret = 8,
		.wide_is_even = true,
		.whole_arrays = true,
		.sp = 31,
		.ip = 32,
		.fp = 29,
		.lr = 30,
	},
};

const struct pass_arch *pass_arch_find(LLVMModuleRef module)
{
	const char *triple = LLVMGetTarget(module);

	/* ILP32 variants have other registers for pointers and are not Linux hosts of ours. */
	if (strstr(triple, "gnux32") || strstr(triple, "ilp32"))
		return NULL;
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		size_t n = strlen(archs[i].name);

		if (!strncmp(triple, archs[i].name, n) && triple[n] == '-')
			return &archs[i];
	}
	return NULL;
}

struct arg {
	LLVMTypeRef type;
	LLVMValueRef value;
	enum pass_extend extend;
	bool is_sret, is_elsewhere; /* not in the registers that this file counts */
};

static bool arg_has(LLVMValueRef at, unsigned int index, const char *name)
{
	unsigned int kind = attr_kind(name);

	if (LLVMIsAFunction(at))
		return LLVMGetEnumAttributeAtIndex(at, index, kind);
	return LLVMGetCallSiteEnumAttribute(at, index, kind);
}

static enum pass_extend arg_extend(LLVMValueRef at, unsigned int index, LLVMTypeRef type)
{
	if (LLVMGetTypeKind(type) != LLVMIntegerTypeKind || LLVMGetIntTypeWidth(type) >= 32)
		return EXTEND_ZERO;
	return arg_has(at, index, "signext") ? EXTEND_SIGN32 : EXTEND_ZERO32;
}

static void arg_init(struct arg *arg, LLVMValueRef at, unsigned int i, LLVMValueRef value)
{
	static const char *const elsewhere[] = { "byval", "inalloca", "preallocated", "nest",
						 "swiftself", "swifterror", "swiftasync" };

	*arg = (struct arg){ .type = LLVMTypeOf(value), .value = value };
	arg->extend = arg_extend(at, i + 1, arg->type);
	arg->is_sret = arg_has(at, i + 1, "sret");
	for (size_t k = 0; k < sizeof(elsewhere) / sizeof(elsewhere[0]); k++)
		arg->is_elsewhere |= arg_has(at, i + 1, elsewhere[k]);
}

/* Integer registers that a scalar needs; 0: none, it lives in a vector register or in memory. */
static unsigned int scalar_words(LLVMTypeRef type)
{
	if (LLVMGetTypeKind(type) == LLVMPointerTypeKind)
		return 1;
	if (LLVMGetTypeKind(type) != LLVMIntegerTypeKind)
		return 0;
	return LLVMGetIntTypeWidth(type) <= 64 ? 1 : LLVMGetIntTypeWidth(type) <= 128 ? 2 : 0;
}

static unsigned int nr_fields(LLVMTypeRef type)
{
	if (LLVMGetTypeKind(type) == LLVMStructTypeKind)
		return LLVMCountStructElementTypes(type);
	if (LLVMGetTypeKind(type) == LLVMArrayTypeKind)
		return (unsigned int)LLVMGetArrayLength2(type);
	return 0;
}

static LLVMTypeRef field_type(LLVMTypeRef type, unsigned int i)
{
	return LLVMGetTypeKind(type) == LLVMStructTypeKind ? LLVMStructGetTypeAtIndex(type, i) :
							     LLVMGetElementType(type);
}

/* Gives a scalar its registers; returns the next free one. */
static unsigned int assign_scalar(const struct pass_arch *arch, struct pass_words *words,
				  unsigned int next, LLVMTypeRef type, struct pass_word word)
{
	unsigned int n = scalar_words(type);

	if (n == 2 && arch->wide_is_even)
		next += next & 1;
	if (!n)
		return next;
	/* What does not fit goes to the stack, and nothing after it into the register that is left:
	 * AAPCS64 says so, and so does LLVM for an i128 on x86-64 (the psABI and gcc do not). */
	if (next + n > arch->nr_args)
		return arch->nr_args;
	words->w[arch->args[next]] = word;
	if (n == 2) {
		word.is_high = true;
		words->w[arch->args[next + 1]] = word;
	}
	return next + n;
}

/*
 * Whether a structure goes to memory although a register is left. The psABI of x86-64 gives its
 * parts away before the IR; AAPCS64 (6.8.2, C.12 to C.15) leaves that to who reads the IR.
 */
static bool is_array_in_memory(const struct pass_arch *arch, LLVMTypeRef type, unsigned int next)
{
	return arch->whole_arrays && LLVMGetTypeKind(type) == LLVMArrayTypeKind &&
	       next + nr_fields(type) * scalar_words(LLVMGetElementType(type)) > arch->nr_args;
}

/* Returns the next free register, or nr_args where that is not known. */
static unsigned int assign(const struct pass_arch *arch, const struct arg *args, unsigned int nr,
			   struct pass_words *words)
{
	unsigned int next = 0;

	for (unsigned int i = 0; i < nr && next < arch->nr_args; i++) {
		struct pass_word word = { .value = args[i].value, .extend = args[i].extend };
		unsigned int fields = nr_fields(args[i].type);

		if (args[i].is_elsewhere)
			continue;
		if (args[i].is_sret && !arch->sret_is_arg) {
			words->w[arch->sret] = word;
			continue;
		}
		if (!fields) {
			next = assign_scalar(arch, words, next, args[i].type, word);
			continue;
		}
		if (is_array_in_memory(arch, args[i].type, next))
			return arch->nr_args;
		for (unsigned int k = 0; k < fields; k++) {
			LLVMTypeRef type = field_type(args[i].type, k);

			if (nr_fields(type))
				return arch->nr_args; /* never from clang: the rest is unknown */
			word.field = k + 1;
			next = assign_scalar(arch, words, next, type, word);
		}
	}
	return next;
}

/* C, fast, cold, preserve_*, swift and the explicit SysV convention use the same registers. */
static bool has_known_registers(unsigned int cc)
{
	return cc != LLVMWin64CallConv && cc != LLVMX86RegCallCallConv &&
	       cc != LLVMGHCCallConv && cc != LLVMHiPECallConv;
}

void args_at_function(const struct pass_run *run, LLVMValueRef fn, struct pass_words *words)
{
	unsigned int n = LLVMCountParams(fn);
	struct arg *args = run_alloc((struct pass_run *)run, n * sizeof(*args));

	memset(words, 0, sizeof(*words));
	if (!has_known_registers(LLVMGetFunctionCallConv(fn)))
		return;
	if (run->point == PASS_POINT_LATE) {
		late_args((struct pass_run *)run, fn, words);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		arg_init(&args[i], fn, i, LLVMGetParam(fn, i));
	assign(run->arch, args, n, words);
}

void args_at_call(const struct pass_run *run, LLVMValueRef call, const struct pass_alias *alias,
		  struct pass_words *words)
{
	unsigned int n = LLVMGetNumArgOperands(call), nr = 0;
	struct arg *args = run_alloc((struct pass_run *)run, n * sizeof(*args));
	const char *map = alias && alias->args ? alias->args : "";
	LLVMTypeRef i64 = LLVMInt64TypeInContext(run->context);
	unsigned int next;

	memset(words, 0, sizeof(*words));
	if (!has_known_registers(LLVMGetInstructionCallConv(call)))
		return;
	/* "02": what programs know as arguments 0 and 1 are 0 and 2 here, and so on from 3. */
	for (unsigned int i = 0; nr < n; nr++) {
		i = *map ? (unsigned int)(*map++ - '0') : i;
		if (i >= n)
			break;
		arg_init(&args[nr], call, i, LLVMGetOperand(call, i));
		i++;
	}
	next = assign(run->arch, args, nr, words);
	/* What a variadic call leaves out, as the mode of an open() does, reads as 0. */
	for (; LLVMIsFunctionVarArg(LLVMGetCalledFunctionType(call)) && next < run->arch->nr_args;
	     next++)
		words->w[run->arch->args[next]].value = LLVMConstInt(i64, 0, false);
}

static LLVMTypeRef result_type(LLVMValueRef at)
{
	LLVMTypeRef type = LLVMIsAFunction(at) ? LLVMGlobalGetValueType(at) :
						 LLVMGetCalledFunctionType(at);

	return LLVMGetReturnType(type);
}

/* The hidden result pointer, or NULL. */
static LLVMValueRef sret_value(LLVMValueRef at)
{
	unsigned int n = LLVMIsAFunction(at) ? LLVMCountParams(at) : LLVMGetNumArgOperands(at);

	for (unsigned int i = 0; i < n && i < 2; i++)
		if (arg_has(at, i + 1, "sret"))
			return LLVMIsAFunction(at) ? LLVMGetParam(at, i) : LLVMGetOperand(at, i);
	return NULL;
}

void args_of_result(const struct pass_run *run, LLVMValueRef at, LLVMValueRef value,
		    struct pass_words *words)
{
	const struct pass_arch *arch = run->arch;
	LLVMTypeRef type = result_type(at);
	LLVMValueRef sret = sret_value(at);
	unsigned int fields = nr_fields(type), next = 0;

	memset(words, 0, sizeof(*words));
	if (run->point == PASS_POINT_LATE && !late_has_result((struct pass_run *)run, at))
		return;
	/* a coroutine's parameters live in its frame, which may be gone by now */
	if (sret && arch->sret_is_returned &&
	    !(LLVMIsAFunction(at) && is_coroutine(at)))
		words->w[arch->rets[0]].value = sret;
	if (LLVMGetTypeKind(type) == LLVMVoidTypeKind || fields > 4)
		return;
	if (!value) /* only asked what there is: any value will do */
		value = LLVMGetUndef(type);
	for (unsigned int k = 0; k < (fields ? fields : 1); k++) {
		LLVMTypeRef part = fields ? field_type(type, k) : type;
		unsigned int n = scalar_words(part);

		if (next + n > 2)
			return;
		for (unsigned int half = 0; half < n; half++) {
			words->w[arch->rets[next++]] = (struct pass_word){
				.value = value,
				.extend = arg_extend(at, LLVMAttributeReturnIndex, part),
				.is_high = half,
				.field = fields ? k + 1 : 0,
			};
		}
	}
}

/* The word as i64, built where `b` stands. */
LLVMValueRef args_word(LLVMBuilderRef b, const struct pass_word *word)
{
	LLVMContextRef context = LLVMGetTypeContext(LLVMTypeOf(word->value));
	LLVMTypeRef i64 = LLVMInt64TypeInContext(context), i32 = LLVMInt32TypeInContext(context);
	LLVMValueRef v = word->value;
	unsigned int width;

	if (word->field)
		v = LLVMBuildExtractValue(b, v, word->field - 1, "");
	if (LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMPointerTypeKind)
		return LLVMBuildPtrToInt(b, v, i64, "");
	width = LLVMGetIntTypeWidth(LLVMTypeOf(v));
	if (word->is_high) {
		v = LLVMBuildZExt(b, v, LLVMIntTypeInContext(context, 128), "");
		v = LLVMBuildLShr(b, v, LLVMConstInt(LLVMTypeOf(v), 64, false), "");
		return LLVMBuildTrunc(b, v, i64, "");
	}
	if (width > 64)
		return LLVMBuildTrunc(b, v, i64, "");
	if (width < 32 && word->extend == EXTEND_SIGN32)
		v = LLVMBuildSExt(b, v, i32, "");
	return LLVMBuildZExt(b, v, i64, "");
}

bool args_can_override(const struct pass_run *run, LLVMValueRef at, const char **ret_why)
{
	LLVMTypeRef type = result_type(at);
	LLVMTypeKind kind = LLVMGetTypeKind(type);

	(void)run;
	if (sret_value(at))
		*ret_why = "it returns a structure through memory";
	else if (kind != LLVMVoidTypeKind && kind != LLVMPointerTypeKind &&
		 kind != LLVMIntegerTypeKind)
		*ret_why = "it returns neither an integer nor a pointer nor nothing";
	else if (LLVMIsAFunction(at) ? has_fn_attr(at, "noreturn") :
				       arg_has(at, LLVMAttributeFunctionIndex, "noreturn"))
		*ret_why = "it does not return";
	else
		return true;
	return false;
}

LLVMValueRef args_override_value(LLVMBuilderRef b, LLVMValueRef rc, LLVMTypeRef type)
{
	LLVMContextRef context = LLVMGetTypeContext(type);

	if (LLVMGetTypeKind(type) == LLVMPointerTypeKind)
		return LLVMBuildIntToPtr(b, rc, type, "");
	if (LLVMGetIntTypeWidth(type) == 1) { /* bool: any bit of the byte */
		LLVMTypeRef i8 = LLVMInt8TypeInContext(context);

		rc = LLVMBuildTrunc(b, rc, i8, "");
		return LLVMBuildICmp(b, LLVMIntNE, rc, LLVMConstInt(i8, 0, false), "");
	}
	return LLVMBuildIntCast2(b, rc, type, true, "");
}

static const char *describe_type(struct pass_run *run, LLVMTypeRef type, LLVMValueRef at,
				 unsigned int index)
{
	switch (LLVMGetTypeKind(type)) {
	case LLVMVoidTypeKind:
		return "void";
	case LLVMPointerTypeKind:
		return arg_has(at, index, "byval") ? "struct" :
		       arg_has(at, index, "sret")  ? "sret ptr" :
						     "ptr";
	case LLVMFloatTypeKind:
		return "float";
	case LLVMDoubleTypeKind:
		return "double";
	case LLVMIntegerTypeKind:
		if (LLVMGetIntTypeWidth(type) == 1)
			return "bool";
		return run_printf(run, "%s%u",
				  arg_has(at, index, "signext") ? "s" :
				  arg_has(at, index, "zeroext") ? "u" :
								  "i",
				  LLVMGetIntTypeWidth(type));
	case LLVMStructTypeKind:
	case LLVMArrayTypeKind:
		return "struct";
	case LLVMVectorTypeKind:
	case LLVMScalableVectorTypeKind:
		return "vector";
	default:
		return "float";
	}
}

/* "i32 (ptr, u8, ...)": widths as in the IR, the sign where the ABI needs it. */
const char *args_describe(struct pass_run *run, LLVMValueRef at)
{
	bool is_fn = LLVMIsAFunction(at);
	LLVMTypeRef type = is_fn ? LLVMGlobalGetValueType(at) : LLVMGetCalledFunctionType(at);
	unsigned int n = LLVMCountParamTypes(type);
	LLVMTypeRef *params = run_alloc(run, n * sizeof(*params));
	char *text = run_printf(run, "%s (",
				describe_type(run, LLVMGetReturnType(type), at,
					      LLVMAttributeReturnIndex));

	LLVMGetParamTypes(type, params);
	for (unsigned int i = 0; i < n; i++)
		text = run_printf(run, "%s%s%s", text, i ? ", " : "",
				  describe_type(run, params[i], at, i + 1));
	return run_printf(run, "%s%s)", text,
			  LLVMIsFunctionVarArg(type) ? n ? ", ..." : "..." : n ? "" : "void");
}
