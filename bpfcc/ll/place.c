/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How each access is made (docs/DESIGN.md section 6). Works on SSA form, before anything else was
 * optimised: follows each address to what it points into, and from there decides
 *   the program's stack, ctx, .rodata, the session cookie   a plain access
 *   maps and globals, alignment proven                      monotonic atomic, `!nosanitize`
 *   maps and globals otherwise, or anything unknown         volatile, `!nosanitize`
 * Where an address cannot be followed (a pointer that was spilled to the stack), what the register
 * analysis noted at the access is used.
 *
 * Also turns map helpers whose body would not get shorter here into calls of the generic bodies in
 * libinlay, and, once helpers are inlined, relaxes what they do to the program's own stack.
 */
#include "bpfcc/ll/impl.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 48
#define MAX_VISITED 256
#define MAX_INLINE_COPY 256 /* bytes of a value */
#define MAX_SHIFT 12	    /* a page: no alignment above it matters */

struct target {
	unsigned int place; /* bits of enum place; 0: nothing, as NULL */
	unsigned int shift; /* log2 of the proven alignment */
};

struct walk {
	struct lower *l;
	LLVMValueRef v_visited[MAX_VISITED]; /* phis and arguments: cycles add nothing new */
	unsigned int nr_visited;
};

static const struct target nothing = {0, MAX_SHIFT};
static const struct target unknown = {PLACE_UNKNOWN, 0};

static struct target l_follow(struct walk *w, LLVMValueRef v, unsigned int depth);

static unsigned int min_u(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static struct target join(struct target a, struct target b)
{
	return (struct target){a.place | b.place, min_u(a.shift, b.shift)};
}

/* True the first time. */
static bool visit(struct walk *w, LLVMValueRef v, bool *ret_is_full)
{
	for (unsigned int i = 0; i < w->nr_visited; i++)
		if (w->v_visited[i] == v)
			return false;
	*ret_is_full = w->nr_visited == MAX_VISITED;
	if (!*ret_is_full)
		w->v_visited[w->nr_visited++] = v;
	return true;
}

static unsigned int low_zero_bits(uint64_t n)
{
	return n ? min_u((unsigned int)__builtin_ctzll(n), MAX_SHIFT) : MAX_SHIFT;
}

/* Number of low bits of a number that are zero for certain; phis are not followed. */
static unsigned int zero_bits(LLVMValueRef v, unsigned int depth)
{
	LLVMValueRef v_right;
	unsigned int a, b;

	if (LLVMIsAConstantInt(v))
		return low_zero_bits(LLVMConstIntGetZExtValue(v));
	if (!LLVMIsAInstruction(v) || depth > MAX_DEPTH)
		return 0;
	switch (LLVMGetInstructionOpcode(v)) {
	case LLVMZExt:
	case LLVMSExt:
	case LLVMTrunc:
		return zero_bits(LLVMGetOperand(v, 0), depth + 1);
	case LLVMAdd:
	case LLVMSub:
	case LLVMOr:
	case LLVMXor:
		a = zero_bits(LLVMGetOperand(v, 0), depth + 1);
		return min_u(a, zero_bits(LLVMGetOperand(v, 1), depth + 1));
	case LLVMAnd:
		a = zero_bits(LLVMGetOperand(v, 0), depth + 1);
		b = zero_bits(LLVMGetOperand(v, 1), depth + 1);
		return a > b ? a : b;
	case LLVMMul:
		a = zero_bits(LLVMGetOperand(v, 0), depth + 1);
		return min_u(a + zero_bits(LLVMGetOperand(v, 1), depth + 1), MAX_SHIFT);
	case LLVMShl:
	case LLVMLShr:
		v_right = LLVMGetOperand(v, 1);
		a = zero_bits(LLVMGetOperand(v, 0), depth + 1);
		if (!LLVMIsAConstantInt(v_right))
			return LLVMGetInstructionOpcode(v) == LLVMShl ? a : 0;
		b = (unsigned int)LLVMConstIntGetZExtValue(v_right);
		/* MAX_SHIFT stands for "at least": a right shift of it proves nothing */
		if (LLVMGetInstructionOpcode(v) == LLVMShl)
			return min_u(a + b, MAX_SHIFT);
		return 0;
	default:
		return 0;
	}
}

/* (x << a) >> b, the usual zero-extension of a 32-bit index with its scaling folded in */
static unsigned int offset_bits(LLVMValueRef v)
{
	LLVMValueRef v_inner;

	if (LLVMIsAInstruction(v) &&
	    (LLVMGetInstructionOpcode(v) == LLVMLShr || LLVMGetInstructionOpcode(v) == LLVMAShr) &&
	    LLVMIsAConstantInt(LLVMGetOperand(v, 1))) {
		v_inner = LLVMGetOperand(v, 0);
		if (LLVMIsAInstruction(v_inner) && LLVMGetInstructionOpcode(v_inner) == LLVMShl &&
		    LLVMIsAConstantInt(LLVMGetOperand(v_inner, 1))) {
			uint64_t left = LLVMConstIntGetZExtValue(LLVMGetOperand(v_inner, 1));
			uint64_t right = LLVMConstIntGetZExtValue(LLVMGetOperand(v, 1));

			return left > right ? min_u((unsigned int)(left - right), MAX_SHIFT) : 0;
		}
	}
	return zero_bits(v, 0);
}

/* Argument `index` of a subprogram: what all its callers pass. It has no others: all are here. */
static struct target l_follow_argument(struct walk *w, LLVMValueRef v_fn, unsigned int index,
				       unsigned int depth)
{
	struct target t = nothing;

	/* what `bpfcc run` is given is the caller's, and nobody else writes it meanwhile */
	if (v_fn == w->l->v_run)
		return (struct target){PLACE_PRIVATE, 0};
	for (LLVMUseRef use = LLVMGetFirstUse(v_fn); use; use = LLVMGetNextUse(use)) {
		LLVMValueRef v_call = LLVMGetUser(use);

		if (!LLVMIsACallInst(v_call) || LLVMGetCalledValue(v_call) != v_fn)
			return unknown;
		t = join(t, l_follow(w, LLVMGetOperand(v_call, index), depth + 1));
	}
	return t;
}

static struct target l_follow_result(struct walk *w, LLVMValueRef v_fn, unsigned int depth)
{
	struct target t = nothing;

	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(v_fn); b; b = LLVMGetNextBasicBlock(b)) {
		LLVMValueRef v_ret = LLVMGetBasicBlockTerminator(b);

		if (v_ret && LLVMIsAReturnInst(v_ret))
			t = join(t, l_follow(w, LLVMGetOperand(v_ret, 0), depth + 1));
	}
	return t;
}

