/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter's loop: one instruction at a time, each operand checked. See interp.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>

#include "bpfcc/kinds.h"
#include "bpfcc/run/interp_int.h"

#define DEFAULT_STEPS 10000000
#define MAY_GOTO_BUDGET (8u * 1024 * 1024)	/* the kernel's BPF_MAX_LOOPS */

int interp_trap(struct bpfcc_interp *it, enum bpfcc_trap_kind kind, const char *format, ...)
{
	va_list args;

	if (it->trap.kind)
		return -EFAULT;
	it->trap.kind = kind;
	if (it->frame) {
		it->trap.func = it->frame->func;
		it->trap.insn = it->frame->insn;
	}
	va_start(args, format);
	vsnprintf(it->trap.text, sizeof(it->trap.text), format, args);
	va_end(args);
	return -EFAULT;
}

const char *bpfcc_trap_name(enum bpfcc_trap_kind kind)
{
	static const char *const names[] = {
	    [BPFCC_TRAP_NONE] = "nothing",
	    [BPFCC_TRAP_BOUNDS] = "out of bounds",
	    [BPFCC_TRAP_POINTER] = "no such pointer",
	    [BPFCC_TRAP_UNSET] = "never set",
	    [BPFCC_TRAP_READ_ONLY] = "read-only",
	    [BPFCC_TRAP_STALE] = "used after its end",
	    [BPFCC_TRAP_ALIGNMENT] = "misaligned",
	    [BPFCC_TRAP_ARGUMENT] = "wrong argument",
	    [BPFCC_TRAP_HELD] = "not given back",
	    [BPFCC_TRAP_DEPTH] = "too many calls within calls",
	    [BPFCC_TRAP_STEPS] = "too many instructions",
	    [BPFCC_TRAP_UNKNOWN] = "not known to the interpreter",
	    [BPFCC_TRAP_ASKED] = "stopped",
	    [BPFCC_TRAP_MEMORY] = "out of memory",
	};

	return names[kind];
}

struct value interp_number(uint64_t num)
{
	return (struct value){.num = num, .is_set = true};
}

