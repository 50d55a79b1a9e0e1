/* SPDX-License-Identifier: BSD-2-Clause */
/* may_goto: a budget of each run of a function, checked each time round; loops around it end by it. */
// RUN: %twins
#include "twins.h"

unsigned char table[64];

/* may_goto: a budget, checked each time round */
ACCEPT(may_goto)
{
	ASM((
		r0 = 0;
	1:	may_goto 2f;
		r0 += 1;
		goto 1b;
	2:	exit;
	));
}

REJECT(may_goto_is_no_bound_of_an_index, "outside of the value")
{
	ASM((
		r2 = 0;
		r1 = %[table] ll;
	1:	may_goto 2f;
		r1 += 1;
		r0 = *(u8 *)(r1 + 0);
		goto 1b;
	2:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

ACCEPT(may_goto_and_a_bound)
{
	ASM((
		r2 = 0;
	1:	may_goto 2f;
		if r2 > 63 goto 2f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		r2 += 1;
		goto 1b;
	2:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(may_goto_leaves_the_inner_loop_only, "does not end")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
	1:	r0 = 0;
	2:	may_goto 3f;
		r0 += 1;
		goto 2b;
	3:	if r6 != 5 goto 1b;
		exit;
	));
}

/* ---- whose budget it is ---- */

/* Each run has a budget of its own, and returns 1 as long as it has some left: always. */
SUB(goes_through)
{
	ASM((
		r0 = 0;
		may_goto 1f;
		r0 = 1;
	1:	exit;
	));
}

REJECT(budget_of_another_run, "does not end")
{
	ASM((
	1:	call goes_through;
		if r0 != 0 goto 1b;
		exit;
	));
}

ACCEPT(budget_of_one_run)
{
	ASM((
	1:	r0 = 0;
		may_goto 2f;
		r0 = 1;
	2:	if r0 != 0 goto 1b;
		exit;
	));
}

ACCEPT(runs_that_are_counted)
{
	ASM((
		r6 = 0;
	1:	call goes_through;
		r6 += 1;
		if r6 < 10 goto 1b;
		exit;
	));
}

/* The function goes through its may_goto each time, but not through the caller's. */
REJECT(a_round_without_the_budget, "does not end")
{
	ASM((
	1:	may_goto 2f;
		r0 = 0;
		exit;
	2:	call goes_through;
		goto 1b;
	));
}

/* ---- loops in loops ---- */

/*
 * The outer loop goes on until nothing is known of r8, and then the inner one is walked; which holds what it finds in the
 * rounds of the outer loop before, that went through fewer may_gotos.
 */
ACCEPT(counted_in_multiplied)
{
	ASM((
		r8 = *(u64 *)(r1 + 0);
		r8 &= 1;
	1:	may_goto 4f;
		r7 = 0;
	2:	may_goto 3f;
		r7 += 1;
		r0 = r7;
		r0 = r8;
		r0 = r7;
		r0 = r8;
		if r7 != 4000 goto 2b;
	3:	r8 *= 3;
		goto 1b;
	4:	if r8 > 63 goto 5f;
		r1 = %[table] ll;
		r1 += r8;
		r0 = *(u8 *)(r1 + 0);
	5:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* The inner loop's may_goto is passed by its jump each time round. */
REJECT(outer_loop_without_an_end, "does not end")
{
	ASM((
	1:	r7 = 0;
	2:	may_goto 3f;
		r7 += 1;
		if r7 != 1000 goto 2b;
	3:	goto 1b;
	));
}

/* ---- what is related, less and less ---- */

ACCEPT(copy_falls_behind)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = r6;
	1:	may_goto 2f;
		r7 += 1;
		goto 1b;
	2:	r0 = r6;
		r0 ^= r7;
		exit;
	));
}

ACCEPT(copy_stays_near)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = r6;
		r7 += 4;
	1:	may_goto 2f;
		r6 += 1;
		r7 += 1;
		goto 1b;
	2:	r0 = 0;
		if r6 > 59 goto 3f;
		r1 = %[table] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
	3:	exit;
	), NUMBER(table, &table));
}

REJECT(copy_falls_behind_and_is_relied_upon, "outside of the value")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = r6;
	1:	may_goto 2f;
		r7 += 1;
		goto 1b;
	2:	r0 = 0;
		if r6 > 7 goto 3f;
		r1 = %[table] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
	3:	exit;
	), NUMBER(table, &table));
}

/* ---- numbers on which a proof rests, and that grow ---- */

/* Below what bounds an access it is walked on until it ends. */
ACCEPT(grows_until_it_is_cut)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r6 &= 1;
		r7 = 0;
	1:	may_goto 2f;
		r1 = %[table] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
		r7 += r6;
		if r7 < 64 goto 1b;
		r7 = 63;
		goto 1b;
	2:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(grows_until_it_is_cut_too_late, "outside of the value")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r6 &= 1;
		r7 = 0;
	1:	may_goto 2f;
		r1 = %[table] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
		r7 += r6;
		if r7 < 65 goto 1b;
		r7 = 63;
		goto 1b;
	2:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* Above that, it soon is not known any more. */
ACCEPT(grows_beyond_all_memory)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		w6 = w6;
		r7 = 0;
	1:	may_goto 2f;
		r7 += r6;
		if r7 < 64 goto 2f;
		goto 1b;
	2:	r0 = 0;
		if r7 > 63 goto 3f;
		r1 = %[table] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
	3:	exit;
	), NUMBER(table, &table));
}
