/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses: through what, how far, and may it be written. stack.c knows what the bytes of
 * the stack hold. Every way to memory goes through access_check(), also a helper's.
 */
#include "bpfcc/verify/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STACK_HINT "a function's stack is r10-512 to r10-1"
#define INDEX_HINT "bound the index: if (i < 0 || i >= N) return 0;"

/* ---- windows: where an access may go, exactly ---- */

static struct verify_window window_of(const struct verify_reg *r, int64_t off, uint64_t bytes)
{
	const __int128 base = (__int128)r->off + off;

	return (struct verify_window){
		.lo = base + r->num.smin,
		.hi = base + r->num.smax + (__int128)bytes,
	};
}

/* An interval of 64-bit numbers plus small offsets, for a message. */
static const char *window_text(const struct verify_window *w, uint64_t bytes, char *buf,
			       size_t size)
{
	__int128 last = w->hi - (__int128)bytes;

	if (w->lo == last)
		snprintf(buf, size, "offset %" PRId64, (int64_t)w->lo);
	else if (w->lo < INT32_MIN && last > INT32_MAX)
		snprintf(buf, size, "an offset that is not bounded");
	else if (w->lo < INT32_MIN)
		snprintf(buf, size, "an offset that is not bounded below (at most %" PRId64 ")",
			 (int64_t)last);
	else if (last > INT32_MAX)
		snprintf(buf, size, "an offset that is not bounded above (at least %" PRId64 ")",
			 (int64_t)w->lo);
	else
		snprintf(buf, size, "offset %" PRId64 "..%" PRId64, (int64_t)w->lo, (int64_t)last);
	return buf;
}

static int outside(struct verify *v, const struct verify_window *w, uint64_t bytes,
		   const char *what, const char *of, uint64_t limit)
{
	char text[96];
	bool is_const = w->lo == w->hi - (__int128)bytes;

	return verify_refuse(v, is_const ? NULL : INDEX_HINT,
			     "%s of %" PRIu64 " byte%s at %s %s outside of %s, which has %" PRIu64
			     " byte%s",
			     what, bytes, bytes == 1 ? "" : "s",
			     window_text(w, bytes, text, sizeof(text)), is_const ? "is" : "can be",
			     of, limit,
			     limit == 1 ? "" : "s");
}

/* ---- kinds of memory ---- */

/* Attack: an index that is only compared on one side reaches the neighbour of the object. */
static int check_inside(struct verify *v, const struct verify_window *w, uint64_t bytes,
			uint64_t limit, const char *what, const char *of)
{
	if (w->lo < 0 || w->hi > (__int128)limit)
		return outside(v, w, bytes, what, of, limit);
	return 0;
}

static int check_map_value(struct verify *v, const struct verify_reg *r, int64_t off,
			   const struct verify_window *w, uint64_t bytes, uint32_t access,
			   const char *what)
{
	const struct bpfcc_map *map = &v->object->maps[r->map];
	struct verify_reg at = *r;
	char of[160];
	int err;

	if ((access & ACCESS_WRITE) &&
	    ((r->flags & VF_RDONLY) || (map->map_flags & BPF_F_RDONLY_PROG)))
		return verify_refuse(v, "put the variable into .data or .bss: drop its \"const\"",
				     "%s changes \"%s\", which is read-only", what, map->name);
	if ((access & ACCESS_READ) && (map->map_flags & BPF_F_WRONLY_PROG))
		return verify_refuse(v, NULL,
				     "%s reads map \"%s\", which is write-only for programs", what,
				     map->name);
	snprintf(of, sizeof(of), "the value of \"%s\"", map->name);
	err = check_inside(v, w, bytes, r->bytes, what, of);
	at.off += (int32_t)off;
	return err ? err : verify_map_fields(v, &at, bytes);
}

