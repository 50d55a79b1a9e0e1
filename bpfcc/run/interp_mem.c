/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: things that pointers point into, and every access to them. An access must lie inside of
 * what its pointer points into, whatever else may be at that address.
 */
#include <stdlib.h>
#include <string.h>

#include "bpfcc/run/interp_int.h"

/*
 * Marks of a stack byte: part `index` of a pointer into `thing`, or of a dynptr or an iterator. A load of eight
 * bytes that are parts 0 to 7 of one pointer is that pointer; any other load is of numbers.
 */
#define MARK_ITER 0x20u
#define MARK_POINTER 0x40u
#define MARK_DYNPTR 0x80u

static uint64_t mark(uint32_t what, uint32_t flag, uint32_t index)
{
	return (uint64_t)what << 8 | flag | index;
}

static const char *const names[] = {
    [THING_STACK] = "the stack",
    [THING_CTX] = "the context",
    [THING_MAP] = "a map",
    [THING_VALUE] = "a map's value",
    [THING_KEY] = "a map's key",
    [THING_MEM] = "memory",
    [THING_RECORD] = "a ring buffer record",
    [THING_FUNC] = "a function",
    [THING_OPAQUE] = "a kernel object",
    [THING_DYNPTR] = "a dynptr",
    [THING_ARENA] = "an arena",
};

uint32_t interp_thing(struct bpfcc_interp *it, enum thing_kind kind, void *data, uint64_t bytes)
{
	struct thing *t;

	if (it->nr_things == it->max_things) {
		uint32_t max = it->max_things ? 2 * it->max_things : 64;
		struct thing *larger = realloc(it->things, max * sizeof(*larger));

		if (!larger)
			goto no_memory;
		it->things = larger;
		it->max_things = max;
	}
	if (!it->nr_things)
		memset(&it->things[it->nr_things++], 0, sizeof(*t));
	t = &it->things[it->nr_things];
	*t = (struct thing){.kind = kind, .bytes = bytes, .base = it->next_address, .data = data};
	if (!data && bytes) {
		t->data = calloc(1, bytes);
		t->owns_data = true;
		if (!t->data)
			goto no_memory;
	}
	if (kind == THING_STACK) {
		t->is_set = calloc(bytes, sizeof(*t->is_set));
		t->marks = calloc(bytes, sizeof(*t->marks));
		if (!t->is_set || !t->marks) {
			interp_drop(it, it->nr_things);
			goto no_memory;
		}
	}
	/*
	 * Room between things, so that no offset of 32 bits leads from one to the next; each time another one,
	 * or the low bits of every second thing's distance would be the same wherever things lie.
	 */
	it->address_bits = it->address_bits * 6364136223846793005ull + 1442695040888963407ull;
	it->next_address += ((bytes + 7) & ~7ull) + (1ull << 33) +
			    (it->address_bits >> 40 & 0xffff8);
	return it->nr_things++;
no_memory:
	interp_trap(it, BPFCC_TRAP_MEMORY, "out of memory");
	return 0;
}

void interp_drop(struct bpfcc_interp *it, uint32_t thing)
{
	struct thing *t = &it->things[thing];

	t->is_gone = true;
	if (t->owns_data)
		free(t->data);
	free(t->is_set);
	free(t->marks);
	t->data = NULL;
	t->is_set = NULL;
	t->marks = NULL;
}

struct value interp_pointer(struct bpfcc_interp *it, uint32_t thing, uint64_t off)
{
	return (struct value){.num = it->things[thing].base + off, .thing = thing, .is_set = true};
}

static bool is_gone(const struct bpfcc_interp *it, const struct thing *t)
{
	return t->is_gone || (t->parent && is_gone(it, &it->things[t->parent]));
}