/* splitmix64 */
uint64_t interp_random(struct bpfcc_interp *it)
{
	uint64_t x = it->random += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint64_t interp_odd_number(struct bpfcc_interp *it)
{
	uint64_t r = interp_random(it), power = (uint64_t)1 << (r >> 8 & 63);

	switch (r & 7) {
	case 0:
	case 1:
	case 2:
		return r >> 16 & 31;
	case 3:
		return power + (r >> 16) % 5 - 2;
	case 4:
		return -power;
	case 5:
		return (r >> 16) % 9 - 4;
	case 6:
		return interp_random(it) >> (r >> 8 & 63);
	default:
		return interp_random(it);
	}
}

/* ---- one instruction ---- */

static int check_set(struct bpfcc_interp *it, int reg)
{
	if (it->frame->regs[reg].is_set)
		return 0;
	return interp_trap(it, BPFCC_TRAP_UNSET, "r%d is not set", reg);
}

static int step_alu(struct bpfcc_interp *it, const struct bpf_insn *in)
{
	uint8_t op = BPF_OP(in->code);
	struct value *dst = &it->frame->regs[in->dst_reg], src;
	uint32_t was;

	if (op != BPF_MOV && check_set(it, in->dst_reg))
		return -EFAULT;
	if (op == BPF_NEG || op == BPF_END) {
		src = interp_number(0);
	} else if (BPF_SRC(in->code) == BPF_X) {
		if (check_set(it, in->src_reg))
			return -EFAULT;
		src = it->frame->regs[in->src_reg];
	} else {
		src = interp_number((uint64_t)(int64_t)in->imm);
	}
	if (in->dst_reg == BPF_REG_10)
		return interp_trap(it, BPFCC_TRAP_READ_ONLY, "r10 is written");
	if (bpfcc_insn_is_cast(in))
		return interp_cast(it, in);
	was = dst->thing;
	if (!interp_alu(in, dst, &src))
		return interp_trap(it, BPFCC_TRAP_UNKNOWN, "operation 0x%02x", in->code);
	interp_arena_result(it, in, was, dst);
	return 0;
}

static int step_lddw(struct bpfcc_interp *it, const struct bpf_insn *in)
{
	struct value *dst = &it->frame->regs[in->dst_reg];
	uint32_t imm = (uint32_t)in->imm, thing;

	switch (in->src_reg) {
	case 0:
		*dst = interp_number((uint64_t)(uint32_t)in[1].imm << 32 | imm);
		return 0;
	case BPF_PSEUDO_MAP_FD:
		if (imm >= it->object->nr_maps)
			break;
		*dst = interp_pointer(it, it->instances[imm].thing, 0);
		return 0;
	case BPF_PSEUDO_MAP_VALUE:
		return interp_map_address(it, imm, (uint32_t)in[1].imm, dst);
	case BPF_PSEUDO_FUNC:
		if (imm >= it->object->nr_funcs)
			break;
		thing = interp_thing(it, THING_FUNC, NULL, 0);
		if (!thing)
			return -EFAULT;
		it->things[thing].func = imm;
		*dst = interp_pointer(it, thing, 0);
		return 0;
	}
	return interp_trap(it, BPFCC_TRAP_UNKNOWN, "lddw of kind %d", in->src_reg);
}

static int step_memory(struct bpfcc_interp *it, const struct bpf_insn *in)
{
	struct value *dst = &it->frame->regs[in->dst_reg], *src = &it->frame->regs[in->src_reg];
	unsigned int bytes = (unsigned int)bpfcc_insn_bytes(in->code);
	uint8_t mode = BPF_MODE(in->code);
	struct value imm;

	if (mode == BPF_ATOMIC && BPF_CLASS(in->code) == BPF_STX)
		return interp_atomic(it, in);
	if (mode != BPF_MEM && !(mode == BPFCC_MEMSX && BPF_CLASS(in->code) == BPF_LDX))
		return interp_trap(it, BPFCC_TRAP_UNKNOWN, "access 0x%02x", in->code);
	switch (BPF_CLASS(in->code)) {
	case BPF_LDX:
		return interp_load(it, src, in->off, bytes, mode == BPFCC_MEMSX, dst);
	case BPF_STX:
		return check_set(it, in->src_reg) ? -EFAULT
						  : interp_store(it, dst, in->off, bytes, src);
	default:
		imm = interp_number((uint64_t)(int64_t)in->imm);
		return interp_store(it, dst, in->off, bytes, &imm);
	}
}

/* 1 taken, 0 not, -EFAULT */
static int step_branch(struct bpfcc_interp *it, const struct bpf_insn *in)
{
	struct value *regs = it->frame->regs;
	uint64_t operand = (uint64_t)(int64_t)in->imm;
	int taken;

	if (bpfcc_insn_is_may_goto(in)) {
		/* also early, in a wild world: when it ends is not the program's to say */
		if (!it->frame->may_goto_left || (it->opts.is_wild && interp_random(it) % 16 == 0))
			return 1;
		it->frame->may_goto_left--;
		return 0;
	}
	if (check_set(it, in->dst_reg))
		return -EFAULT;
	if (BPF_SRC(in->code) == BPF_X) {
		if (check_set(it, in->src_reg))
			return -EFAULT;
		operand = regs[in->src_reg].num;
	}
	taken = interp_condition(in, regs[in->dst_reg].num, operand);
	if (taken < 0)
		return interp_trap(it, BPFCC_TRAP_UNKNOWN, "jump 0x%02x", in->code);
	return taken;
}

/* ---- the view ---- */

static void view_reg(struct bpfcc_interp *it, struct bpfcc_interp_view *view, int reg)
{
	const struct value *v = &it->frame->regs[reg];
	const struct thing *t = &it->things[v->thing];

	view->regs[reg] = v->num;
	view->is_set[reg] = v->is_set;
	view->offs[reg] = v->thing ? (int64_t)(v->num - t->base) : 0;
	if (!v->is_set)
		view->kinds[reg] = BPFCC_KIND_UNINIT;
	else if (!v->thing)
		view->kinds[reg] = BPFCC_KIND_SCALAR;
	else
		switch (t->kind) {
		case THING_STACK:
			view->kinds[reg] = BPFCC_KIND_STACK;
			view->offs[reg] = (int64_t)((uint64_t)view->offs[reg] - STACK_BYTES);
			view->frames[reg] = t->frame;
			break;
		case THING_CTX:
			view->kinds[reg] = BPFCC_KIND_CTX;
			break;
		case THING_MAP:
			view->kinds[reg] = BPFCC_KIND_MAP;
			view->maps[reg] = it->instances[t->instance].index;
			break;
		case THING_VALUE:
			view->kinds[reg] = BPFCC_KIND_MAP_VALUE;
			view->maps[reg] = it->instances[t->instance].index;
			break;
		case THING_KEY:
			view->kinds[reg] = BPFCC_KIND_MAP_VALUE;
			view->maps[reg] = UINT32_MAX;
			break;
		case THING_MEM:
		case THING_RECORD:
			view->kinds[reg] = BPFCC_KIND_MEM;
			break;
		case THING_ARENA:
			view->kinds[reg] = BPFCC_KIND_ARENA;
			view->offs[reg] = 0;
			break;
		default:
			view->kinds[reg] = BPFCC_KIND_POINTER;
			break;
		}
}

static int show(struct bpfcc_interp *it)
{
	struct bpfcc_interp_view view = {
	    .func = it->frame->func, .insn = it->frame->insn, .depth = it->frame->number};

	for (int i = 0; i < 11; i++)
		view_reg(it, &view, i);
	if (it->opts.on_insn(it->opts.arg, &view))
		return interp_trap(it, BPFCC_TRAP_ASKED, "stopped by the caller");
	return 0;
}

/* ---- functions ---- */

static int step(struct bpfcc_interp *it, const struct bpf_insn *in)
{
	struct frame *f = it->frame;
	int taken;

	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return step_alu(it, in);
	case BPF_LD:
		if (!bpfcc_insn_is_lddw(in))
			return interp_trap(it, BPFCC_TRAP_UNKNOWN, "load 0x%02x", in->code);
		return step_lddw(it, in);
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		return step_memory(it, in);
	default:
		if (bpfcc_insn_is_call(in) || bpfcc_insn_is_callx(in))
			return interp_call(it, in);
		if (bpfcc_insn_is_goto(in)) {
			f->insn = (uint32_t)bpfcc_insn_target(in, f->insn) - 1;
			return 0;
		}
		taken = step_branch(it, in);
		if (taken > 0)
			f->insn = (uint32_t)bpfcc_insn_target(in, f->insn) - 1;
		return taken < 0 ? taken : 0;
	}
}

