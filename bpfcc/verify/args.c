/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments of helpers, by their kinds in rt/helpers.def. What a helper reads or writes through a
 * pointer is an access of the program.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bpfcc/verify/call.h"

const char *verify_arg_name(int arg)
{
	static const char *const names[] = {"the first argument", "the second argument",
					    "the third argument", "the fourth argument",
					    "the fifth argument"};

	return names[arg];
}

bool verify_is_number(struct verify *v, struct verify_reg *r, uint64_t value)
{
	if (r->type != VT_SCALAR || !range_is_const(&r->num) || r->num.umin != value)
		return false;
	verify_mark_precise(v, r);
	return true;
}

int verify_refuse_arg(struct verify *v, const struct verify_call *c, int arg, const char *hint,
		      const char *must)
{
	char is[256];

	return verify_refuse(v, hint, "%s of %s must be %s, and r%d is %s", verify_arg_name(arg),
			     c->name, must, arg + 1,
			     verify_reg_format(v, verify_arg(v, arg), is, sizeof(is)));
}

/* ---- maps ---- */

static int map_arg(struct verify *v, struct verify_call *c, int arg)
{
	const struct verify_reg *r = verify_arg(v, arg);

	/* Attack: a number that passes for a map is called through. */
	if (r->type != VT_MAP)
		return verify_refuse_arg(v, c, arg, "pass the address of a map: &my_map", "a map");
	if (r->flags & VF_OR_NULL)
		return verify_refuse(v, "test it first: if (!inner) return 0;",
				     "%s of %s, an inner map, may be NULL", verify_arg_name(arg),
				     c->name);
	c->map = verify_map_of(v, r);
	if (!c->map)
		return verify_refuse(v, NULL, "nothing is known of the inner maps of \"%s\"",
				     v->object->maps[r->map].name);
	c->map_reg = *r;
	c->has_map = true;
	return verify_map_rules(v, c);
}

static int key_arg(struct verify *v, struct verify_call *c, int arg)
{
	char what[160];
	int err;

	snprintf(what, sizeof(what), "the key of map \"%s\"", c->map->name);
	err = verify_helper_memory(v, arg + 1, c->map->key_size, ACCESS_READ, what);
	if (err)
		return err;
	if ((c->map->type == BPF_MAP_TYPE_ARRAY || c->map->type == BPF_MAP_TYPE_PERCPU_ARRAY) &&
	    c->map->key_size == sizeof(c->key) &&
	    verify_constant_key(v, verify_arg(v, arg), &c->key)) {
		const struct verify_reg *r = verify_arg(v, arg);

		c->is_key_known = true;
		c->key_off = (int32_t)verify_known_off(r);
		c->key_frame = r->frame;
	}
	return 0;
}

static int value_arg(struct verify *v, struct verify_call *c, int arg)
{
	uint32_t access = ACCESS_READ;
	char what[160];

	if (c->helper->args[arg] == BPFCC_ARG_VALUE_OR_NULL &&
	    verify_is_number(v, verify_arg(v, arg), 0))
		return 0;
	/* a bloom filter is asked for a value */
	if (c->helper->args[arg] == BPFCC_ARG_VALUE_W && c->map->type != BPF_MAP_TYPE_BLOOM_FILTER)
		access = ACCESS_WRITE | ACCESS_RAW;
	snprintf(what, sizeof(what), "the value for map \"%s\"", c->map->name);
	return verify_helper_memory(v, arg + 1, c->map->value_size, access, what);
}

/* ---- memory ---- */

static int memory_arg(struct verify *v, struct verify_call *c, int arg)
{
	enum bpfcc_arg kind = c->helper->args[arg];
	bool may_be_zero = c->helper->args[arg + 1] == BPFCC_ARG_SIZE0;
	uint32_t access = ACCESS_READ;
	char what[96];
	int err;

	if (kind == BPFCC_ARG_MEM_W || kind == BPFCC_ARG_MEM_W_OR_NULL)
		access = ACCESS_WRITE | ACCESS_RAW;
	else if (kind == BPFCC_ARG_MEM_RW)
		access = ACCESS_READ | ACCESS_WRITE;
	snprintf(what, sizeof(what), "the buffer of %s", c->name);
	err = verify_helper_memory_sized(v, arg + 1, arg + 2, may_be_zero, access, what);
	if (!err)
		c->max_bytes = verify_arg(v, arg + 1)->num.umax;
	/* Attack: a slice of a map's value outlives what it is a slice of; the stack of a function
	 * does not live long enough, and a record may be gone. */
	if (!err && c->helper->id == BPF_FUNC_dynptr_from_mem &&
	    verify_arg(v, arg)->type != VT_MAP_VALUE)
		return verify_refuse_arg(v, c, arg, NULL, "memory in a map's value");
	return err;
}

