/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Format strings that are known before the program runs, as the helpers read them: which conversions
 * there are, and an argument for each (the kernel's Documentation of bpf_trace_printk() and
 * bpf_snprintf(); kernel/bpf/helpers.c). The helper looks again when it runs: this is for the author.
 */
#include <ctype.h>
#include <string.h>

#include "bpfcc/verify/call.h"

/* Between a conversion and other text, as printk() wants it, which takes bytes for Latin-1. */
static bool is_end(char at)
{
	unsigned char c = (unsigned char)at;

	if (c >= 0x80)
		return (c >= 0xa0 && c < 0xc0) || c == 0xd7 || c == 0xf7;
	return !c || isspace(c) || ispunct(c);
}

/* Behind %p: what kind of pointer. NULL: there is none of that kind. */
static const char *pointer(const char *at)
{
	if (is_end(*at))
		return at;
	if ((*at == 'k' || *at == 'u') && at[1] == 's')
		return is_end(at[2]) ? at + 2 : NULL;
	if (strchr("KxsSB", *at))
		return at + 1;
	if ((*at == 'i' || *at == 'I') && (at[1] == '4' || at[1] == '6'))
		return at + 2;
	return NULL;
}

/* Behind %: to the end of the conversion. NULL: there is none like that. */
static const char *conversion(const char *at)
{
	at += strspn(at, "0+- ");
	at += strspn(at, "0123456789");
	switch (*at) {
	case 'p':
		return pointer(at + 1);
	case 's':
		return is_end(at[1]) ? at + 1 : NULL;
	case 'c':
		return at + 1;
	default:
		break;
	}
	for (int i = 0; i < 2 && *at == 'l'; i++)
		at++;
	return *at && strchr("iduxX", *at) ? at + 1 : NULL;
}

const char *verify_format_problem(const char *format, uint64_t nr_args)
{
	uint64_t nr = 0;

	for (const char *at = format; *at;) {
		unsigned char c = (unsigned char)*at++;

		if (c < 0x80 && !isprint(c) && !isspace(c))
			return "it has a character that is no text";
		if (c != '%')
			continue;
		if (*at == '%') {
			at++;
			continue;
		}
		if (nr++ >= nr_args)
			return "it has more conversions than there are arguments";
		at = conversion(at);
		if (!at)
			return "it has a conversion that the helper does not know";
	}
	return NULL;
}