static bool is_named(LLVMValueRef v, const char *name)
{
	size_t len;

	return !strcmp(LLVMGetValueName2(v, &len), name);
}

static struct target l_follow_call(struct walk *w, LLVMValueRef v, unsigned int depth)
{
	LLVMValueRef v_fn = LLVMGetCalledValue(v);
	bool is_full = false;

	if (!v_fn || !LLVMIsAFunction(v_fn))
		return unknown;
	if (is_named(v_fn, HELPER_PREFIX "map_lookup_elem") ||
	    is_named(v_fn, HELPER_PREFIX "map_each"))
		return (struct target){PLACE_SHARED, 3};
	if (is_named(v_fn, HELPER_PREFIX "bpf_session_cookie"))
		return (struct target){PLACE_PRIVATE, 3};
	for (uint32_t i = 0; i < w->l->object->nr_funcs; i++)
		if (v_fn == w->l->v_subs[i]) {
			if (!visit(w, v, &is_full))
				return nothing;
			return is_full ? unknown : l_follow_result(w, v_fn, depth);
		}
	return unknown;
}

static struct target l_follow_global(struct walk *w, LLVMValueRef v)
{
	for (uint32_t i = 0; i < w->l->object->nr_maps; i++) {
		const struct lower_map *map = &w->l->maps[i];

		if (v != map->v_region)
			continue;
		if (map->flags & INLAY_MAP_RODATA)
			return (struct target){PLACE_PRIVATE, 4};
		return (struct target){PLACE_SHARED, MAX_SHIFT};
	}
	return unknown;
}

