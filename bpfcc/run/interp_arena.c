/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: a page table and pages of the interpreter's own. A register that holds an address in one
 * points into a thing of no bytes; an access is of the low 32 bits of the number, and is made or not
 * made by the page table alone, as programs are told (docs/maps.md).
 */
#include <stdlib.h>
#include <string.h>

#include "bpfcc/helpers.h"
#include "bpfcc/run/interp_int.h"

#define MAX_PAGES (1u << 14)

bool interp_is_arena(const struct bpfcc_map *map)
{
	return map->type == BPFCC_MAP_TYPE_ARENA;
}

int interp_arena_init(struct bpfcc_interp *it, uint32_t instance)
{
	const struct bpfcc_map *map = it->instances[instance].map;
	struct arena *a;
	uint32_t thing;

	if (map->max_entries > MAX_PAGES)
		return interp_trap(it, BPFCC_TRAP_UNKNOWN, "map '%s' is too large", map->name);
	thing = interp_thing(it, THING_ARENA, NULL, 0);
	if (!thing)
		return -EFAULT;
	it->things[thing].instance = instance;
	a = calloc(1, sizeof(*a));
	it->instances[instance].arena = a;
	if (a) {
		a->thing = thing;
		a->is_live = calloc(map->max_entries + 1, sizeof(*a->is_live));
		a->data = calloc(map->max_entries + 1, INLAY_PAGE_BYTES);
	}
	if (!a || !a->is_live || !a->data)
		return interp_trap(it, BPFCC_TRAP_MEMORY, "out of memory");
	a->next = (map->arena_bytes + INLAY_PAGE_BYTES - 1) / INLAY_PAGE_BYTES;
	memset(a->is_live, true, a->next);
	if (map->arena_bytes)
		memcpy(a->data, map->arena_data, map->arena_bytes);
	return 0;
}

void interp_arena_fini(struct instance *in)
{
	if (!in->arena)
		return;
	free(in->arena->is_live);
	free(in->arena->data);
	free(in->arena);
}

/* ---- which one ---- */

/* An arena that the function, or what it calls, refers to; the verifier has seen to it that it is
 * the only one. -1: none. */
static int find_arena(const struct bpfcc_interp *it, uint32_t index, uint32_t depth)
{
	const struct bpfcc_func *f = &it->object->funcs[index];
	int found = -1;

	for (uint32_t i = 0; i < f->nr_insns && found < 0; i++) {
		const struct bpf_insn *in = &f->insns[i];
		uint32_t imm = (uint32_t)in->imm;
		bool is_call = bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL;

		if (bpfcc_insn_is_lddw(in)) {
			i++;
			is_call = in->src_reg == BPF_PSEUDO_FUNC;
			if ((in->src_reg == BPF_PSEUDO_MAP_FD ||
			     in->src_reg == BPF_PSEUDO_MAP_VALUE) && imm < it->object->nr_maps &&
			    interp_is_arena(&it->object->maps[imm]))
				found = (int)imm;
		}
		if (is_call && imm < it->object->nr_funcs && depth < MAX_FRAMES)
			found = find_arena(it, imm, depth + 1);
	}
	return found;
}

int interp_arena_of(const struct bpfcc_interp *it, uint32_t func)
{
	for (uint32_t i = 0; i < it->object->nr_maps; i++)
		if (interp_is_arena(&it->object->maps[i]))
			return find_arena(it, func, 0);
	return -1;
}

/* ---- instructions ---- */

int interp_cast(struct bpfcc_interp *it, const struct bpf_insn *in)
{
	uint64_t low = (uint32_t)it->frame->regs[in->src_reg].num, high = 0;
	struct value *dst = &it->frame->regs[in->dst_reg];
	const struct bpfcc_map *map;

	if (it->frame->arena < 0)
		return interp_trap(it, BPFCC_TRAP_POINTER, "a cast to an arena, and there is none");
	map = it->instances[it->frame->arena].map;
	if (low && in->imm == BPFCC_CAST_USER && !(map->map_flags & BPFCC_F_NO_USER_CONV))
		high = map->map_extra >> 32 << 32;
	*dst = interp_number(high | low);
	if (in->imm == BPFCC_CAST_KERN)
		dst->thing = it->instances[it->frame->arena].arena->thing;
	return 0;
}