static int long_arg(struct verify *v, struct verify_call *c, int arg)
{
	char what[96];

	snprintf(what, sizeof(what), "the result of %s", c->name);
	return verify_helper_memory(v, arg + 1, 8, ACCESS_WRITE | ACCESS_RAW, what);
}

/* The size of memory that is handed out: it must be known to bound what the program does to it. */
static int alloc_arg(struct verify *v, struct verify_call *c, int arg)
{
	struct verify_reg *r = verify_arg(v, arg);

	if (r->type != VT_SCALAR || !range_is_const(&r->num))
		return verify_refuse_arg(v, c, arg, "use sizeof", "a constant size");
	verify_mark_precise(v, r);
	c->alloc_bytes = r->num.umin;
	return 0;
}

/* What a dynptr in pieces would be copied to. None here is, so that the bytes stay as they are. */
static int buffer_arg(struct verify *v, struct verify_call *c, int arg)
{
	char what[96];
	int err;

	if (verify_is_number(v, verify_arg(v, arg), 0))
		return 0;
	err = verify_read_reg(v, arg + 2);
	if (!err)
		err = alloc_arg(v, c, arg + 1);
	snprintf(what, sizeof(what), "the buffer of %s", c->name);
	return err ? err : verify_helper_memory(v, arg + 1, (uint32_t)c->alloc_bytes, ACCESS_WRITE,
						what);
}

/* Attack: a string that somebody changes after its end was found has no end. */
static int string_arg(struct verify *v, struct verify_call *c, int arg)
{
	const struct verify_reg *r = verify_arg(v, arg);
	const struct bpfcc_map *map;
	const char *end = NULL;
	int64_t off;

	if (r->type != VT_MAP_VALUE || (r->flags & (VF_OR_NULL | VF_INNER)))
		return verify_refuse_arg(v, c, arg, "static const char text[] = \"...\";",
					 "a constant string");
	map = &v->object->maps[r->map];
	if (!map->is_frozen || !(map->map_flags & BPF_F_RDONLY_PROG))
		return verify_refuse_arg(v, c, arg, "static const char text[] = \"...\";",
					 "a string that cannot change");
	if (!range_is_const(&r->num))
		return verify_refuse_arg(v, c, arg, NULL, "a string at a known place");
	off = verify_known_off(r);
	if (off >= 0 && off < (int64_t)map->value_size && map->data)
		end = memchr((const char *)map->data + off, 0, (size_t)(map->value_size - off));
	else if (off >= 0 && off < (int64_t)map->value_size)
		end = ""; /* nothing but zeros */
	if (!end)
		return verify_refuse_arg(v, c, arg, NULL, "a string that ends with a NUL");
	c->text = map->data ? (const char *)map->data + off : "";
	c->text_bytes = map->data ? (uint32_t)(end - c->text) + 1 : 1;
	return 0;
}

/* bpf_snprintf(): a format that cannot work is a mistake that shows here already. */
static int format_arg(struct verify *v, const struct verify_call *c)
{
	struct verify_reg *size = verify_arg(v, 4);
	const char *problem = NULL;

	/* its size is the helper's to look at where it is not one number */
	if (!range_is_const(&size->num))
		return 0;
	if (size->num.umin % 8)
		return verify_refuse_arg(v, c, 4, "arguments are numbers of 64 bits: use an array of __u64",
					 "a multiple of 8");
	problem = verify_format_problem(c->text, size->num.umin / 8);
	if (problem)
		return verify_refuse(v, "%d %i %u %x with l or ll, %c, %s, %p, %pks %pus %pB %pI4 ... are "
					"known", "the format of %s, \"%s\": %s", c->name, c->text, problem);
	return 0;
}