static struct target l_follow_inst(struct walk *w, LLVMValueRef v, unsigned int depth)
{
	struct target t = nothing;
	bool is_full = false;

	switch (LLVMGetInstructionOpcode(v)) {
	case LLVMAlloca:
		return (struct target){PLACE_STACK, 4};
	case LLVMGetElementPtr:
		t = l_follow(w, LLVMGetOperand(v, 0), depth + 1);
		t.shift = min_u(t.shift, offset_bits(LLVMGetOperand(v, 1)));
		return t;
	case LLVMPHI:
		if (!visit(w, v, &is_full))
			return nothing;
		if (is_full)
			return unknown;
		for (unsigned int i = 0; i < LLVMCountIncoming(v); i++)
			t = join(t, l_follow(w, LLVMGetIncomingValue(v, i), depth + 1));
		return t;
	case LLVMSelect:
		t = l_follow(w, LLVMGetOperand(v, 1), depth + 1);
		return join(t, l_follow(w, LLVMGetOperand(v, 2), depth + 1));
	case LLVMIntToPtr:
	case LLVMPtrToInt:
		return l_follow(w, LLVMGetOperand(v, 0), depth + 1);
	case LLVMAdd:
		/* a pointer in its view as a number; only with a constant it is clear which one */
		if (!LLVMIsAConstantInt(LLVMGetOperand(v, 1)))
			return unknown;
		t = l_follow(w, LLVMGetOperand(v, 0), depth + 1);
		t.shift = min_u(t.shift, zero_bits(LLVMGetOperand(v, 1), 0));
		return t;
	case LLVMCall:
		return l_follow_call(w, v, depth);
	case LLVMLoad:
		for (uint32_t i = 0; i < w->l->object->nr_maps; i++)
			if (w->l->maps[i].v_base && LLVMGetOperand(v, 0) == w->l->maps[i].v_base)
				return (struct target){PLACE_SHARED, MAX_SHIFT};
		return unknown;
	default:
		return unknown;
	}
}

static struct target l_follow(struct walk *w, LLVMValueRef v, unsigned int depth)
{
	bool is_full = false;

	if (depth > MAX_DEPTH)
		return unknown;
	if (LLVMIsAConstantPointerNull(v) || LLVMIsUndef(v) ||
	    (LLVMIsAConstantInt(v) && LLVMConstIntGetZExtValue(v) == 0))
		return nothing;
	if (LLVMIsAGlobalVariable(v))
		return l_follow_global(w, v);
	if (LLVMIsAConstantExpr(v)) {
		struct target t;

		switch (LLVMGetConstOpcode(v)) {
		case LLVMIntToPtr:
		case LLVMPtrToInt:
			return l_follow(w, LLVMGetOperand(v, 0), depth + 1);
		case LLVMGetElementPtr:
			t = l_follow(w, LLVMGetOperand(v, 0), depth + 1);
			t.shift = min_u(t.shift, zero_bits(LLVMGetOperand(v, 1), 0));
			return t;
		default:
			return unknown;
		}
	}
	if (LLVMIsAArgument(v)) {
		LLVMValueRef v_fn = LLVMGetParamParent(v);

		if (v == LLVMGetParam(v_fn, 0))
			return (struct target){PLACE_CTX, 3};
		if (!visit(w, v, &is_full))
			return nothing;
		for (unsigned int i = 1; !is_full && i < LLVMCountParams(v_fn); i++)
			if (v == LLVMGetParam(v_fn, i))
				return l_follow_argument(w, v_fn, i, depth);
		return unknown;
	}
	if (LLVMIsAInstruction(v))
		return l_follow_inst(w, v, depth);
	return unknown;
}

/* What the register analysis noted; see l_note_place(). */
static struct target noted(struct lower *l, LLVMValueRef v_inst)
{
	LLVMValueRef v_md = LLVMGetMetadata(v_inst, l->md_place), v_note;
	struct target t = unknown;
	uint64_t note;

	LLVMGetMDNodeOperands(v_md, &v_note);
	note = LLVMConstIntGetZExtValue(v_note);
	t.place = note & 0xff;
	t.shift = (unsigned int)__builtin_ctzll(note >> 8);
	return t;
}

