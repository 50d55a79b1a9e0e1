/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From hex digits to objects. What comes in may be anything: each field is checked before it is
 * used, and what is wrong is said.
 */
#include "bpfcc/raw.h"

#include <errno.h>
#include <string.h>

#include "bpfcc/arena.h"
#include "bpfcc/diag.h"
#include "bpfcc/isa.h"

#define MAX_INSNS 1000000u	/* as the kernel's */

enum column { COLUMN_NAME, COLUMN_MAPS, COLUMN_INSNS, COLUMN_FLAGS };

static const char *const column_names[BPFCC_RAW_COLUMNS] = {
	[COLUMN_NAME] = "name",
	[COLUMN_MAPS] = "maps",
	[COLUMN_INSNS] = "insns",
	[COLUMN_FLAGS] = "flags",
};

/* A piece of a line. */
struct span {
	const char *at;
	size_t bytes;
};

/* Cuts the piece before the next `separator` off `rest`. False: nothing is left. */
static bool next_piece(struct span *rest, char separator, struct span *ret_piece)
{
	const char *end;

	if (!rest->at)
		return false;
	end = memchr(rest->at, separator, rest->bytes);
	ret_piece->at = rest->at;
	ret_piece->bytes = end ? (size_t)(end - rest->at) : rest->bytes;
	rest->bytes = end ? rest->bytes - ret_piece->bytes - 1 : 0;
	rest->at = end ? end + 1 : NULL;
	return true;
}

static bool is(struct span s, const char *text)
{
	return s.bytes == strlen(text) && !memcmp(s.at, text, s.bytes);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* All of `s` is a number of 32 bits; base 10 or 16, there with or without 0x */
static bool number(struct span s, unsigned int base, uint32_t *ret)
{
	uint64_t value = 0;

	if (base == 16 && s.bytes > 2 && s.at[0] == '0' && (s.at[1] | 0x20) == 'x')
		s = (struct span){s.at + 2, s.bytes - 2};
	if (!s.bytes || s.bytes > 10)
		return false;
	for (size_t i = 0; i < s.bytes; i++) {
		int digit = hex_digit(s.at[i]);

		if (digit < 0 || (unsigned int)digit >= base)
			return false;
		value = value * base + (unsigned int)digit;
	}
	*ret = (uint32_t)value;
	return value <= UINT32_MAX;
}

bool bpfcc_raw_header(const char *line, size_t bytes, struct bpfcc_raw_header *ret_header)
{
	struct span rest = {line, bytes}, piece;

	ret_header->nr = 0;
	for (int i = 0; i < BPFCC_RAW_COLUMNS; i++)
		ret_header->at[i] = -1;
	while (next_piece(&rest, '\t', &piece)) {
		for (int i = 0; i < BPFCC_RAW_COLUMNS; i++)
			if (is(piece, column_names[i]) && ret_header->at[i] < 0)
				ret_header->at[i] = ret_header->nr;
		ret_header->nr++;
	}
	return ret_header->at[COLUMN_NAME] >= 0 && ret_header->at[COLUMN_INSNS] >= 0;
}

/* ---- instructions ---- */

static struct bpf_insn insn_of(uint64_t bits)
{
	return (struct bpf_insn){
		.code = bits & 0xff,
		.dst_reg = bits >> 8 & 0xf,
		.src_reg = bits >> 12 & 0xf,
		.off = (int16_t)(bits >> 16),
		.imm = (int32_t)(bits >> 32),
	};
}

void bpfcc_raw_insns(const uint8_t *data, uint32_t nr, struct bpf_insn *ret_insns)
{
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t bits = 0;

		for (int k = 7; k >= 0; k--)
			bits = bits << 8 | data[8 * (size_t)i + (size_t)k];
		ret_insns[i] = insn_of(bits);
	}
}

