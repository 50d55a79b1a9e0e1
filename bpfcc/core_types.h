/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE relocations against the target's own types, given as BTF.
 */
#ifndef INLAY_BPFCC_CORE_TYPES_H
#define INLAY_BPFCC_CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpfcc_core_relo;
struct btf;

/* numbers of the kernel's enum bpf_core_relo_kind */
enum bpfcc_core_kind {
	BPFCC_CORE_FIELD_OFFSET,
	BPFCC_CORE_FIELD_SIZE,
	BPFCC_CORE_FIELD_EXISTS,
	BPFCC_CORE_FIELD_SIGNED,
	BPFCC_CORE_FIELD_LSHIFT,
	BPFCC_CORE_FIELD_RSHIFT,
	BPFCC_CORE_TYPE_ID_LOCAL,
	BPFCC_CORE_TYPE_ID_TARGET,
	BPFCC_CORE_TYPE_EXISTS,
	BPFCC_CORE_TYPE_SIZE,
	BPFCC_CORE_ENUM_EXISTS,
	BPFCC_CORE_ENUM_VALUE,
	BPFCC_CORE_TYPE_MATCHES,
};

/* What a relocation asks for. */
struct bpfcc_core_answer {
	bool exists;
	uint64_t value;
};

/* Length of "pt_regs" in "pt_regs___x86": a flavour is part of the local name only. */
size_t bpfcc_core_name_bytes(const char *name);
/* Type `id` without const, typedef and the like; *ret_id may be NULL. */
const struct btf_type *bpfcc_core_skip(const struct btf *btf, uint32_t id, uint32_t *ret_id);

/*
 * Answers as libbpf does: every type of the same name and kind is looked at, and those that have what
 * is asked for must agree. -ENOENT: there is no type of that name; -EINVAL: *ret_problem, a constant
 * text, says what is wrong with the question; -E2BIG: they do not agree.
 */
int bpfcc_core_resolve(const struct btf *local, const struct bpfcc_core_relo *relo,
		       const struct btf *target, struct bpfcc_core_answer *ret_answer,
		       const char **ret_problem);

#endif /* INLAY_BPFCC_CORE_TYPES_H */