/* ---- the target, ctx ---- */

static bool is_whole_ctx(const struct verify_reg *r)
{
	return r->type == VT_CTX && !r->off && range_is_const(&r->num) && !r->num.umin;
}

static int ctx_arg(struct verify *v, struct verify_call *c, int arg)
{
	struct verify_reg *r = verify_arg(v, arg);

	if (is_whole_ctx(r))
		return 0;
	if ((c->helper->flags & BPFCC_HELPER_F_CTX_NULL) && verify_is_number(v, r, 0))
		return 0;
	/* a program that is run without memory was given 0, and hands it on */
	if (v->object->is_plain && !v->opts->ctx_bytes && c->helper->id == BPF_FUNC_tail_call &&
	    verify_is_number(v, r, 0))
		return 0;
	return verify_refuse_arg(v, c, arg, NULL, "the program's ctx, as it was given");
}

/*
 * BPF_CORE_READ(ctx, member) and PT_REGS_PARM1_CORE(ctx): bpf_probe_read_kernel() of a part of ctx.
 * The lowering makes loads of it, and so must know which. Elsewhere the kernel reads user memory
 * only, where ctx is not.
 */
static int ctx_read(struct verify *v, const struct verify_call *c, int arg)
{
	struct verify_reg *r = verify_arg(v, arg), *size = verify_arg(v, 1);
	int64_t off = verify_known_off(r);

	if (v->opts->is_kernel_set || v->opts->ctx_kind != BPFCC_CTX_PT_REGS)
		return 0;
	if (c->helper->id != BPF_FUNC_probe_read_kernel && c->helper->id != BPF_FUNC_probe_read)
		return verify_refuse(v, "read ctx directly, or with bpf_probe_read_kernel()",
				     "%s reads the target's memory, and %s is the program's ctx",
				     c->name, verify_arg_name(arg));
	if (!range_is_const(&r->num) || !range_is_const(&size->num))
		return verify_refuse(v, "read one member at a time",
				     "%s of ctx needs a constant offset and size", c->name);
	if (off < 0 || off > v->opts->ctx_bytes ||
	    size->num.umin > v->opts->ctx_bytes - (uint64_t)off)
		return verify_refuse(v, NULL,
				     "%s of %" PRIu64 " bytes at ctx%+" PRId64
				     " is outside of struct pt_regs",
				     c->name, size->num.umin, off);
	return 0;
}

/* ---- what must be given back ---- */

static int record_arg(struct verify *v, struct verify_call *c, int arg)
{
	const struct verify_reg *r = verify_arg(v, arg);

	if (r->type != VT_MEM || !(r->flags & VF_RECORD))
		return verify_refuse_arg(v, c, arg, NULL, "a ring buffer record");
	if (r->flags & VF_OR_NULL)
		return verify_refuse(v, "test it first: if (!record) return 0;",
				     "%s of %s may be NULL", verify_arg_name(arg), c->name);
	/* Attack: the header of a record is before it; at another address something else is taken for
	 * the header. */
	if (r->off || !range_is_const(&r->num) || r->num.umin)
		return verify_refuse(v, "pass what bpf_ringbuf_reserve() returned",
				     "%s of %s is not the beginning of the record",
				     verify_arg_name(arg), c->name);
	c->release = r->ref;
	return 0;
}

/* ---- all of them ---- */