static unsigned int access_bytes(LLVMValueRef v)
{
	LLVMTypeRef t = LLVMIsALoadInst(v) ? LLVMTypeOf(v) : LLVMTypeOf(LLVMGetOperand(v, 0));

	return LLVMGetTypeKind(t) == LLVMPointerTypeKind ? 8 : LLVMGetIntTypeWidth(t) / 8;
}

static void l_place_access(struct lower *l, LLVMValueRef v)
{
	const unsigned int quiet = PLACE_STACK | PLACE_CTX | PLACE_PRIVATE;
	bool is_load = LLVMIsALoadInst(v), is_store = LLVMIsAStoreInst(v);
	struct walk w = {.l = l};
	struct target t, note = noted(l, v);
	LLVMValueRef v_address = LLVMGetOperand(v, is_store ? 1 : 0);

	LLVMSetMetadata(v, l->md_place, NULL);
	t = l_follow(&w, v_address, 0);
	if (!t.place || t.place & PLACE_UNKNOWN)
		t = note;
	if (!(t.place & ~quiet)) {
		if (is_load || is_store)
			LLVMSetAlignment(v, LLVMGetOrdering(v) ? access_bytes(v) : 1u << t.shift);
		return;
	}
	ll_set_nosanitize(v);
	if ((!is_load && !is_store) || LLVMGetOrdering(v) != LLVMAtomicOrderingNotAtomic)
		return;
	if (1u << t.shift >= access_bytes(v)) {
		LLVMSetOrdering(v, LLVMAtomicOrderingMonotonic);
		LLVMSetAlignment(v, access_bytes(v));
	} else {
		LLVMSetVolatile(v, true);
		LLVMSetAlignment(v, 1u << t.shift);
	}
}

static const struct lower_map *l_map_of_desc(struct lower *l, LLVMValueRef v_desc)
{
	for (uint32_t i = 0; i < l->object->nr_maps; i++)
		if (l->maps[i].v_desc == v_desc)
			return &l->maps[i];
	return NULL;
}

/*
 * Whether a call of a map helper is worth a copy of its body. Without a constant descriptor it
 * would be the code of every map type. Changing a hash map is a call in any case: going there at
 * once saves one. LLVM's own judgement does not see the descriptor's contents. Without optimisation nothing
 * folds, and every copy would be the code of every map type, too.
 */
enum map_call { MAP_CALL_GENERIC, MAP_CALL_BODY, MAP_CALL_INLINE };

static enum map_call l_judge_map_call(struct lower *l, const struct lower_map *map, bool is_lookup)
{
	if (!map || l->handle->opts.opt_level < 0)
		return MAP_CALL_GENERIC;
	if (is_lookup)
		return MAP_CALL_BODY; /* of class INLINE */
	/* inlay_hash_has_words(): the key and its hash are worked out where they are known */
	if (map->map->type == INLAY_MAP_TYPE_HASH && !(map->flags & INLAY_MAP_HUGE) &&
	    (map->map->key_size == 8 || map->map->key_size == 4))
		return MAP_CALL_INLINE;
	if (map->flags & INLAY_MAP_HASH)
		return MAP_CALL_GENERIC;
	return map->map->value_size <= MAX_INLINE_COPY ? MAP_CALL_INLINE : MAP_CALL_BODY;
}

/* lookup, update, delete: specialised by their descriptor, or the generic body in libinlay */
static LLVMAttributeRef l_always_inline(struct lower *l)
{
	static const char name[] = "alwaysinline";

	return LLVMCreateEnumAttribute(l->context,
				       LLVMGetEnumAttributeKindForName(name, sizeof(name) - 1), 0);
}