/* What arithmetic has left of an address is one again, of 32 bits. */
void interp_arena_result(const struct bpfcc_interp *it, const struct bpf_insn *in, uint32_t was,
			 struct value *dst)
{
	uint8_t op = BPF_OP(in->code);

	if (!was || it->things[was].kind != THING_ARENA || op == BPF_MOV || op == BPF_NEG ||
	    op == BPF_END)
		return;
	dst->thing = was;
	dst->num = (uint32_t)dst->num;
}

uint8_t *interp_arena_at(const struct bpfcc_interp *it, const struct value *address, int64_t off,
			 unsigned int bytes)
{
	const struct instance *in = &it->instances[it->things[address->thing].instance];
	uint64_t at = (uint64_t)(uint32_t)address->num + (uint64_t)off -
		      (uint32_t)in->map->map_extra;
	uint64_t size = (uint64_t)in->map->max_entries * INLAY_PAGE_BYTES;

	if (at >= size || at + bytes > size || !in->arena->is_live[at / INLAY_PAGE_BYTES] ||
	    !in->arena->is_live[(at + bytes - 1) / INLAY_PAGE_BYTES])
		return NULL;
	return in->arena->data + at;
}

/* ---- bpf_arena_alloc_pages(), bpf_arena_free_pages() ---- */

static bool is_free(const struct arena *a, uint32_t page, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (a->is_live[page + i])
			return false;
	return true;
}

static int64_t search(const struct arena *a, uint32_t all, uint32_t nr)
{
	for (uint32_t i = 0; i < all; i++) {
		uint32_t page = (a->next + i) % all;

		if (nr <= all - page && is_free(a, page, nr))
			return page;
	}
	return -1;
}

static uint64_t alloc_pages(const struct bpfcc_map *map, struct arena *a, uint64_t address,
			    uint32_t nr, uint64_t flags)
{
	int64_t page = (uint32_t)(address - map->map_extra) / INLAY_PAGE_BYTES;

	if (flags || !nr || nr > map->max_entries)
		return 0;
	if (!address) {
		page = search(a, map->max_entries, nr);
		if (page >= 0)
			a->next = (uint32_t)page + nr;
	} else if (address % INLAY_PAGE_BYTES || page > map->max_entries - nr ||
		   !is_free(a, (uint32_t)page, nr)) {
		page = -1;
	}
	if (page < 0)
		return 0;
	memset(a->is_live + page, true, nr);
	memset(a->data + page * INLAY_PAGE_BYTES, 0, (size_t)nr * INLAY_PAGE_BYTES);
	return map->map_extra + (uint64_t)page * INLAY_PAGE_BYTES;
}

static void free_pages(const struct bpfcc_map *map, struct arena *a, uint64_t address, uint32_t nr)
{
	uint32_t page = (uint32_t)(address - map->map_extra) / INLAY_PAGE_BYTES;

	if (!address || !nr || page >= map->max_entries)
		return;
	if (nr > map->max_entries - page)
		nr = map->max_entries - page;
	memset(a->is_live + page, false, nr);
	if (a->next > page)
		a->next = page;
}

int interp_arena_kfunc(struct bpfcc_interp *it, const struct bpfcc_helper *kfunc,
		       const struct arg args[5])
{
	const struct instance *in = &it->instances[args[0].instance];
	bool is_alloc = kfunc->kfunc == BPFCC_KFUNC_bpf_arena_alloc_pages;

	if (!in->arena)
		return interp_trap(it, BPFCC_TRAP_ARGUMENT, "%s takes an arena", kfunc->name);
	it->frame->regs[0] = (struct value){0};
	/* nothing holds a program back that others share the arena with */
	if (is_alloc && it->opts.is_wild && interp_random(it) % 8 == 0)
		it->frame->regs[0] = interp_number(0);
	else if (is_alloc)
		it->frame->regs[0] =
		    interp_number(alloc_pages(in->map, in->arena, args[1].v.num,
					      (uint32_t)args[2].v.num, args[4].v.num));
	else
		free_pages(in->map, in->arena, args[1].v.num, (uint32_t)args[2].v.num);
	return 0;
}