static int run(struct bpfcc_interp *it)
{
	uint64_t most = it->opts.max_steps ? it->opts.max_steps : DEFAULT_STEPS;
	struct frame *f = it->frame;

	for (;; f->insn++) {
		const struct bpfcc_func *func = &it->object->funcs[f->func];
		const struct bpf_insn *in;
		int err;

		if (f->insn >= func->nr_insns)
			return interp_trap(it, BPFCC_TRAP_BOUNDS, "control left the function");
		in = &func->insns[f->insn];
		if (++it->steps > most)
			return interp_trap(it, BPFCC_TRAP_STEPS, "more than %llu instructions",
					   (unsigned long long)most);
		if (it->opts.on_insn && show(it))
			return -EFAULT;
		if (bpfcc_insn_is_exit(in))
			return 0;
		err = step(it, in);
		if (err)
			return err;
		if (bpfcc_insn_is_lddw(in))
			f->insn++;
	}
}

int interp_function(struct bpfcc_interp *it, uint32_t func, const struct value args[5],
		    struct value *ret)
{
	struct frame frame = {.below = it->frame,
			      .func = func,
			      .number = it->nr_frames,
			      .arena = it->frame ? it->frame->arena : interp_arena_of(it, func),
			      .may_goto_left = MAY_GOTO_BUDGET};
	int err;

	if (it->nr_frames == MAX_FRAMES)
		return interp_trap(it, BPFCC_TRAP_DEPTH, "more than %d calls within calls",
				   MAX_FRAMES);
	frame.stack = interp_thing(it, THING_STACK, NULL, STACK_BYTES);
	if (!frame.stack)
		return -EFAULT;
	it->things[frame.stack].frame = frame.number;
	for (int i = 0; i < 5; i++)
		frame.regs[1 + i] = args[i];
	frame.regs[10] = interp_pointer(it, frame.stack, STACK_BYTES);
	it->frame = &frame;
	it->nr_frames++;
	err = run(it);
	it->nr_frames--;
	it->frame = frame.below;
	interp_drop(it, frame.stack);
	*ret = frame.regs[0];
	return err;
}

