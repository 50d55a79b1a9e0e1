/* SPDX-License-Identifier: BSD-2-Clause */
/* What matters of a callback's values, while it is not known what comes of its other rounds. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");
char bytes[64];

static char sieve[4096];
static unsigned long primes;

static int sieves(unsigned int round, void *context)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < sizeof(sieve); i++) {
		sieve[i] = 0;
		asm volatile("" ::: "memory"); /* no memset */
	}
	for (unsigned int i = 2; i < sizeof(sieve); i++) {
		if (sieve[i])
			continue;
		n++;
		for (unsigned int k = 2 * i; k < sizeof(sieve); k += i)
			sieve[k] = 1;
	}
	primes = n;
	return 0;
}

/* At each join n has as many values as there were turns, and none of them matters. */
ACCEPT(sieve_in_a_callback)
{
	ASM((
		r1 = 1000;
		r2 = %[sieves] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(sieves), HELPER(loop));
}

/* What is stored is 0 or 10000, and the path of 10000 comes second to the join. On a path that is walked
 * last: the flag that lets the caller use it, and ends this. */
SUB(stores_0_or_10000)
{
	ASM((
		r6 = r2;
		r7 = *(u64 *)(r6 + 8);
		if r7 == 1 goto 4f;
		call %[get_prandom_u32];
		if r0 != 0 goto 3f;
		r8 = 10000;
		call %[get_prandom_u32];
		if r0 != 0 goto 1f;
		r8 = 0;
	1:	r0 = 1;
		r0 = 2;
		r0 = 3;
		r0 = 4;
		r0 = 5;
		r0 = 6;
		r0 = 7;
		r0 = 8;
		goto 2f;
	2:	*(u64 *)(r6 + 0) = r8;
		r0 = 0;
		exit;
	3:	*(u64 *)(r6 + 8) = 1;
	4:	r0 = 0;
		exit;
	), HELPER(get_prandom_u32));
}

/* Attack: when the path of 10000 comes to the join nobody has used the number yet. */
REJECT(used_in_a_later_round, "outside of")
{
	ASM((
		*(u64 *)(r10 - 16) = 0;
		*(u64 *)(r10 - 8) = 0;
		r1 = 10;
		r2 = %[stores_0_or_10000] ll;
		r3 = r10;
		r3 += -16;
		r4 = 0;
		call %[loop];
		r1 = *(u64 *)(r10 - 8);
		if r1 != 1 goto 1f;
		r2 = *(u64 *)(r10 - 16);
		r1 = %[bytes] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), ADDRESS(stores_0_or_10000), ADDRESS(bytes), HELPER(loop));
}
