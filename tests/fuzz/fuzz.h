/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzzer targets share: libFuzzer's entry points, and programs as inputs.
 *
 * An input of the targets that take programs is one byte of choices (enum fuzz_choices), then the
 * instructions, 8 bytes each as in an ELF section. lddw of a map: imm is an index into the maps of
 * program.c, modulo their number.
 */
#ifndef INLAY_TESTS_FUZZ_H
#define INLAY_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "bpfcc/raw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t max_bytes, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t bytes, const uint8_t *other,
				 size_t other_bytes, uint8_t *out, size_t max_bytes,
				 unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t max_bytes);

enum fuzz_choices {
	FUZZ_MEMORY = 1u << 0,		/* ctx is memory of 32 bytes, else registers */
	FUZZ_KERNEL_SET = 1u << 1,
	FUZZ_SESSION = 1u << 2,
	FUZZ_NOT_GPL = 1u << 3,
	FUZZ_KEEP_STATES = 1u << 4,	/* where the verifier's states are looked at */
	FUZZ_TRACE = 1u << 5,
};

#define FUZZ_NR_CHOICES 6

#define FUZZ_MAX_INSNS 512

/* Of a walk: most find their way through short loops, and none takes milliseconds. */
static inline uint32_t fuzz_max_insns(size_t bytes)
{
	return 300 + (uint32_t)bytes / 2;
}

/* Of inputs, whatever they are made from: what costs much is done for some of them. */
static inline bool fuzz_is_one_in(uint32_t n, const uint8_t *data, size_t bytes)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return (hash >> 16) % n == 0;
}

struct bpfcc_arena;

/*
 * An object of an input. False: it is none. is_built: where the runtime does not
 * have a type (bpfcc/map_types.c), the map is an array instead, so that indexes mean the same in any case.
 */
bool fuzz_program(const uint8_t *data, size_t bytes, bool is_built, struct bpfcc_arena *arena,
		  struct bpfcc_raw *ret_raw);

#endif /* INLAY_TESTS_FUZZ_H */
