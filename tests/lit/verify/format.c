/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats that are known: what conversions there are, and an argument for each. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");

static const char two_numbers_format[] = "%d and %llx.";
ACCEPT(two_numbers)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[two_numbers_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 16;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(two_numbers_format), HELPER(snprintf));
}

static const char two_numbers_and_one_argument_format[] = "%d and %llx.";
REJECT(two_numbers_and_one_argument, "more conversions than there are arguments")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[two_numbers_and_one_argument_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(two_numbers_and_one_argument_format), HELPER(snprintf));
}

static const char percent_format[] = "100%% %+08lu";
ACCEPT(percent)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[percent_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(percent_format), HELPER(snprintf));
}

static const char percent_at_the_end_format[] = "%d %";
REJECT(percent_at_the_end, "does not know")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[percent_at_the_end_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 16;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(percent_at_the_end_format), HELPER(snprintf));
}

static const char strings_format[] = "%s, %pus";
ACCEPT(strings)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[strings_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 16;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(strings_format), HELPER(snprintf));
}

static const char string_and_a_letter_format[] = "%sx";
REJECT(string_and_a_letter, "does not know")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[string_and_a_letter_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(string_and_a_letter_format), HELPER(snprintf));
}

static const char character_and_a_letter_format[] = "%cx";
ACCEPT(character_and_a_letter)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[character_and_a_letter_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(character_and_a_letter_format), HELPER(snprintf));
}

static const char long_character_format[] = "%lc";
REJECT(long_character, "does not know")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[long_character_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(long_character_format), HELPER(snprintf));
}

static const char addresses_format[] = "%pI4 %pi6";
ACCEPT(addresses)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[addresses_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 16;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(addresses_format), HELPER(snprintf));
}

static const char address_of_5_format[] = "%pI5";
REJECT(address_of_5, "does not know")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[address_of_5_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(address_of_5_format), HELPER(snprintf));
}

static const char symbols_format[] = "%pS %pB";
ACCEPT(symbols)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[symbols_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 16;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(symbols_format), HELPER(snprintf));
}

static const char kernel_string_and_a_letter_format[] = "%pksx";
REJECT(kernel_string_and_a_letter, "does not know")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[kernel_string_and_a_letter_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(kernel_string_and_a_letter_format), HELPER(snprintf));
}

static const char a_float_format[] = "%f";
REJECT(a_float, "does not know")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[a_float_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(a_float_format), HELPER(snprintf));
}

static const char three_ls_format[] = "%llld";
REJECT(three_ls, "does not know")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[three_ls_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(three_ls_format), HELPER(snprintf));
}

static const char precision_format[] = "%.3s";
REJECT(precision, "does not know")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[precision_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 8;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(precision_format), HELPER(snprintf));
}

static const char half_an_argument_format[] = "%d";
REJECT(half_an_argument, "must be a multiple of 8")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[half_an_argument_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 12;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(half_an_argument_format), HELPER(snprintf));
}

static const char tab_and_newline_format[] = "a\tb\n";
ACCEPT(tab_and_newline)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[tab_and_newline_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 0;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(tab_and_newline_format), HELPER(snprintf));
}

static const char bell_format[] = "a\ab";
REJECT(bell, "no text")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[bell_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 0;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(bell_format), HELPER(snprintf));
}

static const char umlaut_format[] = "\xc3\xa4";
ACCEPT(umlaut)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[umlaut_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 0;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(umlaut_format), HELPER(snprintf));
}

static const char nothing_format[] = "";
ACCEPT(nothing)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r1 = r10;
		r1 += -32;
		r2 = 16;
		r3 = %[nothing_format] ll;
		r4 = r10;
		r4 += -16;
		r5 = 16;
		call %[snprintf];
		r0 = 0;
		exit;
	), ADDRESS(nothing_format), HELPER(snprintf));
}