static int check_ctx(struct verify *v, const struct verify_window *w, uint64_t bytes,
		     uint32_t access, const char *what)
{
	const struct bpfcc_verify_opts *o = &v->walk->opts;

	if (o->ctx_kind == BPFCC_CTX_MEMORY)
		return check_inside(v, w, bytes, o->ctx_bytes, what, "the program's memory");
	if (access & ACCESS_WRITE)
		return verify_refuse(v, "a probe may not change the registers of the target",
				     "%s writes to ctx, which is read-only", what);
	/* the pass decides what ctx holds, one register at a time */
	if (w->hi - w->lo != (__int128)bytes)
		return verify_refuse(v, NULL, "%s reads ctx at an offset that is not constant",
				     what);
	if (w->lo < 0 || w->hi > (__int128)o->ctx_bytes)
		return verify_refuse(v,
				     "is the object compiled for this architecture? "
				     "(-D__TARGET_ARCH_x86, -D__TARGET_ARCH_arm64)",
				     "%s of %" PRIu64 " bytes at ctx%+" PRId64
				     " is outside of struct pt_regs, which has %u",
				     what, bytes, (int64_t)w->lo, o->ctx_bytes);
	if (bytes && (int64_t)w->lo % (int64_t)bytes)
		return verify_refuse(v, NULL,
				     "%s of %" PRIu64 " bytes at ctx%+" PRId64 " is misaligned",
				     what, bytes, (int64_t)w->lo);
	return 0;
}

static int check_stack(struct verify *v, const struct verify_window *w, uint64_t bytes,
		       const char *what)
{
	char text[96];

	if (w->lo >= -VERIFY_STACK_BYTES && w->hi <= 0)
		return 0;
	if (w->hi - w->lo == (__int128)bytes)
		return verify_refuse(v, STACK_HINT,
				     "%s of %" PRIu64 " byte%s at r10%+" PRId64
				     " is outside of the stack",
				     what, bytes, bytes == 1 ? "" : "s", (int64_t)w->lo);
	return verify_refuse(v, INDEX_HINT,
			     "%s of %" PRIu64 " byte%s at r10 plus %s can be outside of the stack",
			     what, bytes, bytes == 1 ? "" : "s",
			     window_text(w, bytes, text, sizeof(text)));
}

static int no_memory(struct verify *v, int reg, const char *what)
{
	const struct verify_reg *r = verify_reg(v, reg);
	const char *hint = NULL;
	char text[256];

	if (r->type == VT_MAP)
		hint = "use bpf_map_lookup_elem()";
	else if (r->type == VT_OPAQUE)
		hint = "read what it leads to with BPF_CORE_READ() or bpf_probe_read_kernel()";
	else if (r->type == VT_SCALAR && v->arena_map >= 0)
		hint = "an address in the arena is of type T __attribute__((address_space(1))) *";
	else if (r->type == VT_SCALAR && !v->object->is_plain)
		hint = "read the target's memory with bpf_probe_read_user()";
	else if (r->type == VT_SCALAR && !v->opts->ctx_bytes)
		hint = "the program was given no memory: bpfcc run --mem HEX";
	return verify_refuse(v, hint, "%s goes through r%d, which is %s", what, reg,
			     verify_reg_format(v, r, text, sizeof(text)));
}

/* The whole window may be accessed, and the proof rests on the offset. */
static int access_check(struct verify *v, int reg, int64_t off, uint64_t bytes, uint32_t access,
			const char *what, struct verify_window *ret_window)
{
	struct verify_reg *r = verify_reg(v, reg);
	struct verify_window w = window_of(r, off, bytes);
	int err;

	*ret_window = w;
	if (verify_is_pointer(r) && (r->flags & VF_OR_NULL))
		return verify_refuse(v, "test it first: if (!p) return 0;",
				     "%s goes through r%d, a pointer that may be NULL", what, reg);
	switch (r->type) {
	case VT_STACK:
		/* Attack: a callee's stack, after it has returned. */
		if (r->frame >= v->cur->nr_frames)
			return verify_refuse(v, "return the value itself",
					     "%s goes through the address of a variable of a "
					     "function that has returned", what);
		err = check_stack(v, &w, bytes, what);
		break;
	case VT_CTX:
		err = check_ctx(v, &w, bytes, access, what);
		break;
	case VT_MAP_VALUE:
		err = check_map_value(v, r, off, &w, bytes, access, what);
		break;
	case VT_MAP_KEY:
		if (access & ACCESS_WRITE)
			return verify_refuse(v, NULL, "%s changes a key of a map", what);
		err = check_inside(v, &w, bytes, r->bytes, what, "the map's key");
		break;
	case VT_MEM:
		if ((access & ACCESS_WRITE) && (r->flags & VF_RDONLY))
			return verify_refuse(v, NULL, "%s changes memory that is read-only", what);
		/* Attack: the kernel makes a load of all one of its own; there are no bytes. */
		if ((r->flags & VF_WHOLE) && (w.lo || w.hi != r->bytes || bytes != r->bytes))
			return verify_refuse(v, NULL, "%s is not of all %u bytes of the kernel's "
					     "structure", what, r->bytes);
		err = check_inside(v, &w, bytes, r->bytes, what,
				   r->flags & VF_RECORD ? "the record" : "the memory");
		break;
	case VT_ARENA:
		/* looked at when it is made, and nothing of a proof rests on the address */
		return v->err;
	default:
		return no_memory(v, reg, what);
	}
	return err ? err : v->err;
}