/* The bytes, if they are inside. NULL: trapped. *ret_off: where they start in the thing. */
static struct thing *find(struct bpfcc_interp *it, const struct value *address, int64_t off,
			  uint64_t bytes, bool is_write, const char *what, uint64_t *ret_off)
{
	struct thing *t = &it->things[address->thing];
	uint64_t at;

	if (!address->is_set) {
		interp_trap(it, BPFCC_TRAP_UNSET, "%s is through a register that is not set", what);
		return NULL;
	}
	if (!address->thing) {
		interp_trap(it, BPFCC_TRAP_POINTER, "%s is through the number 0x%llx", what,
			    (unsigned long long)address->num);
		return NULL;
	}
	if (is_gone(it, t)) {
		interp_trap(it, BPFCC_TRAP_STALE, "%s is of %s that is gone", what, names[t->kind]);
		return NULL;
	}
	at = address->num + (uint64_t)off - t->base;
	/* a pointer to memory of no bytes points to nothing */
	if (at > t->bytes || bytes > t->bytes - at || !t->data) {
		interp_trap(it, t->bytes ? BPFCC_TRAP_BOUNDS : BPFCC_TRAP_POINTER,
			    "%s of %llu bytes at offset %lld is outside of %s of %llu bytes", what,
			    (unsigned long long)bytes,
			    (long long)(t->kind == THING_STACK ? at - t->bytes : at),
			    names[t->kind], (unsigned long long)t->bytes);
		return NULL;
	}
	if (is_write ? t->is_read_only : t->is_write_only) {
		interp_trap(it, BPFCC_TRAP_READ_ONLY, "%s is of %s that is %s-only", what,
			    names[t->kind], is_write ? "read" : "write");
		return NULL;
	}
	*ret_off = at;
	return t;
}

static int check_alignment(struct bpfcc_interp *it, const struct value *address, int64_t off,
			   unsigned int bytes)
{
	if (it->opts.traps_misaligned && ((address->num + (uint64_t)off) & (bytes - 1)))
		return interp_trap(it, BPFCC_TRAP_ALIGNMENT, "%u bytes at 0x%llx are not aligned",
				   bytes, (unsigned long long)(address->num + (uint64_t)off));
	return 0;
}

/* Bytes that are about to be read; those that others write change. */
static int look(struct bpfcc_interp *it, struct thing *t, uint64_t at, uint64_t bytes)
{
	if (t->is_shared && it->opts.is_wild && !t->is_read_only && interp_random(it) & 1) {
		uint64_t odd = interp_odd_number(it);

		for (uint64_t i = 0; i < bytes; i++)
			t->data[at + i] = (uint8_t)(odd >> i % 8 * 8);
	}
	for (uint64_t i = 0; t->is_set && it->opts.traps_unset_stack && i < bytes; i++)
		if (!t->is_set[at + i])
			return interp_trap(it, BPFCC_TRAP_UNSET,
					   "byte %lld of the stack was never written",
					   (long long)(at + i - t->bytes));
	return 0;
}

static void changed(struct thing *t, uint64_t at, uint64_t bytes)
{
	if (t->is_set)
		memset(&t->is_set[at], 1, bytes);
	if (t->marks)
		memset(&t->marks[at], 0, bytes * sizeof(*t->marks));
}

/* the thing that eight marks in a row are a pointer into; 0: none */
static uint32_t pointer_at(const struct thing *t, uint64_t at)
{
	uint32_t what;

	if (!t->marks)
		return 0;
	what = (uint32_t)(t->marks[at] >> 8);
	for (uint32_t i = 0; i < 8; i++)
		if (t->marks[at + i] != mark(what, MARK_POINTER, i))
			return 0;
	return what;
}

static bool is_in_arena(const struct bpfcc_interp *it, const struct value *address)
{
	return address->is_set && address->thing &&
	       it->things[address->thing].kind == THING_ARENA;
}

/* What is not there reads as 0. */
static void arena_load(struct bpfcc_interp *it, const struct value *address, int64_t off,
		       unsigned int bytes, uint64_t *ret)
{
	uint8_t *data = interp_arena_at(it, address, off, bytes);
	uint64_t odd;

	if (data && it->opts.is_wild && interp_random(it) & 1) {
		odd = interp_odd_number(it);
		memcpy(data, &odd, bytes);
	}
	if (data)
		memcpy(ret, data, bytes);
}

