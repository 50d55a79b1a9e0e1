/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by typed.c (JSON, numbers) and typed_text.c: reading bytes by type, with a budget. */
#ifndef INLAY_CLI_TYPED_IMPL_H
#define INLAY_CLI_TYPED_IMPL_H

#include "cli/inlay/typed.h"

struct typed {
	const struct btf *btf;
	const char *data;
	uint64_t size;
	int64_t budget;	/* parts that may still be printed; negative: cut short */
};

static inline int64_t budget_for(uint64_t size)
{
	/* A sound type has no more parts than its value has bits, and some that enclose others. */
	return (int64_t)size * 16 + 256;
}

static inline bool is_inside(const struct typed *typed, uint64_t at, uint64_t bytes)
{
	return at <= typed->size && bytes <= typed->size - at;
}

/* Like typed_resolve(), through variables too. */
static inline const struct btf_type *typed_resolve_var(const struct btf *btf, uint32_t type_id)
{
	const struct btf_type *type = btf && type_id ? btf__type_by_id(btf, type_id) : NULL;

	return type && btf_is_var(type) ? typed_resolve(btf, type->type) :
	       type && btf_is_datasec(type) ? type : typed_resolve(btf, type_id);
}

const char *btf_name(const struct btf *btf, uint32_t off);
bool is_char(const struct btf *btf, const struct btf_type *type);
/* A printable string with an end and nothing but zeroes behind, as bpftool asks for. */
bool is_text(const char *bytes, uint64_t n);
bool read_number(const char *bytes, uint32_t size, bool is_signed, uint64_t *ret_number);
bool read_bits(const char *data, uint64_t size, uint64_t bit, uint32_t bits, uint64_t *ret_number);
const char *enum_name(const struct btf *btf, const struct btf_type *type, uint64_t number);

#endif /* INLAY_CLI_TYPED_IMPL_H */