/* ---- loads and stores ---- */

/*
 * Attack: ctx is made by the compiler, register by register as programs read it, and so a load must
 * say which it reads. One that is of ctx on one path and of other memory on another does not. In an arena
 * an access is looked at when it is made, and elsewhere not.
 */
static int check_is_one(struct verify *v, int reg)
{
	struct verify_place *p = &v->walk->places[v->walk->func][v->insn];
	uint8_t type = verify_reg(v, reg)->type;

	p->seen |= type == VT_CTX ? SEEN_CTX : type == VT_ARENA ? SEEN_ARENA : SEEN_OTHER;
	if ((p->seen & SEEN_ARENA) && p->seen != SEEN_ARENA)
		return verify_refuse(v, "access each in an instruction of its own",
				     "the same instruction goes through an arena on one path and "
				     "through other memory on another");
	if (p->seen != (SEEN_CTX | SEEN_OTHER) || v->walk->opts.ctx_kind != BPFCC_CTX_PT_REGS)
		return 0;
	return verify_refuse(v, "read ctx and other memory in instructions of their own",
			     "the same instruction goes through ctx on one path and through other "
			     "memory on another");
}

bool verify_map_is_frozen(const struct bpfcc_map *map)
{
	return map->is_frozen || (map->flags & INLAY_MAP_RODATA);
}

/* A number in memory that nobody can change any more is a constant, as the kernel takes it. */
static bool frozen_number(struct verify *v, const struct verify_reg *r,
			  const struct verify_window *w, uint64_t bytes, uint64_t *ret_value)
{
	const struct bpfcc_map *map;
	uint64_t value = 0;

	if (r->type != VT_MAP_VALUE || (r->flags & VF_INNER) ||
	    w->hi - w->lo != (__int128)bytes)
		return false;
	map = &v->object->maps[r->map];
	if (!verify_map_is_frozen(map) || map->max_entries != 1)
		return false;
	if (map->data)
		memcpy(&value, (const char *)map->data + (int64_t)w->lo, bytes);
	*ret_value = value;
	return true;
}

static void load_result(struct verify *v, const struct bpf_insn *in, const struct verify_reg *src,
			const struct verify_window *w, struct verify_reg *dst)
{
	uint64_t bytes = (uint64_t)bpfcc_insn_bytes(in->code), value;
	bool is_signed = BPF_CLASS(in->code) == BPF_LDX && BPF_MODE(in->code) == BPFCC_MEMSX;
	struct range num = range_of_load((unsigned int)bytes, is_signed);

	if (frozen_number(v, src, w, bytes, &value)) {
		if (is_signed && bytes < 8)
			value = (uint64_t)((int64_t)(value << (64 - 8 * bytes)) >>
					   (64 - 8 * bytes));
		num = range_const(value);
	}
	verify_set_scalar(v, dst, &num, NULL, NULL);
}

/*
 * Kernels let a program look at their struct bpf_map, for what that is worth: numbers. The first
 * members, up to map_type and key_size, are the same in all of them.
 */
#define MAP_LOOK_BYTES 32

static bool is_map_look(struct verify *v, const struct bpf_insn *in, const struct verify_reg *r)
{
	return v->walk->opts.is_kernel_set && r->type == VT_MAP && !(r->flags & VF_OR_NULL) &&
	       in->off >= 0 && in->off + bpfcc_insn_bytes(in->code) <= MAP_LOOK_BYTES &&
	       BPF_CLASS(in->code) == BPF_LDX && BPF_MODE(in->code) == BPF_MEM;
}

int verify_load(struct verify *v, const struct bpf_insn *in)
{
	uint64_t bytes = (uint64_t)bpfcc_insn_bytes(in->code);
	const char *what = BPF_CLASS(in->code) == BPF_STX ? "the atomic load" : "the load";
	struct verify_reg *dst = verify_reg(v, in->dst_reg), src;
	struct verify_window w;
	int err;

	err = verify_read_reg(v, in->src_reg);
	if (!err && is_map_look(v, in, verify_reg(v, in->src_reg))) {
		const struct range num = range_of_load((unsigned int)bytes, false);

		verify_set_scalar(v, dst, &num, NULL, NULL);
		return v->err;
	}
	if (!err)
		err = access_check(v, in->src_reg, in->off, bytes, ACCESS_READ, what, &w);
	if (!err)
		err = check_is_one(v, in->src_reg);
	if (err)
		return err;
	src = *verify_reg(v, in->src_reg);
	if (src.type == VT_STACK)
		return verify_stack_load(v, v->cur->frames[src.frame], &w, bytes,
					 BPF_CLASS(in->code) == BPF_LDX &&
					 BPF_MODE(in->code) == BPFCC_MEMSX, dst);
	load_result(v, in, &src, &w, dst);
	return v->err;
}