int interp_load(struct bpfcc_interp *it, const struct value *address, int64_t off,
		unsigned int bytes, bool is_signed, struct value *ret)
{
	uint64_t at, num = 0, sign = (uint64_t)1 << (bytes * 8 - 1);
	struct thing *t = NULL;

	if (is_in_arena(it, address)) {
		arena_load(it, address, off, bytes, &num);
	} else {
		t = find(it, address, off, bytes, false, "a load", &at);
		if (!t || check_alignment(it, address, off, bytes) || look(it, t, at, bytes))
			return -EFAULT;
		memcpy(&num, &t->data[at], bytes);
	}
	if (is_signed)
		num = (num ^ sign) - sign;
	*ret = interp_number(num);
	if (t && bytes == 8)
		ret->thing = pointer_at(t, at);
	return 0;
}

int interp_store(struct bpfcc_interp *it, const struct value *address, int64_t off,
		 unsigned int bytes, const struct value *value)
{
	struct thing *t;
	uint8_t *data;
	uint64_t at;

	if (is_in_arena(it, address)) {
		data = interp_arena_at(it, address, off, bytes);
		if (data)
			memcpy(data, &value->num, bytes);
		return 0;
	}
	t = find(it, address, off, bytes, true, "a store", &at);
	if (!t || check_alignment(it, address, off, bytes))
		return -EFAULT;
	memcpy(&t->data[at], &value->num, bytes);
	changed(t, at, bytes);
	for (uint32_t i = 0; t->marks && value->thing && bytes == 8 && i < 8; i++)
		t->marks[at + i] = mark(value->thing, MARK_POINTER, i);
	return 0;
}

static bool combine(int32_t op, uint64_t old, uint64_t operand, uint64_t *ret)
{
	switch (op & ~BPF_FETCH) {
	case BPF_ADD:
		*ret = old + operand;
		return true;
	case BPF_OR:
		*ret = old | operand;
		return true;
	case BPF_AND:
		*ret = old & operand;
		return true;
	case BPF_XOR:
		*ret = old ^ operand;
		return true;
	default:
		*ret = operand;
		return op == BPF_XCHG || op == BPF_CMPXCHG;
	}
}

/* True also of what is in no arena. */
static bool is_aligned_in_arena(const struct bpfcc_interp *it, const struct value *address,
				int64_t off, unsigned int bytes)
{
	return !is_in_arena(it, address) ||
	       (((address->num + (uint64_t)off) & (bytes - 1)) == 0 &&
		interp_arena_at(it, address, off, bytes));
}

int interp_atomic(struct bpfcc_interp *it, const struct bpf_insn *in)
{
	struct value *regs = it->frame->regs, *dst = &regs[in->dst_reg], *src = &regs[in->src_reg];
	unsigned int bytes = (unsigned int)bpfcc_insn_bytes(in->code);
	struct value old, expected, now;
	uint64_t mask = ~(uint64_t)0 >> (64 - bytes * 8);

	if (in->imm == BPF_LOAD_ACQ) {
		if (!is_aligned_in_arena(it, src, in->off, bytes)) {
			*dst = interp_number(0);
			return 0;
		}
		return interp_load(it, src, in->off, bytes, false, dst);
	}
	if (!src->is_set)
		return interp_trap(it, BPFCC_TRAP_UNSET, "r%d is not set", in->src_reg);
	/* not made: registers stay as they are; of 4 bytes, the low half */
	if (!is_aligned_in_arena(it, dst, in->off, bytes)) {
		if (in->imm == BPF_CMPXCHG)
			src = &regs[0];
		if (in->imm != BPF_STORE_REL && (in->imm & BPF_FETCH) && bytes < 8 && src->is_set)
			*src = interp_number(src->num & mask);
		return 0;
	}
	if (in->imm == BPF_STORE_REL)
		return interp_store(it, dst, in->off, bytes, src);
	if (interp_load(it, dst, in->off, bytes, false, &old))
		return -EFAULT;
	now = interp_number(0);
	if (!combine(in->imm, old.num, src->num & mask, &now.num))
		return interp_trap(it, BPFCC_TRAP_UNKNOWN, "atomic operation 0x%x", in->imm);
	if (in->imm == BPF_XCHG)
		now.thing = src->thing;
	if (in->imm == BPF_CMPXCHG) {
		expected = regs[0];
		if (!expected.is_set)
			return interp_trap(it, BPFCC_TRAP_UNSET, "r0 is not set");
		if (old.num != (expected.num & mask))
			now = old;
		else
			now.thing = src->thing;
	}
	/* also where a comparison fails: the memory must be writable */
	if (interp_store(it, dst, in->off, bytes, &now))
		return -EFAULT;
	if (in->imm == BPF_CMPXCHG)
		regs[0] = old;
	else if (in->imm & BPF_FETCH)
		*src = old;
	return 0;
}

