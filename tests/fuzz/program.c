/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs from bytes, and the maps that they use.
 */
#include <string.h>

#include "bpfcc/arena.h"
#include "tests/fuzz/fuzz.h"

static const uint64_t constants[4] = {1, 0x0000000500000003ull, UINT64_MAX, 40};
static const struct bpfcc_map inner = {.name = "inner", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
				       .value_size = 16, .max_entries = 8};

const struct bpfcc_map *fuzz_maps(uint32_t *ret_nr)
{
	static const struct bpfcc_map maps[] = {
		{.name = "array", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 48,
		 .max_entries = 4},
		{.name = "hash", .type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 24,
		 .max_entries = 16, .flags = INLAY_MAP_HASH},
		{.name = "percpu_array", .type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4,
		 .value_size = 8, .max_entries = 64, .flags = INLAY_MAP_PERCPU},
		{.name = "percpu_hash", .type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 4,
		 .value_size = 16, .max_entries = 8, .flags = INLAY_MAP_PERCPU | INLAY_MAP_HASH},
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
	};

	*ret_nr = sizeof(maps) / sizeof(maps[0]);
	return maps;
}

bool fuzz_program(const uint8_t *data, size_t bytes, uint32_t nr_maps, struct bpfcc_arena *arena,
		  struct bpfcc_raw *ret_raw)
{
	struct bpf_insn *insns;
	struct bpfcc_object *o = &ret_raw->object;
	const struct bpfcc_map *maps;
	uint32_t nr;

	*ret_raw = (struct bpfcc_raw){.name = "fuzz"};
	if (bytes < 9)
		return false;
	nr = (uint32_t)((bytes - 1) / 8);
	if (nr > FUZZ_MAX_INSNS)
		nr = FUZZ_MAX_INSNS;
	insns = bpfcc_arena_array(arena, nr, sizeof(*insns));
	maps = fuzz_maps(&o->nr_maps);
	if (nr_maps && nr_maps < o->nr_maps)
		o->nr_maps = nr_maps;
	o->maps = bpfcc_arena_memdup(arena, maps, o->nr_maps * sizeof(*maps));
	if (!insns || !o->maps)
		return false;
	for (uint32_t i = 0; i < o->nr_maps; i++)
		o->maps[i].index = i;
	bpfcc_raw_insns(data + 1, nr, insns);
	for (uint32_t i = 0; i < nr; i++)
		if (insns[i].code == 0x18 && (insns[i].src_reg == BPF_PSEUDO_MAP_FD ||
					      insns[i].src_reg == BPF_PSEUDO_MAP_VALUE))
			insns[i].imm = (int32_t)((uint32_t)insns[i].imm % o->nr_maps);
	ret_raw->insns = insns;
	ret_raw->nr_insns = nr;
	o->name = o->path = "fuzz";
	o->license = data[0] & FUZZ_NOT_GPL ? "Proprietary" : "GPL";
	o->is_gpl_compatible = !(data[0] & FUZZ_NOT_GPL);
	o->arena = arena;
	if (bpfcc_raw_split(ret_raw, arena, NULL))
		return false;
	if (data[0] & FUZZ_SESSION)
		o->progs[0].kind = INLAY_PROG_SESSION;
	return true;
}