uint8_t *bpfcc_raw_bytes(const char *text, size_t chars, struct bpfcc_arena *arena,
			 size_t *ret_bytes, const char **ret_problem)
{
	uint8_t *data = bpfcc_arena_alloc(arena, chars / 2 + 1);
	size_t nr = 0;
	int high = -1;

	*ret_problem = NULL;
	if (!data)
		return NULL;
	for (size_t i = 0; i < chars; i++) {
		int digit;

		if (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r'))
			continue;
		digit = hex_digit(text[i]);
		if (digit < 0) {
			*ret_problem = "there is something else than hex digits";
			return NULL;
		}
		if (high < 0) {
			high = digit;
			continue;
		}
		data[nr++] = (uint8_t)(high << 4 | digit);
		high = -1;
	}
	if (high >= 0) {
		*ret_problem = "the last byte has one hex digit only";
		return NULL;
	}
	*ret_bytes = nr;
	return data;
}

static int read_insns(struct span s, struct bpfcc_raw *raw, struct bpfcc_arena *arena,
		      struct bpfcc_diag *diag)
{
	struct bpf_insn *insns;

	if (!s.bytes || s.bytes % 16)
		return bpfcc_error(diag, NULL, NULL,
				   "the row's program is %zu hex digits, not 16 an instruction",
				   s.bytes);
	if (s.bytes / 16 > MAX_INSNS)
		return bpfcc_error(diag, NULL, NULL, "the program has more than %u instructions",
				   MAX_INSNS);
	raw->nr_insns = (uint32_t)(s.bytes / 16);
	insns = bpfcc_arena_array(arena, raw->nr_insns, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	for (uint32_t i = 0; i < raw->nr_insns; i++) {
		uint64_t bits = 0;

		for (size_t k = 0; k < 16; k++) {
			int digit = hex_digit(s.at[16 * (size_t)i + k]);

			if (digit < 0)
				return bpfcc_error(diag, NULL, NULL,
						   "instruction %u of the row is not hex digits",
						   i);
			bits = bits << 4 | (unsigned int)digit;
		}
		insns[i] = insn_of(bits);
	}
	raw->insns = insns;
	return 0;
}

/* ---- maps ---- */

static int bad_map(struct bpfcc_diag *diag, uint32_t index, const char *what)
{
	return bpfcc_error(diag, NULL, NULL, "map %u of the row: %s", index, what);
}

/* tTYPE and its like: the next field, which begins with `letter` */
static bool field(struct span *rest, char letter, unsigned int base, uint32_t *ret)
{
	struct span piece;

	return next_piece(rest, ':', &piece) && piece.bytes && piece.at[0] == letter &&
	       number((struct span){piece.at + 1, piece.bytes - 1}, base, ret);
}

static int read_contents(struct span s, struct bpfcc_map *m, struct bpfcc_arena *arena,
			 struct bpfcc_diag *diag)
{
	const char *problem;
	size_t bytes;

	if (s.bytes != 2 * (size_t)m->value_size)
		return bad_map(diag, m->index, "the contents are not as long as the value");
	m->data = bpfcc_raw_bytes(s.at, s.bytes, arena, &bytes, &problem);
	if (!m->data)
		return problem ? bad_map(diag, m->index, problem) : -ENOMEM;
	if (bytes != m->value_size)
		return bad_map(diag, m->index, "the contents are not hex digits");
	return 0;
}

static uint32_t map_flags(const struct bpfcc_map *m)
{
	switch (m->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return INLAY_MAP_HASH;
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return INLAY_MAP_PERCPU;
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return INLAY_MAP_PERCPU | INLAY_MAP_HASH;
	case BPF_MAP_TYPE_ARRAY:
		return m->is_frozen && m->max_entries == 1 ? INLAY_MAP_RODATA : 0;
	default:
		return 0;
	}
}

static bool read_inner(struct span s, struct bpfcc_map *inner)
{
	uint32_t *const fields[] = {&inner->type, &inner->key_size, &inner->value_size,
				    &inner->max_entries, &inner->map_flags};
	struct span piece;

	inner->name = "inner";
	for (size_t i = 0; i < 5; i++)
		if (!next_piece(&s, ',', &piece) || !number(piece, i < 4 ? 10 : 16, fields[i]))
			return false;
	inner->flags = map_flags(inner);
	return !s.at && inner->key_size <= INT32_MAX && inner->value_size <= INT32_MAX;
}

static int read_map(struct span s, struct bpfcc_map *m, struct bpfcc_arena *arena,
		    struct bpfcc_diag *diag)
{
	struct span name, piece, index;
	struct bpfcc_map *inner;
	bool is_frozen = false;
	uint32_t nr;
	int err;

	if (!next_piece(&s, ':', &index) || !number(index, 10, &nr) || nr != m->index)
		return bad_map(diag, m->index, "the entries are not numbered 0, 1, 2 ...");
	if (!next_piece(&s, ':', &name) || !field(&s, 't', 10, &m->type) ||
	    !field(&s, 'k', 10, &m->key_size) || !field(&s, 'v', 10, &m->value_size) ||
	    !field(&s, 'n', 10, &m->max_entries) || !field(&s, 'f', 16, &m->map_flags))
		return bad_map(diag, m->index, "not INDEX:NAME:tTYPE:kKEY:vVALUE:nENTRIES:fFLAGS");
	/* the kernel's limit for any value and key; keeps the verifier's sums far from wrapping */
	if (m->key_size > INT32_MAX || m->value_size > INT32_MAX)
		return bad_map(diag, m->index, "the key or the value is above 2 GiB");
	while (next_piece(&s, ':', &piece)) {
		char kind = piece.bytes ? piece.at[0] : '\0';

		if (kind)
			piece = (struct span){piece.at + 1, piece.bytes - 1};
		switch (kind) {
		case 'i':
			inner = bpfcc_arena_alloc(arena, sizeof(*inner));
			if (!inner)
				return -ENOMEM;
			if (!read_inner(piece, inner))
				return bad_map(diag, m->index, "the inner map is not iT,K,V,N,F");
			m->inner = inner;
			break;
		case 'd':
			err = read_contents(piece, m, arena, diag);
			if (err)
				return err;
			break;
		case 'z':
			if (piece.bytes)
				return bad_map(diag, m->index, "there is something behind z");
			is_frozen = true;
			break;
		default:
			return bad_map(diag, m->index, "unknown field");
		}
	}
	m->name = name.bytes ? bpfcc_arena_strndup(arena, name.at, name.bytes)
			     : bpfcc_arena_printf(arena, "map%u", m->index);
	/* programs write a frozen map, too, unless its flags forbid it */
	m->is_frozen = is_frozen && m->map_flags & BPF_F_RDONLY_PROG;
	m->flags = map_flags(m);
	return m->name ? 0 : -ENOMEM;
}

static int read_maps(struct span s, struct bpfcc_object *o, struct bpfcc_arena *arena,
		     struct bpfcc_diag *diag)
{
	uint32_t nr = 0;
	struct span piece;

	for (size_t i = 0; i < s.bytes; i++)
		nr += s.at[i] == ';';
	if (s.bytes && s.at[s.bytes - 1] != ';')
		return bpfcc_error(diag, NULL, NULL, "the last map of the row does not end with ;");
	o->maps = bpfcc_arena_array(arena, nr, sizeof(*o->maps));
	if (!o->maps)
		return -ENOMEM;
	while (o->nr_maps < nr && next_piece(&s, ';', &piece)) {
		struct bpfcc_map *m = &o->maps[o->nr_maps];
		int err;

		m->index = o->nr_maps++;
		err = read_map(piece, m, arena, diag);
		if (err)
			return err;
	}
	return 0;
}

/* ---- functions ---- */

static bool is_func_reference(const struct bpf_insn *in)
{
	return (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL) ||
	       (bpfcc_insn_is_lddw(in) && in->src_reg == BPF_PSEUDO_FUNC);
}

/* Numbers the functions: index[i] is 1 + the function that starts at i, or 0. */
static int find_starts(struct bpfcc_raw *raw, struct bpfcc_arena *arena, struct bpfcc_diag *diag,
		       uint32_t **ret_index)
{
	uint32_t *index = bpfcc_arena_array(arena, raw->nr_insns, sizeof(*index));
	uint32_t nr = 0, *starts;

	if (!index)
		return -ENOMEM;
	index[0] = 1;
	for (uint32_t i = 0; i < raw->nr_insns; i++) {
		const struct bpf_insn *in = &raw->insns[i];
		int64_t target = (int64_t)i + 1 + in->imm;

		if (is_func_reference(in)) {
			if (target < 0 || target >= raw->nr_insns)
				return bpfcc_error(
					diag, NULL, NULL,
					"instruction %u calls what is not in the program", i);
			index[target] = 1;
		}
		i += bpfcc_insn_is_lddw(in);
	}
	for (uint32_t i = 0; i < raw->nr_insns; i++)
		if (index[i])
			index[i] = ++nr;
	starts = bpfcc_arena_array(arena, nr, sizeof(*starts));
	if (!starts)
		return -ENOMEM;
	for (uint32_t i = 0; i < raw->nr_insns; i++)
		if (index[i])
			starts[index[i] - 1] = i;
	raw->starts = starts;
	raw->object.nr_funcs = nr;
	*ret_index = index;
	return 0;
}

/* What numbers cannot be, in bpfcc_object.poisons. */
enum { POISON_KFUNC, POISON_HELPER, NR_POISONS };

static int make_poisons(struct bpfcc_object *o, struct bpfcc_arena *arena)
{
	o->poisons = bpfcc_arena_array(arena, NR_POISONS, sizeof(*o->poisons));
	if (!o->poisons)
		return -ENOMEM;
	o->poisons[POISON_KFUNC] = "a kernel function has no number of its own here";
	o->poisons[POISON_HELPER] = "there is no helper of that number";
	o->nr_poisons = NR_POISONS;
	return 0;
}

/* One instruction's reference, from the kernel's form to object.h's. */
static int resolve(struct bpfcc_raw *raw, const uint32_t *index, uint32_t i, struct bpf_insn *in,
		   struct bpfcc_diag *diag)
{
	if (is_func_reference(in)) {
		in->imm = (int32_t)(index[(int64_t)i + 1 + in->imm] - 1);
		return 0;
	}
	if (bpfcc_insn_is_lddw(in) &&
	    (in->src_reg == BPF_PSEUDO_MAP_FD || in->src_reg == BPF_PSEUDO_MAP_VALUE) &&
	    (in->imm < 0 || (uint32_t)in->imm >= raw->object.nr_maps))
		return bpfcc_error(diag, NULL, NULL, "instruction %u: there is no map %d", i,
				   in->imm);
	if (!bpfcc_insn_is_call(in))
		return 0;
	/* refused if control can get there, as unknown helpers are */
	if (in->src_reg == BPF_PSEUDO_KFUNC_CALL) {
		in->src_reg = 0;
		in->off = 0;
		in->imm = BPFCC_POISON + POISON_KFUNC;
	} else if (!in->src_reg && (in->imm <= 0 || in->imm >= BPFCC_POISON)) {
		in->imm = BPFCC_POISON + POISON_HELPER;
	}
	return 0;
}

int bpfcc_raw_split(struct bpfcc_raw *raw, struct bpfcc_arena *arena, struct bpfcc_diag *diag)
{
	struct bpfcc_object *o = &raw->object;
	struct bpf_insn *insns;
	uint32_t *index;
	int err;

	if (!raw->nr_insns)
		return bpfcc_error(diag, NULL, NULL, "the program has no instructions");
	if (raw->nr_insns > MAX_INSNS)
		return bpfcc_error(diag, NULL, NULL, "the program has more than %u instructions",
				   MAX_INSNS);
	insns = bpfcc_arena_memdup(arena, raw->insns, raw->nr_insns * sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	err = find_starts(raw, arena, diag, &index);
	if (!err)
		err = make_poisons(o, arena);
	for (uint32_t i = 0; i < raw->nr_insns && !err; i++) {
		err = resolve(raw, index, i, &insns[i], diag);
		i += bpfcc_insn_is_lddw(&insns[i]);
	}
	if (err)
		return err;
	o->funcs = bpfcc_arena_array(arena, o->nr_funcs, sizeof(*o->funcs));
	o->progs = bpfcc_arena_array(arena, 1, sizeof(*o->progs));
	if (!o->funcs || !o->progs)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->nr_funcs; i++) {
		struct bpfcc_func *f = &o->funcs[i];
		uint32_t end = i + 1 < o->nr_funcs ? raw->starts[i + 1] : raw->nr_insns;

		f->name = i ? bpfcc_arena_printf(arena, "sub_%u", raw->starts[i]) : "main";
		if (!f->name)
			return -ENOMEM;
		f->insns = insns + raw->starts[i];
		f->nr_insns = end - raw->starts[i];
		f->nr_args = i ? 5 : 1;
		f->index = i;
	}
	o->funcs[0].is_global = true;
	o->progs[0] = (struct bpfcc_prog){
		.func = &o->funcs[0],
		.name = "main",
		.section = "uprobe",
		.kind = INLAY_PROG_ENTRY,
	};
	o->nr_progs = 1;
	return 0;
}

/* ---- rows ---- */

static int read_columns(const struct bpfcc_raw_header *header, struct span line,
			struct bpfcc_diag *diag, struct span columns[BPFCC_RAW_COLUMNS])
{
	struct span piece;
	int nr = 0;

	for (int i = 0; i < BPFCC_RAW_COLUMNS; i++)
		columns[i] = (struct span){"", 0};
	while (next_piece(&line, '\t', &piece)) {
		for (int i = 0; i < BPFCC_RAW_COLUMNS; i++)
			if (header->at[i] == nr)
				columns[i] = piece;
		nr++;
	}
	if (nr != header->nr)
		return bpfcc_error(diag, NULL, NULL, "the row has %d columns, the header %d", nr,
				   header->nr);
	return 0;
}

int bpfcc_raw_read(const struct bpfcc_raw_header *header, const char *line, size_t bytes,
		   struct bpfcc_arena *arena, struct bpfcc_diag *diag, struct bpfcc_raw *ret_raw)
{
	struct span columns[BPFCC_RAW_COLUMNS];
	struct bpfcc_object *o = &ret_raw->object;
	int err;

	*ret_raw = (struct bpfcc_raw){0};
	if (memchr(line, '\0', bytes))
		return bpfcc_error(diag, NULL, NULL, "the row has a NUL byte");
	err = read_columns(header, (struct span){line, bytes}, diag, columns);
	if (columns[COLUMN_NAME].bytes) {
		ret_raw->name = bpfcc_arena_strndup(arena, columns[COLUMN_NAME].at,
						    columns[COLUMN_NAME].bytes);
		if (!ret_raw->name)
			return -ENOMEM;
	}
	if (err)
		return err;
	if (!ret_raw->name)
		return bpfcc_error(diag, NULL, NULL, "the row has no name");
	if (columns[COLUMN_FLAGS].bytes && !number(columns[COLUMN_FLAGS], 16, &ret_raw->prog_flags))
		return bpfcc_error(diag, NULL, NULL, "the row's flags are not a number");
	o->name = o->path = ret_raw->name;
	o->license = "GPL";
	o->is_gpl_compatible = true;
	o->arena = arena;
	err = read_insns(columns[COLUMN_INSNS], ret_raw, arena, diag);
	if (!err)
		err = read_maps(columns[COLUMN_MAPS], o, arena, diag);
	if (!err)
		err = bpfcc_raw_split(ret_raw, arena, diag);
	return err;
}