/* Attack: a callee's stack is gone when it returns; a pointer to it must not stay behind. */
static int check_lives_long_enough(struct verify *v, const struct verify_reg *to,
				   const struct verify_reg *value)
{
	if (value->type == VT_STACK && value->frame > to->frame)
		return verify_refuse(v, "return the value itself",
				     "the address of a variable of this function is stored in its "
				     "caller's stack, and would outlive it");
	return 0;
}

int verify_store(struct verify *v, const struct bpf_insn *in)
{
	uint64_t bytes = (uint64_t)bpfcc_insn_bytes(in->code);
	bool is_imm = BPF_CLASS(in->code) == BPF_ST;
	const char *what = BPF_CLASS(in->code) == BPF_STX && BPF_MODE(in->code) == BPF_ATOMIC
			       ? "the atomic store" : "the store";
	struct verify_reg value = {.type = VT_UNINIT}, *to;
	struct verify_window w;
	struct range num;
	int err;

	err = verify_read_reg(v, in->dst_reg);
	if (!err && !is_imm)
		err = verify_read_reg(v, in->src_reg);
	if (!err)
		err = access_check(v, in->dst_reg, in->off, bytes, ACCESS_WRITE, what, &w);
	if (!err)
		err = check_is_one(v, in->dst_reg);
	if (err)
		return err;
	to = verify_reg(v, in->dst_reg);
	if (to->type != VT_STACK)
		return 0;
	if (is_imm) {
		num = range_const((uint64_t)(int64_t)in->imm);
		verify_set_scalar(v, &value, &num, NULL, NULL);
	} else {
		verify_give_id(v, verify_reg(v, in->src_reg));
		value = *verify_reg(v, in->src_reg);
		err = check_lives_long_enough(v, to, &value);
	}
	return err ? err : verify_stack_store(v, v->cur->frames[to->frame], &w, bytes, &value);
}

/* Attack: our code assumes alignment of atomics; a misaligned one also locks the whole bus. */
static int check_atomic_alignment(struct verify *v, int reg, int16_t off, uint64_t bytes)
{
	const struct verify_reg *r = verify_reg(v, reg);

	/* looked at when it is made */
	if (r->type == VT_ARENA)
		return 0;
	/* Attack: a slice from the third byte on, by offsets that the helper adds. */
	if (!(r->flags & VF_ODD) &&
	    tnum_is_aligned(tnum_add(r->num.bits, tnum_const((uint64_t)((int64_t)r->off + off))),
			    bytes))
		return 0;
	return verify_refuse(v, r->flags & VF_ODD
			     ? "begin the dynptr and the slice at multiples of 8"
			     : "align the variable",
			     "the atomic operation on %" PRIu64 " bytes is misaligned", bytes);
}

int verify_atomic(struct verify *v, const struct bpf_insn *in)
{
	uint64_t bytes = (uint64_t)bpfcc_insn_bytes(in->code);
	int pointer = in->imm == BPF_LOAD_ACQ ? in->src_reg : in->dst_reg, result;
	struct verify_reg *r, old = {.type = VT_UNINIT};
	struct verify_window w;
	struct range num;
	int err;

	err = verify_read_reg(v, pointer);
	if (err)
		return err;
	r = verify_reg(v, pointer);
	if (r->type == VT_CTX && v->walk->opts.ctx_kind == BPFCC_CTX_PT_REGS)
		return verify_refuse(v, NULL, "an atomic operation on ctx, which is read-only");
	err = check_atomic_alignment(v, pointer, in->off, bytes);
	if (err)
		return err;
	if (in->imm == BPF_LOAD_ACQ)
		return verify_load(v, in);
	if (in->imm == BPF_STORE_REL)
		return verify_store(v, in);
	err = verify_read_reg(v, in->src_reg);
	if (!err && in->imm == BPF_CMPXCHG)
		err = verify_read_reg(v, BPF_REG_0);
	if (!err)
		err = access_check(v, pointer, in->off, bytes, ACCESS_READ | ACCESS_WRITE,
				   "the atomic operation", &w);
	if (!err)
		err = check_is_one(v, pointer);
	if (err)
		return err;
	if (r->type == VT_STACK) {
		struct verify_frame *f = v->cur->frames[r->frame];

		err = verify_stack_load(v, f, &w, bytes, false, &old);
		if (!err)
			err = verify_stack_smear(v, f, &w, false);
		if (err)
			return err;
	}
	if (in->imm != BPF_CMPXCHG && !(in->imm & BPF_FETCH))
		return v->err;
	result = in->imm == BPF_CMPXCHG ? BPF_REG_0 : in->src_reg;
	if (old.type == VT_UNINIT || (old.type != VT_SCALAR && bytes != 8)) {
		num = range_of_load((unsigned int)bytes, false);
		verify_set_scalar(v, &old, &num, NULL, NULL);
	}
	*verify_reg(v, result) = old;
	return v->err;
}

