/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls: of subprograms, through registers, and of helpers, whose arguments are checked here against
 * rt/helpers.def before interp_helper.c does what the helper does.
 */
#include <string.h>

#include "bpfcc/helpers.h"
#include "bpfcc/run/interp_int.h"

static bool is_thing(const struct bpfcc_interp *it, const struct value *v, enum thing_kind kind)
{
	return v->is_set && v->thing && it->things[v->thing].kind == kind;
}

static int refuse(struct bpfcc_interp *it, const struct bpfcc_helper *h, int i, const char *what)
{
	return interp_trap(it, BPFCC_TRAP_ARGUMENT, "argument %d of %s is not %s", i + 1, h->name,
			   what);
}

/* The map argument of the same call: keys and values are its. */
static const struct bpfcc_map *map_of(const struct bpfcc_interp *it, const struct bpfcc_helper *h,
				      const struct arg args[5])
{
	for (int i = 0; i < BPFCC_MAX_ARGS; i++)
		if (h->args[i] == BPFCC_ARG_MAP)
			return it->instances[args[i].instance].map;
	return NULL;
}

/* Memory of a size that another argument has; 0 bytes may be anywhere if the helper takes that. */
static int sized(struct bpfcc_interp *it, const struct bpfcc_helper *h, int i, struct arg *args)
{
	enum bpfcc_arg kind = h->args[i], size_kind = BPFCC_ARG_NONE;
	bool is_write = kind == BPFCC_ARG_MEM_W || kind == BPFCC_ARG_MEM_W_OR_NULL ||
			kind == BPFCC_ARG_MEM_RW;
	const struct value *size;
	int err;

	if (i + 1 < BPFCC_MAX_ARGS)
		size_kind = h->args[i + 1];
	size = &it->frame->regs[i + 2];
	if (!size->is_set)
		return interp_trap(it, BPFCC_TRAP_UNSET, "r%d is not set", i + 2);
	if (size->thing)
		return refuse(it, h, i + 1, "a size");
	args[i].bytes = (uint32_t)size->num;
	if (!args[i].bytes) {
		if (size_kind == BPFCC_ARG_SIZE)
			return refuse(it, h, i + 1, "a size above 0");
		return 0;
	}
	if (kind == BPFCC_ARG_MEM_RW) {
		err = interp_memory(it, &args[i].v, args[i].bytes, false, h->name, &args[i].data);
		if (err)
			return err;
	}
	return interp_memory(it, &args[i].v, args[i].bytes, is_write, h->name, &args[i].data);
}

static int fixed(struct bpfcc_interp *it, struct arg *arg, uint64_t bytes, bool is_write,
		 const char *what)
{
	arg->bytes = bytes;
	return bytes ? interp_memory(it, &arg->v, bytes, is_write, what, &arg->data) : 0;
}

/* A string that ends inside of what it is in. */
static int string(struct bpfcc_interp *it, const struct bpfcc_helper *h, int i, struct arg *arg)
{
	const struct thing *t = &it->things[arg->v.thing];
	int err = interp_memory(it, &arg->v, 1, false, h->name, &arg->data);

	if (err)
		return err;
	if (!t->is_read_only ||
	    !memchr(arg->data, 0, t->bytes - (uint64_t)(arg->data - t->data)))
		return refuse(it, h, i, "a constant string");
	return 0;
}

/* A dynptr that is to be given back, or not. */
static int dynptr(struct bpfcc_interp *it, const struct bpfcc_helper *h, int i, struct arg *arg)
{
	if (interp_get_dynptr(it, &arg->v, &arg->dynptr))
		return -EFAULT;
	if (h->args[i] == BPFCC_ARG_DYNPTR_RECORD && !it->dynptrs[arg->dynptr].is_held)
		return refuse(it, h, i, "a dynptr of a record");
	return 0;
}

