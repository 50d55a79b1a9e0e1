/* SPDX-License-Identifier: BSD-2-Clause */
/* How both sides print an entry of a map, so that text can be compared: "map key value", in hex. */
#ifndef INLAY_TEST_DUMP_H
#define INLAY_TEST_DUMP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* "object.bss" (libbpf) and ".bss" are one map; a map declared in the object has no dot. */
static inline const char *dump_name(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot : name;
}

static inline void dump_bytes(const void *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		printf("%02x", ((const unsigned char *)p)[i]);
}

static inline void dump_entry(const char *map, const void *key, size_t key_bytes, const void *value,
			      size_t value_bytes)
{
	printf("%s ", dump_name(map));
	dump_bytes(key, key_bytes);
	printf(" ");
	dump_bytes(value, value_bytes);
	printf("\n");
}

/* A record of a ring buffer; `nr` in their order, or -1 where that is chance. */
static inline void dump_record(const char *map, int nr, const void *data, size_t bytes)
{
	printf("record %s %d ", map, nr);
	dump_bytes(data, bytes);
	printf("\n");
}

/* The parts of a per-CPU value, which must be 64-bit numbers, added up. */
static inline void dump_add(uint64_t *sum, const void *part, size_t bytes)
{
	for (size_t i = 0; i < bytes / 8; i++) {
		uint64_t n;

		memcpy(&n, (const char *)part + 8 * i, 8);
		sum[i] += n;
	}
}

#endif /* INLAY_TEST_DUMP_H */