static void l_place_map_call(struct lower *l, LLVMValueRef v_call)
{
	static const char *const names[] = {"map_lookup_elem", "map_update_elem",
					    "map_delete_elem"};
	LLVMValueRef v_fn = LLVMGetCalledValue(v_call);
	enum map_call judgement;
	char name[64];

	if (!v_fn || !LLVMIsAFunction(v_fn))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		LLVMValueRef v_generic;

		snprintf(name, sizeof(name), HELPER_PREFIX "%s", names[i]);
		if (!is_named(v_fn, name))
			continue;
		judgement = l_judge_map_call(l, l_map_of_desc(l, LLVMGetOperand(v_call, 0)), i == 0);
		if (judgement == MAP_CALL_INLINE)
			LLVMAddCallSiteAttribute(v_call, LLVMAttributeFunctionIndex,
						 l_always_inline(l));
		if (judgement != MAP_CALL_GENERIC)
			return;
		snprintf(name, sizeof(name), "__inlay_%s_v1", names[i]);
		v_generic = LLVMGetNamedFunction(l->module, name);
		if (!v_generic) {
			v_generic = LLVMAddFunction(l->module, name, LLVMGlobalGetValueType(v_fn));
			ll_add_attr(v_generic, LLVMAttributeFunctionIndex, "nounwind");
		}
		LLVMSetOperand(v_call, (unsigned int)LLVMGetNumOperands(v_call) - 1, v_generic);
	}
}

static void l_each_inst_of(struct lower *l, LLVMValueRef v_fn,
			   void (*visitor)(struct lower *l, LLVMValueRef v))
{
	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(v_fn); b; b = LLVMGetNextBasicBlock(b))
		for (LLVMValueRef v = LLVMGetFirstInstruction(b); v; v = LLVMGetNextInstruction(v))
			visitor(l, v);
}

static void l_each_inst(struct lower *l, void (*visitor)(struct lower *l, LLVMValueRef v))
{
	for (LLVMValueRef v_fn = LLVMGetFirstFunction(l->module); v_fn;
	     v_fn = LLVMGetNextFunction(v_fn))
		l_each_inst_of(l, v_fn, visitor);
}

static void l_visit_access(struct lower *l, LLVMValueRef v)
{
	if (LLVMGetMetadata(v, l->md_place))
		l_place_access(l, v);
}

static void l_visit_call(struct lower *l, LLVMValueRef v)
{
	if (LLVMIsACallInst(v))
		l_place_map_call(l, v);
}

/*
 * Helpers read keys as if they were shared, once and atomically, because they may be. Of the
 * program's own stack that is not needed, and would keep it in memory.
 */
static void l_visit_private(struct lower *l, LLVMValueRef v)
{
	struct walk w = {.l = l};
	struct target t;
	bool is_store = LLVMIsAStoreInst(v);

	if ((!LLVMIsALoadInst(v) && !is_store) || LLVMGetOrdering(v) != LLVMAtomicOrderingMonotonic)
		return;
	t = l_follow(&w, LLVMGetOperand(v, is_store ? 1 : 0), 0);
	if (t.place == PLACE_STACK)
		LLVMSetOrdering(v, LLVMAtomicOrderingNotAtomic);
}

/*
 * Not in helpers that stayed out of line: a link keeps one copy for all objects, and another object
 * may pass it a key in a map.
 */
void l_place_private(struct lower *l)
{
	for (uint32_t i = 0; i < l->object->nr_progs; i++)
		if (l->v_progs[i])
			l_each_inst_of(l, l->v_progs[i], l_visit_private);
	for (uint32_t i = 0; i < l->object->nr_progs; i++)
		if (l->v_tails[i])
			l_each_inst_of(l, l->v_tails[i], l_visit_private);
	if (l->v_run)
		l_each_inst_of(l, l->v_run, l_visit_private);
	for (uint32_t i = 0; i < l->object->nr_funcs; i++)
		if (l->v_subs[i])
			l_each_inst_of(l, l->v_subs[i], l_visit_private);
}

/* Start of the local variable that v is a constant distance into, or NULL. */
static LLVMValueRef l_variable_of(LLVMValueRef v, uint64_t *ret_off)
{
	*ret_off = 0;
	while (LLVMIsAGetElementPtrInst(v) && LLVMGetNumOperands(v) == 2 &&
	       LLVMIsAConstantInt(LLVMGetOperand(v, 1)) &&
	       LLVMGetIntTypeWidth(LLVMGetGEPSourceElementType(v)) == 8) {
		*ret_off += LLVMConstIntGetZExtValue(LLVMGetOperand(v, 1));
		v = LLVMGetOperand(v, 0);
	}
	return LLVMIsAAllocaInst(v) ? v : NULL;
}

