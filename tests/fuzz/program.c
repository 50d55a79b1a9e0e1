/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs from bytes, and the maps that they use.
 */
#include <stdlib.h>

#include "bpfcc/arena.h"
#include "bpfcc/helpers.h"
#include "bpfcc/isa.h"
#include "bpfcc/loader.h"
#include "tests/fuzz/fuzz.h"

static const uint64_t constants[4] = {1, 0x0000000500000003ull, UINT64_MAX, 40};
static const struct bpfcc_map inner = {.name = "inner", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
				       .value_size = 16, .max_entries = 8};

static const struct bpfcc_map maps[] = {
	{.name = "array", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 48,
	 .max_entries = 4},
	{.name = "hash", .type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 24,
	 .max_entries = 16},
	{.name = "percpu_array", .type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4,
	 .value_size = 8, .max_entries = 64},
	{.name = "percpu_hash", .type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 4,
	 .value_size = 16, .max_entries = 8},
	{.name = ".rodata", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
	 .value_size = sizeof(constants), .max_entries = 1, .map_flags = BPF_F_RDONLY_PROG,
	 .flags = INLAY_MAP_RODATA, .is_frozen = true, .data = constants},
	{.name = ".bss", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 264,
	 .max_entries = 1, .flags = INLAY_MAP_GLOBAL},
	{.name = "ringbuf", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
	{.name = "stack", .type = BPF_MAP_TYPE_STACK, .value_size = 16, .max_entries = 4},
	{.name = "progs", .type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4,
	 .max_entries = 4},
	{.name = "outer", .type = BPF_MAP_TYPE_HASH_OF_MAPS, .key_size = 4, .value_size = 4,
	 .max_entries = 4, .inner = &inner},
	{.name = "traces", .type = BPF_MAP_TYPE_STACK_TRACE, .key_size = 4,
	 .value_size = 80, .max_entries = 16},
	{.name = "events", .type = BPF_MAP_TYPE_PERF_EVENT_ARRAY, .key_size = 4,
	 .value_size = 4, .max_entries = 8},
	{.name = "lru", .type = BPF_MAP_TYPE_LRU_HASH, .key_size = 8, .value_size = 40,
	 .max_entries = 16},
	{.name = "queue", .type = BPF_MAP_TYPE_QUEUE, .value_size = 8, .max_entries = 4},
	{.name = "trie", .type = BPF_MAP_TYPE_LPM_TRIE, .key_size = 8, .value_size = 16,
	 .max_entries = 8, .map_flags = BPF_F_NO_PREALLOC},
	{.name = "bloom", .type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 8, .max_entries = 32,
	 .map_extra = 3},
	{.name = "percpu_lru", .type = BPF_MAP_TYPE_LRU_PERCPU_HASH, .key_size = 8,
	 .value_size = 16, .max_entries = 8},
	{.name = "outer_array", .type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .key_size = 4, .value_size = 4,
	 .max_entries = 4, .inner = &inner},
	{.name = "samples", .type = BPF_MAP_TYPE_USER_RINGBUF, .max_entries = 4096},
	{.name = "cgroups", .type = BPF_MAP_TYPE_CGROUP_ARRAY, .key_size = 4, .value_size = 4,
	 .max_entries = 4},
	{.name = "arena", .type = BPFCC_MAP_TYPE_ARENA, .max_entries = 4,
	 .map_flags = BPF_F_MMAPABLE, .map_extra = 0x600000000000},
};

#define NR_MAPS (sizeof(maps) / sizeof(maps[0]))

/* As the loader makes it: what it refuses is an array. */
static void make_map(struct bpfcc_map *to, uint32_t which, bool is_built)
{
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts), .kernel_helpers = !is_built,
					.defer_verify = true};
	struct bpfcc_loader loader = {.opts = &opts};

	*to = maps[which];
	if (bpfcc_map_type(&loader, to, NULL)) {
		*to = maps[0];
		to->name = maps[which].name;
		if (bpfcc_map_type(&loader, to, NULL))
			abort();
	}
	if (bpfcc_map_check(&loader, to, NULL))
		abort();
	to->flags |= maps[which].flags;
}

/* The maps that instructions refer to, and no others, as in objects; what they refer by is resolved. */
static bool use_maps(struct bpfcc_object *o, struct bpf_insn *insns, uint32_t nr, bool is_built)
{
	uint32_t index[NR_MAPS] = {0}, which; /* in o->maps, plus 1 */

	o->maps = bpfcc_arena_array(o->arena, NR_MAPS, sizeof(*o->maps));
	if (!o->maps)
		return false;
	for (uint32_t i = 0; i < nr; i++) {
		if (insns[i].code != BPFCC_LDDW || (insns[i].src_reg != BPF_PSEUDO_MAP_FD &&
						    insns[i].src_reg != BPF_PSEUDO_MAP_VALUE))
			continue;
		which = (uint32_t)insns[i].imm % NR_MAPS;
		if (!index[which]) {
			make_map(&o->maps[o->nr_maps], which, is_built);
			o->maps[o->nr_maps].index = o->nr_maps;
			index[which] = ++o->nr_maps;
		}
		insns[i].imm = (int32_t)index[which] - 1;
	}
	return true;
}

/*
 * Kernel functions by their place in rt/helpers.def: objects name them, and rows of instructions cannot
 * (bpfcc_raw_split() makes what does not exist of them).
 */
static void find_kfuncs(const struct bpf_insn *insns, const struct bpfcc_raw *raw)
{
	for (uint32_t f = 0; f < raw->object.nr_funcs; f++) {
		/* the arena's, and nobody else's yet */
		struct bpf_insn *to = (struct bpf_insn *)(uintptr_t)raw->object.funcs[f].insns;

		for (uint32_t i = 0; i < raw->object.funcs[f].nr_insns; i++) {
			const struct bpf_insn *in = &insns[raw->starts[f] + i];

			if (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_KFUNC_CALL &&
			    bpfcc_kfunc_by_index(in->imm))
				to[i] = *in;
			i += bpfcc_insn_is_lddw(in);
		}
	}
}

bool fuzz_program(const uint8_t *data, size_t bytes, bool is_built, struct bpfcc_arena *arena,
		  struct bpfcc_raw *ret_raw)
{
	struct bpf_insn *insns;
	struct bpfcc_object *o = &ret_raw->object;
	uint32_t nr;

	*ret_raw = (struct bpfcc_raw){.name = "fuzz"};
	if (bytes < 9)
		return false;
	nr = (uint32_t)((bytes - 1) / 8);
	if (nr > FUZZ_MAX_INSNS)
		nr = FUZZ_MAX_INSNS;
	insns = bpfcc_arena_array(arena, nr, sizeof(*insns));
	if (!insns)
		return false;
	bpfcc_raw_insns(data + 1, nr, insns);
	o->arena = arena;
	if (!use_maps(o, insns, nr, is_built))
		return false;
	ret_raw->insns = insns;
	ret_raw->nr_insns = nr;
	o->name = o->path = "fuzz";
	o->license = data[0] & FUZZ_NOT_GPL ? "Proprietary" : "GPL";
	o->is_gpl_compatible = !(data[0] & FUZZ_NOT_GPL);
	if (bpfcc_raw_split(ret_raw, arena, NULL))
		return false;
	find_kfuncs(insns, ret_raw);
	if (data[0] & FUZZ_SESSION)
		o->progs[0].kind = INLAY_PROG_SESSION;
	return true;
}
