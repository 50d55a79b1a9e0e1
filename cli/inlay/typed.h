/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of a map as text and JSON, by their BTF type. The BTF was checked by the reader library, yet
 * it may still describe more than the bytes hold, or the same bytes many times: every access is
 * checked against the size, and a value has a budget of parts.
 */
#ifndef INLAY_CLI_TYPED_H
#define INLAY_CLI_TYPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <bpf/btf.h>
#include <jansson.h>

/*
 * C-like: 12, -3, GREEN, true, 0x55e0, "text", { .pid = 3, .comm = "redis" }. On one line if it
 * fits into `columns`, else indented by `indent` tabs. Without a type: bytes in hex.
 */
void typed_text(FILE *out, const struct btf *btf, uint32_t type_id, const void *data, size_t size,
		unsigned int columns, int indent);
/* The shape of bpftool's "formatted" members. NULL: no memory. */
json_t *typed_json(const struct btf *btf, uint32_t type_id, const void *data, size_t size);
/* ["0x00","0x01"], as bpftool's raw members. */
json_t *bytes_json(const void *data, size_t size);

/* The type behind typedefs and qualifiers; NULL if there is none. */
const struct btf_type *typed_resolve(const struct btf *btf, uint32_t type_id);
/* "u64", "struct key", "char[16]"; "" without a type. */
const char *typed_name(const struct btf *btf, uint32_t type_id, char *buffer, size_t bytes);
/* Reads an integer, enum, boolean or pointer of up to 8 bytes; false if the type is none. */
bool typed_number(const struct btf *btf, uint32_t type_id, const void *data, size_t size,
		  uint64_t *ret_number, bool *ret_is_signed);

#endif /* INLAY_CLI_TYPED_H */