/* ---- in and out ---- */

int bpfcc_interp_new(const struct bpfcc_object *object, const struct bpfcc_interp_opts *opts,
		     struct bpfcc_interp **ret_interp)
{
	struct bpfcc_interp *it = calloc(1, sizeof(*it));

	*ret_interp = NULL;
	if (!it)
		return -ENOMEM;
	it->object = object;
	it->opts = *opts;
	it->random = opts->seed;
	/* as user addresses are: 47 bits, of 8 bytes' alignment; distances differ, too */
	it->address_bits = (opts->address_seed * 0x9e3779b97f4a7c15) >> 18 << 3;
	it->next_address = 0x100000000000 + it->address_bits;
	it->next_address &= 0x3ffffffffff8;
	if (it->next_address < 0x1000)
		it->next_address = 0x1000;
	/* what is too large to be modelled becomes the first call's trap */
	if (interp_maps_init(it) && it->trap.kind == BPFCC_TRAP_MEMORY) {
		bpfcc_interp_free(it);
		return -ENOMEM;
	}
	*ret_interp = it;
	return 0;
}

void bpfcc_interp_free(struct bpfcc_interp *it)
{
	if (!it)
		return;
	interp_maps_fini(it);
	for (uint32_t i = 0; i < it->nr_things; i++)
		interp_drop(it, i);
	free(it->things);
	free(it->dynptrs);
	free(it->iters);
	free(it);
}

int interp_holds_nothing(struct bpfcc_interp *it, const char *where)
{
	if (it->nr_held)
		return interp_trap(it, BPFCC_TRAP_HELD,
				   "%u records, dynptrs or iterators are not given back %s",
				   it->nr_held, where);
	if (it->lock_thing)
		return interp_trap(it, BPFCC_TRAP_HELD, "a lock is held %s", where);
	if (it->nr_sections[SECTION_RCU])
		return interp_trap(it, BPFCC_TRAP_HELD, "the RCU read lock is held %s", where);
	if (it->nr_sections[SECTION_PREEMPT])
		return interp_trap(it, BPFCC_TRAP_HELD, "preemption is disabled %s", where);
	return 0;
}

static int leave(struct bpfcc_interp *it, const struct value *r0)
{
	if (!r0->is_set)
		return interp_trap(it, BPFCC_TRAP_UNSET, "r0 is not set at the exit");
	return interp_holds_nothing(it, "at the exit");
}

int bpfcc_interp_call(struct bpfcc_interp *it, uint32_t func, const struct bpfcc_interp_ctx *ctx,
		      uint64_t *ret_r0, struct bpfcc_trap *ret_trap)
{
	struct value args[5] = {0}, r0 = {0};
	uint32_t thing = 0;
	int err = it->trap.kind ? -EFAULT : 0;

	args[0] = interp_number(0);
	if (!err && ctx->data && ctx->bytes) {
		thing = interp_thing(it, THING_CTX, NULL, ctx->bytes);
		err = thing ? 0 : -EFAULT;
	}
	if (!err && thing) {
		memcpy(it->things[thing].data, ctx->data, ctx->bytes);
		it->things[thing].is_read_only = ctx->is_read_only;
		args[0] = interp_pointer(it, thing, 0);
	}
	if (ctx->has_length)
		args[1] = interp_number(ctx->bytes);
	it->second = args[1];
	it->has_no_ctx = !thing;
	it->steps = 0;
	it->nr_tail_calls = 0;
	it->cookie = 0;
	if (!err)
		err = interp_function(it, func, args, &r0);
	if (!err)
		err = leave(it, &r0);
	if (thing && !err && !ctx->is_read_only)
		memcpy(ctx->data, it->things[thing].data, ctx->bytes);
	if (thing)
		interp_drop(it, thing);
	if (it->cookie)
		interp_drop(it, it->cookie);
	*ret_r0 = r0.num;
	if (ret_trap)
		*ret_trap = it->trap;
	return err;
}
