/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the targets that go through LLVM: an input must give back what it takes. See heap.c.
 */
#ifndef INLAY_TESTS_FUZZ_HEAP_H
#define INLAY_TESTS_FUZZ_HEAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Calls run(data, bytes); again, if more is held than before. Ends the process, with a message, if each of
 * a few calls holds more: the first ones may fill tables that stay.
 */
#ifdef INLAY_FUZZ
void fuzz_heap_run(void (*run)(const uint8_t *data, size_t bytes), const uint8_t *data,
		   size_t bytes);
#else /* where corpora are replayed, heaps are as ever */
static inline void fuzz_heap_run(void (*run)(const uint8_t *data, size_t bytes),
				 const uint8_t *data, size_t bytes)
{
	run(data, bytes);
}
#endif

#endif /* INLAY_TESTS_FUZZ_HEAP_H */
