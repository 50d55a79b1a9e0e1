/* SPDX-License-Identifier: BSD-2-Clause */
/* What is sent to the ring "filled" of a probe object before its program runs, in both worlds. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

enum { MESSAGES_NR = 300 };

static inline uint32_t message_bytes(uint32_t nr)
{
	return 8 + nr * 37 % 120;
}

static inline bool message_is_discarded(uint32_t nr)
{
	return nr % 6 == 5;
}

static inline void message_fill(uint32_t nr, char *data)
{
	*(uint64_t *)(void *)data = nr + 1;
	for (uint32_t i = 8; i < message_bytes(nr); i++)
		data[i] = (char)(nr * 7 + i);
}

#endif /* MESSAGES_H */