static void l_clear_inline(struct lower *l, LLVMValueRef v_fn, LLVMValueRef v_variable,
			   uint64_t off, uint64_t bytes)
{
	LLVMValueRef v_off = LLVMConstInt(l->t_i64, off, false), v;

	if (!bytes)
		return;
	v = LLVMBuildMemSet(
	    l->builder, LLVMBuildGEP2(l->builder, l->t_i8, v_variable, &v_off, 1, ""),
	    LLVMConstInt(l->t_i8, 0, false), LLVMConstInt(l->t_i64, bytes, false),
	    off % 16 ? 1u << __builtin_ctzll(off | 16) : 16);
	LLVMSetOperand(v, (unsigned int)LLVMGetNumOperands(v) - 1, v_fn);
}

/*
 * Clearing a part of the stack that does not start at a multiple of 16: the code generator takes
 * vectors for what is known to be aligned only. v clears the middle, code before it the ends.
 */
static void l_split_clear(struct lower *l, LLVMValueRef v, LLVMValueRef v_fn)
{
	uint64_t bytes = LLVMConstIntGetZExtValue(LLVMGetOperand(v, 2)), off, head;
	LLVMValueRef v_variable = l_variable_of(LLVMGetOperand(v, 0), &off);
	LLVMValueRef v_value = LLVMGetOperand(v, 1), v_off;
	LLVMTypeRef t_len = LLVMTypeOf(LLVMGetOperand(v, 2));
	unsigned int align = LLVMGetEnumAttributeKindForName("align", strlen("align"));

	if (!v_variable || LLVMGetAlignment(v_variable) < 16 || off % 16 == 0 || bytes < 48 ||
	    !LLVMIsAConstantInt(v_value) || LLVMConstIntGetZExtValue(v_value))
		return;
	head = 16 - off % 16;
	LLVMPositionBuilderBefore(l->builder, v);
	l_clear_inline(l, v_fn, v_variable, off, head);
	l_clear_inline(l, v_fn, v_variable, off + bytes - (bytes - head) % 16,
		       (bytes - head) % 16);
	v_off = LLVMConstInt(l->t_i64, off + head, false);
	LLVMSetOperand(v, 0, LLVMBuildGEP2(l->builder, l->t_i8, v_variable, &v_off, 1, ""));
	LLVMSetOperand(v, 2,
		       LLVMConstInt(t_len, bytes - head - (bytes - head) % 16, false));
	LLVMRemoveCallSiteEnumAttribute(v, 1, align);
	LLVMRemoveCallSiteEnumAttribute(
	    v, 1, LLVMGetEnumAttributeKindForName("dereferenceable", strlen("dereferenceable")));
	LLVMAddCallSiteAttribute(v, 1, LLVMCreateEnumAttribute(l->context, align, 16));
}

/*
 * memset and memcpy of the stack become code in place: a call of libc's may itself be probed. At
 * the end, because the optimiser removes only the others.
 */
static void l_visit_intrinsic(struct lower *l, LLVMValueRef v)
{
	static const char *const names[][2] = {
	    {"llvm.memset", "llvm.memset.inline"},
	    {"llvm.memcpy", "llvm.memcpy.inline"},
	};
	LLVMTypeRef t_overload[3];
	unsigned int nr = 0, id;
	LLVMValueRef v_fn;

	if (!LLVMIsAMemIntrinsic(v) || !LLVMIsAConstantInt(LLVMGetOperand(v, 2)))
		return;
	id = LLVMGetIntrinsicID(LLVMGetCalledValue(v));
	for (size_t i = 0; i < 2; i++) {
		if (id != LLVMLookupIntrinsicID(names[i][0], strlen(names[i][0])))
			continue;
		id = LLVMLookupIntrinsicID(names[i][1], strlen(names[i][1]));
		t_overload[nr++] = l->t_ptr;
		if (i == 1)
			t_overload[nr++] = l->t_ptr;
		t_overload[nr++] = LLVMTypeOf(LLVMGetOperand(v, 2));
		v_fn = LLVMGetIntrinsicDeclaration(l->module, id, t_overload, nr);
		LLVMSetOperand(v, (unsigned int)LLVMGetNumOperands(v) - 1, v_fn);
		if (i == 0)
			l_split_clear(l, v, v_fn);
		return;
	}
}