int interp_memory(struct bpfcc_interp *it, const struct value *address, uint64_t bytes,
		  bool is_write, const char *what, uint8_t **ret_data)
{
	uint64_t at;
	struct thing *t = find(it, address, 0, bytes, is_write, what, &at);

	if (!t || (!is_write && look(it, t, at, bytes)))
		return -EFAULT;
	if (is_write)
		changed(t, at, bytes);
	*ret_data = &t->data[at];
	return 0;
}

/* Bytes of the stack that become something else than numbers: number `what` of its kind. */
static int put_special(struct bpfcc_interp *it, const struct value *address, uint32_t bytes,
		       uint32_t what, uint32_t flag, const char *name)
{
	uint64_t at;
	struct thing *t = find(it, address, 0, bytes, true, name, &at);

	if (!t)
		return -EFAULT;
	if (t->kind != THING_STACK || at % 8)
		return interp_trap(it, BPFCC_TRAP_ARGUMENT, "%s is %u aligned bytes of stack", name,
				   bytes);
	changed(t, at, bytes);
	for (uint32_t i = 0; i < bytes; i++)
		t->marks[at + i] = mark(what, flag, i);
	return 0;
}

static int get_special(struct bpfcc_interp *it, const struct value *address, uint32_t bytes,
		       uint32_t *ret_what, uint32_t flag, const char *name)
{
	uint64_t at;
	struct thing *t = find(it, address, 0, bytes, false, name, &at);

	if (!t)
		return -EFAULT;
	*ret_what = t->marks ? (uint32_t)(t->marks[at] >> 8) : 0;
	for (uint32_t i = 0; i < bytes; i++)
		if (!t->marks || t->marks[at + i] != mark(*ret_what, flag, i))
			return interp_trap(it, BPFCC_TRAP_ARGUMENT, "these bytes are not %s", name);
	return 0;
}

int interp_put_dynptr(struct bpfcc_interp *it, const struct value *address, uint32_t dynptr)
{
	return put_special(it, address, DYNPTR_BYTES, dynptr, MARK_DYNPTR, "a dynptr");
}

int interp_get_dynptr(struct bpfcc_interp *it, const struct value *address, uint32_t *ret_dynptr)
{
	struct thing *t = &it->things[address->thing];

	if (address->is_set && address->thing && t->kind == THING_DYNPTR && !is_gone(it, t)) {
		*ret_dynptr = t->dynptr;
		return 0;
	}
	if (get_special(it, address, DYNPTR_BYTES, ret_dynptr, MARK_DYNPTR, "a dynptr"))
		return -EFAULT;
	if (!it->dynptrs[*ret_dynptr].is_live)
		return interp_trap(it, BPFCC_TRAP_STALE, "the dynptr was given back");
	return 0;
}

int interp_put_iter(struct bpfcc_interp *it, const struct value *address, uint32_t iter)
{
	return put_special(it, address, ITER_BYTES, iter, MARK_ITER, "an iterator");
}

int interp_get_iter(struct bpfcc_interp *it, const struct value *address, uint32_t *ret_iter)
{
	return get_special(it, address, ITER_BYTES, ret_iter, MARK_ITER, "an iterator");
}

int interp_end_iter(struct bpfcc_interp *it, const struct value *address)
{
	uint64_t at;
	struct thing *t = find(it, address, 0, ITER_BYTES, true, "an iterator", &at);

	if (!t)
		return -EFAULT;
	changed(t, at, ITER_BYTES);
	return 0;
}
