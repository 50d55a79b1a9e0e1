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

/*
 * Attack: the first run is of any number, and each later one goes through rounds that are like those of the first. The proof
 * rests on the number, so it stays known.
 */
SUB(leaves_above_one)
{
	ASM((
	1:	may_goto 2f;
		r1 += 1;
		if r1 s< 2 goto 1b;
		r0 = 1;
		exit;
	2:	r1 &= 63;
		r2 = %[table] ll;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(second_round_of_another_run, "does not end")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
	1:	r1 = r6;
		r6 = 0;
		call leaves_above_one;
		if r0 != 0 goto 1b;
		exit;
	));
}

ACCEPT(second_round_of_one_run)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
	1:	r1 = r6;
		r6 = 0;
	2:	may_goto 3f;
		r1 += 1;
		if r1 s< 2 goto 2b;
		goto 1b;
	3:	r1 &= 63;
		r2 = %[table] ll;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		exit;
	), NUMBER(table, &table));
}

/* The same with a way that was walked to its end in the first run, and comes back to its may_goto. */
SUB(leaves_with_seven)
{
	ASM((
	1:	may_goto 3f;
		if r1 == 7 goto 2f;
		r0 = 0;
		may_goto 3f;
		r1 = 7;
		goto 1b;
	2:	r0 = 1;
		exit;
	3:	r1 &= 63;
		r2 = %[table] ll;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(rest_of_another_run, "does not end")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
	1:	r1 = r6;
		r6 = 0;
		call leaves_with_seven;
		if r0 != 0 goto 1b;
		exit;
	));
}

ACCEPT(rest_of_one_run)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
	1:	r1 = r6;
		r6 = 0;
	2:	may_goto 3f;
		if r1 == 7 goto 1b;
		r0 = 0;
		may_goto 3f;
		r1 = 7;
		goto 2b;
	3:	r1 &= 63;
		r2 = %[table] ll;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		exit;
	), NUMBER(table, &table));
}

/* The same with the rest in a function that has no may_goto, called by one that has. */
SUB(gives_seven)
{
	ASM((
		r0 = 1;
		r0 = 2;
		r0 = 3;
		r0 = 4;
		r0 = 5;
		r0 = 6;
		call %[get_prandom_u32];
		if r0 == 0 goto 1f;
		r0 = 8;
	1:	r0 = 7;
		exit;
	), HELPER(get_prandom_u32));
}

SUB(leaves_with_the_given)
{
	ASM((
	1:	may_goto 3f;
		if r1 == 7 goto 2f;
		call gives_seven;
		r1 = r0;
		goto 1b;
	2:	r0 = 1;
		exit;
	3:	r1 &= 63;
		r2 = %[table] ll;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(callers_of_another_run, "does not end")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
	1:	r1 = r6;
		r6 = 0;
		call leaves_with_the_given;
		if r0 != 0 goto 1b;
		exit;
	));
}

ACCEPT(callers_that_are_counted)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = 9;
	1:	r1 = r6;
		r6 = 0;
		call leaves_with_the_given;
		r7 -= 1;
		if r7 != 0 goto 1b;
		exit;
	));
}

/* ---- ways that go past the budget ---- */

/*
 * Attack: when the budget is used up the first may_goto is left by its jump, and what is read can be 5 each time. That way
 * meets the other one, which costs some of the budget, behind where it does.
 */
REJECT(past_the_budget, "does not end")
{
	ASM((
		r6 = r1;
	1:	may_goto 2f;
		goto 1b;
	2:	may_goto 3f;
		goto 6f;
	3:	r0 = *(u64 *)(r6 + 0);
		if r0 == 5 goto 4f;
		may_goto 6f;
	4:	may_goto 2b;
	6:	r0 = 0;
		exit;
	));
}

ACCEPT(past_the_budget_and_out)
{
	ASM((
		r6 = r1;
	1:	may_goto 2f;
		goto 1b;
	2:	may_goto 6f;
		goto 3f;
	3:	r0 = *(u64 *)(r6 + 0);
		if r0 == 5 goto 4f;
		may_goto 6f;
	4:	may_goto 2b;
	6:	r0 = 0;
		exit;
	));
}

/* The same, with one may_goto in the middle of the way back to it. */
REJECT(past_the_budget_by_a_long_way, "does not end")
{
	ASM((
		r6 = r1;
	1:	may_goto 2f;
		goto 1b;
	2:	r7 = 0;
		may_goto 3f;
		goto 6f;
	3:	r0 = *(u64 *)(r6 + 0);
		if r0 == 5 goto 4f;
		may_goto 6f;
		r0 = 1;
		r0 = 2;
		r0 = 3;
		r0 = 4;
		r0 = 5;
		r0 = 6;
		r0 = 7;
		goto 5f;
	4:	r0 = 8;
	5:	r0 = 9;
		goto 2b;
	6:	r0 = 0;
		exit;
	));
}

ACCEPT(past_the_budget_by_a_long_way_and_out)
{
	ASM((
		r6 = r1;
	1:	may_goto 2f;
		goto 1b;
	2:	r7 = 0;
		may_goto 6f;
	3:	r0 = *(u64 *)(r6 + 0);
		if r0 == 5 goto 4f;
		may_goto 6f;
		r0 = 1;
		r0 = 2;
		r0 = 3;
		r0 = 4;
		r0 = 5;
		r0 = 6;
		r0 = 7;
		goto 5f;
	4:	r0 = 8;
	5:	r0 = 9;
		goto 2b;
	6:	r0 = 0;
		exit;
	));
}

REJECT(jumps_to_itself, "does not end")
{
	ASM((
		r0 = 0;
	1:	may_goto 1b;
		exit;
	));
}

/*
 * Ways that meet after more may_gotos or fewer: a thousand numbers of them, at which nobody needs to look, because no way
 * leads from a jump of theirs back to them (cycles.c).
 */
ACCEPT(no_way_past_the_budget)
{
	ASM((
		r6 = r1;
	1:	may_goto 3f;
		.rept 1000;
		r0 = *(u64 *)(r6 + 0);
		if r0 == 5 goto 2f;
		may_goto 3f;
	2:	r0 = 0;
		.endr;
		goto 1b;
	3:	r0 = 0;
		exit;
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