/*
 * The number of a pointer plus a constant: what a pointer is where it is stored, or passed to a
 * subprogram. As the number of an address it stays one that the optimiser sees through, once the
 * subprogram is inlined.
 */
static void l_visit_sum(struct lower *l, LLVMValueRef v)
{
	LLVMValueRef v_base, v_off, v_ptr;

	if (LLVMGetInstructionOpcode(v) != LLVMAdd)
		return;
	v_base = LLVMGetOperand(v, 0);
	v_off = LLVMGetOperand(v, 1);
	if (!LLVMIsAPtrToIntInst(v_base) || !LLVMIsAConstantInt(v_off))
		return;
	LLVMPositionBuilderBefore(l->builder, v);
	v_ptr = LLVMBuildGEP2(l->builder, l->t_i8, LLVMGetOperand(v_base, 0), &v_off, 1, "");
	LLVMReplaceAllUsesWith(v, LLVMBuildPtrToInt(l->builder, v_ptr, LLVMTypeOf(v), ""));
}

/* inttoptr of the number of a pointer */
static void l_visit_cast(struct lower *l, LLVMValueRef v)
{
	(void)l;
	if (LLVMIsAIntToPtrInst(v) && LLVMIsAPtrToIntInst(LLVMGetOperand(v, 0)))
		LLVMReplaceAllUsesWith(v, LLVMGetOperand(LLVMGetOperand(v, 0), 0));
}

void l_place_pointers(struct lower *l)
{
	l_each_inst(l, l_visit_sum);
	l_each_inst(l, l_visit_cast);
}

/*
 * A store to the stack at an offset that is not constant. In the host's pipeline a loop of them
 * would become a call of memset or memcpy, which may be probed, and then calls itself; no attribute
 * survives being inlined. What is volatile is no idiom, and such a variable is in memory anyway.
 */
static void l_visit_loop_store(struct lower *l, LLVMValueRef v)
{
	struct walk w = {.l = l};
	uint64_t off;

	if (!LLVMIsAStoreInst(v) || LLVMGetVolatile(v) ||
	    LLVMGetOrdering(v) != LLVMAtomicOrderingNotAtomic ||
	    l_variable_of(LLVMGetOperand(v, 1), &off))
		return;
	if (l_follow(&w, LLVMGetOperand(v, 1), 0).place & (PLACE_STACK | PLACE_UNKNOWN))
		LLVMSetVolatile(v, true);
}

void l_place_loops(struct lower *l)
{
	l_each_inst(l, l_visit_loop_store);
}

/*
 * A byte or half word of a map that is only used extended: the code generator extends what an
 * atomic gives in an instruction of its own, and a volatile at once. Either is one access. (What is
 * changed and written back stays atomic: of a volatile that would be three instructions.)
 */
static void l_visit_short_load(struct lower *l, LLVMValueRef v)
{
	unsigned int nosanitize =
	    LLVMGetMDKindIDInContext(l->context, "nosanitize", strlen("nosanitize"));

	if (!LLVMIsALoadInst(v) || LLVMGetOrdering(v) != LLVMAtomicOrderingMonotonic ||
	    !LLVMGetMetadata(v, nosanitize) || access_bytes(v) > 2)
		return;
	for (LLVMUseRef use = LLVMGetFirstUse(v); use; use = LLVMGetNextUse(use))
		if (!LLVMIsAZExtInst(LLVMGetUser(use)) && !LLVMIsASExtInst(LLVMGetUser(use)))
			return;
	LLVMSetOrdering(v, LLVMAtomicOrderingNotAtomic);
	LLVMSetVolatile(v, true);
}

void l_place_short_loads(struct lower *l)
{
	l_each_inst(l, l_visit_short_load);
}

void l_place_intrinsics(struct lower *l)
{
	l_each_inst(l, l_visit_intrinsic);
}

void l_place_accesses(struct lower *l)
{
	/* calls last: following an address knows lookups by their first name */
	l_each_inst(l, l_visit_access);
	l_each_inst(l, l_visit_call);
}