static int check_arg(struct bpfcc_interp *it, const struct bpfcc_helper *h, int i, struct arg *args)
{
	const struct bpfcc_map *map = map_of(it, h, args);
	struct arg *arg = &args[i];
	struct thing *t = &it->things[arg->v.thing];

	switch (h->args[i]) {
	case BPFCC_ARG_MAP:
		if (!is_thing(it, &arg->v, THING_MAP) || arg->v.num != t->base)
			return refuse(it, h, i, "a map");
		arg->instance = t->instance;
		return 0;
	case BPFCC_ARG_KEY:
		return fixed(it, arg, map->key_size, false, "a key");
	case BPFCC_ARG_VALUE_OR_NULL:
		if (!arg->v.thing && !arg->v.num)
			return 0;
		/* fallthrough */
	case BPFCC_ARG_VALUE:
		return fixed(it, arg, map->value_size, false, "a value");
	case BPFCC_ARG_VALUE_W:
		/* a bloom filter reads what it is asked for */
		return fixed(it, arg, map->value_size, map->type != BPF_MAP_TYPE_BLOOM_FILTER,
			     "a value");
	case BPFCC_ARG_MEM_R_OR_NULL:
	case BPFCC_ARG_MEM_W_OR_NULL:
	case BPFCC_ARG_MEM_R:
	case BPFCC_ARG_MEM_W:
	case BPFCC_ARG_MEM_RW:
		return sized(it, h, i, args);
	case BPFCC_ARG_LONG_OUT:
		return fixed(it, arg, 8, true, h->name);
	case BPFCC_ARG_CONST_STR:
		return string(it, h, i, arg);
	case BPFCC_ARG_CTX:
		if (((h->flags & BPFCC_HELPER_F_CTX_NULL) ||
		     (h->id == BPF_FUNC_tail_call && it->has_no_ctx)) &&
		    !arg->v.thing && !arg->v.num)
			return 0;
		return is_thing(it, &arg->v, THING_CTX) && arg->v.num == t->base
			       ? 0
			       : refuse(it, h, i, "the context");
	case BPFCC_ARG_FUNC:
		return is_thing(it, &arg->v, THING_FUNC) && arg->v.num == t->base
			       ? 0
			       : refuse(it, h, i, "a function");
	case BPFCC_ARG_CALLBACK_CTX:
		return is_thing(it, &arg->v, THING_STACK) || (!arg->v.thing && !arg->v.num)
			       ? 0
			       : refuse(it, h, i, "stack or NULL");
	case BPFCC_ARG_RECORD:
		if (!is_thing(it, &arg->v, THING_RECORD) || arg->v.num != t->base)
			return refuse(it, h, i, "a record");
		return t->is_gone ? interp_trap(it, BPFCC_TRAP_STALE, "the record was given back")
				  : 0;
	case BPFCC_ARG_BUFFER_OR_NULL:
		if (!arg->v.thing && !arg->v.num)
			return 0;
		return fixed(it, arg, (uint32_t)args[i + 1].v.num, true, h->name);
	case BPFCC_ARG_DYNPTR:
	case BPFCC_ARG_DYNPTR_RECORD:
		return dynptr(it, h, i, arg);
	case BPFCC_ARG_ITER:
	case BPFCC_ARG_ITER_END:
		return interp_get_iter(it, &arg->v, &arg->iter);
	case BPFCC_ARG_SPIN_LOCK:
		return fixed(it, arg, sizeof(uint32_t), true, "a lock");
	case BPFCC_ARG_OBJECT:
		return is_thing(it, &arg->v, THING_OPAQUE) ? 0
							   : refuse(it, h, i, "a kernel object");
	case BPFCC_ARG_NEVER:
		return refuse(it, h, i, "anything that a program can have");
	default:
		return 0;
	}
}

static int call_helper(struct bpfcc_interp *it, const struct bpfcc_helper *h)
{
	struct arg args[5] = {0};

	for (int i = 0; i < BPFCC_MAX_ARGS; i++) {
		bool may_be_unset = h->args[i] == BPFCC_ARG_NONE ||
				    (h->flags & BPFCC_HELPER_F_VARIADIC_SCALARS);

		args[i].v = it->frame->regs[1 + i];
		if (!args[i].v.is_set && !may_be_unset)
			return interp_trap(it, BPFCC_TRAP_UNSET, "r%d is not set", i + 1);
	}
	for (int i = 0; i < BPFCC_MAX_ARGS; i++)
		if (h->args[i] != BPFCC_ARG_NONE && args[i].v.is_set && check_arg(it, h, i, args))
			return -EFAULT;
	return interp_helper(it, h, args);
}

static void forget_scratch(struct bpfcc_interp *it)
{
	for (int i = 1; i <= 5; i++)
		it->frame->regs[i] = (struct value){0};
}

int interp_call(struct bpfcc_interp *it, const struct bpf_insn *in)
{
	struct value *regs = it->frame->regs, ret = {0}, *to;
	const struct bpfcc_helper *h;
	struct thing *t;
	int err;

	if (bpfcc_insn_is_callx(in)) {
		to = &regs[bpfcc_insn_callx_reg(in)];
		if (!to->is_set)
			return interp_trap(it, BPFCC_TRAP_UNSET, "the register that is called");
		if (!to->thing)
			return interp_call(it, &(struct bpf_insn){.code = BPF_JMP | BPF_CALL,
								  .imm = (int32_t)to->num});
		t = &it->things[to->thing];
		if (!is_thing(it, to, THING_FUNC) || to->num != t->base)
			return interp_trap(it, BPFCC_TRAP_POINTER, "r%d is no function",
					   bpfcc_insn_callx_reg(in));
		err = interp_function(it, t->func, &regs[1], &ret);
		regs[0] = ret;
	} else if (in->src_reg == BPF_PSEUDO_CALL) {
		if ((uint32_t)in->imm >= it->object->nr_funcs)
			return interp_trap(it, BPFCC_TRAP_UNKNOWN, "function %d", in->imm);
		err = interp_function(it, (uint32_t)in->imm, &regs[1], &ret);
		regs[0] = ret;
	} else if (in->src_reg == BPF_PSEUDO_KFUNC_CALL) {
		h = bpfcc_kfunc_by_index(in->imm);
		if (!h)
			return interp_trap(it, BPFCC_TRAP_UNKNOWN, "kernel function %d", in->imm);
		err = call_helper(it, h);
	} else {
		h = bpfcc_helper_by_id(in->imm);
		if (!h && bpfcc_poison(it->object, in))
			return interp_trap(it, BPFCC_TRAP_UNKNOWN, "%s", bpfcc_poison(it->object, in));
		if (!h)
			return interp_trap(it, BPFCC_TRAP_UNKNOWN, "helper %d", in->imm);
		err = call_helper(it, h);
		/* a tail call that worked is in another program now, which has its r1 */
		if (!err && it->frame->insn == UINT32_MAX)
			return 0;
	}
	forget_scratch(it);
	return err;
}