static int one_arg(struct verify *v, struct verify_call *c, int arg)
{
	struct verify_reg *r = verify_arg(v, arg);

	switch (c->helper->args[arg]) {
	case BPFCC_ARG_MAP:
		return map_arg(v, c, arg);
	case BPFCC_ARG_KEY:
		return key_arg(v, c, arg);
	case BPFCC_ARG_VALUE:
	case BPFCC_ARG_VALUE_OR_NULL:
	case BPFCC_ARG_VALUE_W:
		return value_arg(v, c, arg);
	case BPFCC_ARG_MEM_R:
	case BPFCC_ARG_MEM_W:
	case BPFCC_ARG_MEM_RW:
	case BPFCC_ARG_MEM_R_OR_NULL:
	case BPFCC_ARG_MEM_W_OR_NULL:
		return memory_arg(v, c, arg);
	case BPFCC_ARG_BUFFER_OR_NULL:
		return buffer_arg(v, c, arg);
	case BPFCC_ARG_ALLOC_SIZE:
		return alloc_arg(v, c, arg);
	case BPFCC_ARG_LONG_OUT:
		return long_arg(v, c, arg);
	case BPFCC_ARG_CONST_STR:
		return string_arg(v, c, arg);
	case BPFCC_ARG_ADDR:
		return r->type == VT_CTX ? ctx_read(v, c, arg) : 0;
	case BPFCC_ARG_CTX:
		return ctx_arg(v, c, arg);
	case BPFCC_ARG_FUNC:
		/* Attack: a number that passes for a function is jumped to. */
		return r->type == VT_FUNC ? 0 : verify_refuse_arg(v, c, arg, NULL, "a function");
	case BPFCC_ARG_CALLBACK_CTX:
		if (r->type == VT_STACK || verify_is_number(v, r, 0))
			return 0;
		return verify_refuse_arg(v, c, arg, "put it into a variable of the function",
					 "an address on the stack, or NULL");
	case BPFCC_ARG_RECORD:
		return record_arg(v, c, arg);
	case BPFCC_ARG_DYNPTR:
	case BPFCC_ARG_DYNPTR_RECORD:
		return verify_dynptr_use(v, c, arg);
	case BPFCC_ARG_DYNPTR_NEW:
	case BPFCC_ARG_DYNPTR_RECORD_NEW:
	case BPFCC_ARG_DYNPTR_CLONE:
		return 0; /* made after all arguments are looked at */
	case BPFCC_ARG_ITER_NEW:
		return verify_iter_new(v, c, arg);
	case BPFCC_ARG_ITER:
	case BPFCC_ARG_ITER_END:
		return verify_iter_use(v, c, arg);
	case BPFCC_ARG_SPIN_LOCK:
		return verify_lock_arg(v, c, arg);
	case BPFCC_ARG_OBJECT:
		if (r->type == VT_OPAQUE && !(r->flags & VF_OR_NULL))
			return 0;
		return verify_refuse_arg(v, c, arg, NULL, "a kernel object");
	case BPFCC_ARG_NEVER:
		return verify_refuse(v, NULL, "%s is not for probes: %s cannot be had here", c->name,
				     verify_arg_name(arg));
	case BPFCC_ARG_SIZE:	/* with the argument before it */
	case BPFCC_ARG_SIZE0:
	case BPFCC_ARG_SCALAR:
	case BPFCC_ARG_NONE:
		break;
	}
	return 0;
}

int verify_args(struct verify *v, struct verify_call *c)
{
	const struct bpfcc_helper *helper = c->helper;

	for (int arg = 0; arg < (int)helper->nr_args; arg++) {
		bool is_optional = (helper->flags & BPFCC_HELPER_F_VARIADIC_SCALARS) &&
				   helper->args[arg] == BPFCC_ARG_SCALAR;
		int err;

		if (is_optional) {
			verify_use_mark(v, verify_arg(v, arg)->use, USE_READ);
			continue;
		}
		err = verify_read_reg(v, arg + 1);
		if (!err)
			err = one_arg(v, c, arg);
		if (err)
			return err;
	}
	if (helper->id == BPF_FUNC_snprintf && format_arg(v, c))
		return v->err ? v->err : -EINVAL;
	/* memory for a dynptr may be an output of the same helper's: in the order of the helper */
	for (int arg = 0; arg < (int)helper->nr_args; arg++) {
		int err = 0;

		if (helper->args[arg] == BPFCC_ARG_DYNPTR_NEW ||
		    helper->args[arg] == BPFCC_ARG_DYNPTR_RECORD_NEW)
			err = verify_dynptr_new(v, c, arg);
		else if (helper->args[arg] == BPFCC_ARG_DYNPTR_CLONE)
			err = verify_dynptr_clone(v, c, arg);
		if (err)
			return err;
	}
	return 0;
}
