/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs from bytes, and mutations that know what an instruction is: most random bytes are no
 * program, and never get past the first check.
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

/* ---- mutations ---- */

struct dice {
	uint64_t state;
};

static uint32_t roll(struct dice *d, uint32_t sides)
{
	d->state = d->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(d->state >> 33) % sides;
}

static void change_field(struct dice *d, uint8_t *insn)
{
	static const uint8_t codes[] = {
		0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x57, 0x5f, 0x67, 0x6f,
		0x77, 0x7f, 0x87, 0x97, 0x9f, 0xa7, 0xaf, 0xb7, 0xbf, 0xc7, 0xcf, 0xd7, 0x04, 0x0c,
		0x14, 0x1c, 0x54, 0x64, 0x74, 0x94, 0xb4, 0xbc, 0xc4, 0xd4, 0xdc, 0x61, 0x69, 0x71,
		0x79, 0x81, 0x89, 0x91, 0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b, 0xc3, 0xdb,
		0x05, 0x06, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x45, 0x4d, 0x55, 0x5d, 0x65, 0x6d, 0x75,
		0xa5, 0xad, 0xb5, 0xc5, 0xd5, 0xe5, 0x16, 0x1e, 0x26, 0x56, 0x66, 0xa6, 0xae, 0xc6,
		0x85, 0x95, 0x18,
	};
	static const int32_t numbers[] = {0,	1,   2,	  4,   7,   8,	-1, -4, -8, -16, -24, -512,
					  16,	24,  32,  48,  63,  64, 80, 112, 128, 181, 255,
					  256,	511, 512, 4096, 0x7fffffff, (int32_t)0x80000000};
	int32_t imm = numbers[roll(d, sizeof(numbers) / sizeof(numbers[0]))];
	int16_t off = (int16_t)(roll(d, 2) ? imm : (int32_t)roll(d, 24) - 8);

	switch (roll(d, 6)) {
	case 0:
		insn[0] = codes[roll(d, sizeof(codes))];
		break;
	case 1:
		insn[1] = (uint8_t)((insn[1] & 0xf0) | roll(d, 11));
		break;
	case 2:
		insn[1] = (uint8_t)((insn[1] & 0x0f) | roll(d, 11) << 4);
		break;
	case 3:
		memcpy(insn + 2, &off, sizeof(off));
		break;
	case 4:
		if (roll(d, 2))
			imm = (int32_t)roll(d, 230);
		memcpy(insn + 4, &imm, sizeof(imm));
		break;
	default:
		insn[roll(d, 8)] ^= (uint8_t)(1u << roll(d, 8));
		break;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t max_bytes, unsigned int seed)
{
	struct dice d = {seed};
	size_t nr = bytes > 8 ? (bytes - 1) / 8 : 0, at, other;

	if (!nr || max_bytes < 17 || !roll(&d, 16))
		return LLVMFuzzerMutate(data, bytes, max_bytes);
	bytes = 1 + 8 * nr;
	at = 1 + 8 * (size_t)roll(&d, (uint32_t)nr);
	other = 1 + 8 * (size_t)roll(&d, (uint32_t)nr);
	switch (roll(&d, 8)) {
	case 0: /* another choice */
		data[0] ^= (uint8_t)(1u << roll(&d, FUZZ_NR_CHOICES));
		return bytes;
	case 1: /* insert a copy of another one */
		if (bytes + 8 > max_bytes)
			break;
		memmove(data + at + 8, data + at, bytes - at);
		memmove(data + at, data + other + (other > at ? 8 : 0), 8);
		return bytes + 8;
	case 2: /* take one out */
		if (nr < 2)
			break;
		memmove(data + at, data + at + 8, bytes - at - 8);
		return bytes - 8;
	case 3: /* copy over */
		memmove(data + at, data + other, 8);
		return bytes;
	default:
		break;
	}
	do
		change_field(&d, data + 1 + 8 * (size_t)roll(&d, (uint32_t)nr));
	while (!roll(&d, 3));
	return bytes;
}