/* ---- helpers ---- */

static int helper_access(struct verify *v, int reg, uint64_t bytes, bool is_exact, uint32_t access,
			 const char *what)
{
	struct verify_window w;
	struct verify_reg *r;
	struct verify_frame *f;
	int err = verify_read_reg(v, reg);

	r = verify_reg(v, reg);
	/* Attack: a helper looks at no page, and goes where the address says. */
	if (!err && r->type == VT_ARENA)
		return verify_refuse(v, "copy what is needed to the stack first",
				     "%s must be memory of the program, not of an arena", what);
	if (!err)
		err = access_check(v, reg, 0, bytes, access & ~(uint32_t)ACCESS_RAW, what, &w);
	if (err)
		return err;
	if ((r->type == VT_CTX && v->walk->opts.ctx_kind == BPFCC_CTX_PT_REGS) ||
	    (r->flags & VF_WHOLE))
		return verify_refuse(v, "copy what is needed to the stack first",
				     "%s must be memory of the program, not %s", what,
				     r->type == VT_CTX ? "ctx" : "the kernel's");
	if (r->type != VT_STACK)
		return 0;
	f = v->cur->frames[r->frame];
	/* bytes that the helper may leave as they are count as read */
	if ((access & ACCESS_READ) || !(access & ACCESS_RAW))
		err = verify_stack_read(v, f, &w);
	if (!err && (access & ACCESS_WRITE))
		err = verify_stack_smear(v, f, &w,
					 is_exact && w.hi - w.lo == (__int128)bytes);
	return err;
}

int verify_helper_memory(struct verify *v, int reg, uint64_t bytes, uint32_t access,
			 const char *what)
{
	if (access & ACCESS_RAW)
		access |= ACCESS_WRITE;
	return helper_access(v, reg, bytes, true, access, what);
}

int verify_helper_memory_sized(struct verify *v, int reg, int size_reg, bool may_be_zero,
			       uint32_t access, const char *what)
{
	struct verify_reg *size = verify_reg(v, size_reg), *r;
	int err = verify_read_reg(v, size_reg);

	if (err)
		return err;
	if (access & ACCESS_RAW)
		access |= ACCESS_WRITE;
	if (size->type != VT_SCALAR)
		return verify_refuse(v, NULL, "the size of %s, r%d, is a pointer", what, size_reg);
	verify_mark_precise(v, size);
	/* Attack: a negative size is a huge one to the helper. */
	if (size->num.smin < 0)
		return verify_refuse(v, "test it: if (size < 0 || size > N) return 0;",
				     "the size of %s, r%d, can be negative", what, size_reg);
	if (size->num.umax > INT32_MAX)
		return verify_refuse(v,
				     "bound it: if (size > sizeof(buffer)) size = sizeof(buffer);",
				     "the size of %s, r%d, is not bounded", what, size_reg);
	if (!may_be_zero && !size->num.umin)
		return verify_refuse(v, "test it: if (!size) return 0;",
				     "the size of %s, r%d, can be 0", what, size_reg);
	r = verify_reg(v, reg);
	err = verify_read_reg(v, reg);
	if (err)
		return err;
	/* a buffer of no bytes is never looked at */
	if (!size->num.umax && r->type == VT_SCALAR && range_is_const(&r->num) && !r->num.umin) {
		verify_mark_precise(v, r);
		return v->err;
	}
	return helper_access(v, reg, size->num.umax, range_is_const(&size->num), access, what);
}
