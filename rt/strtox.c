/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_strtol() and bpf_strtoul(): kernel/bpf/helpers.c over lib/kstrtox.c. */
#include <errno.h>

#include "rt/ctype.h"
#include "rt/inlay_rt.h"

#define BASE_MASK 0x1full /* BPF_STRTOX_BASE_MASK */
#define NUMBER_BYTES 63u  /* of a number no more is looked at */

struct number {
	__u64 value;
	int is_negative;
	__u32 consumed;
};

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Digits of s, which ends with NUL; -ERANGE: the number has more than 64 bits. */
static int parse_digits(const char *s, __u32 base, __u64 *ret_value)
{
	__u64 value = 0;
	int n = 0, is_over = 0;

	for (; (__u32)digit_of(s[n]) < base; n++) {
		is_over |= __builtin_mul_overflow(value, (__u64)base, &value);
		is_over |= __builtin_add_overflow(value, (__u64)digit_of(s[n]), &value);
	}
	*ret_value = value;
	return is_over ? -ERANGE : n;
}

/* The string may lie in a map and change: each byte is read once. */
static int parse(const char *from, __u32 bytes, __u64 flags, struct number *ret_number)
{
	__u32 base = (__u32)(flags & BASE_MASK), at = 0, n = 0;
	char text[NUMBER_BYTES + 1], c = '\0';
	const char *s = text;
	int digits;

	if (!bytes || (base != 0 && base != 8 && base != 10 && base != 16) || flags & ~BASE_MASK)
		return -EINVAL;
	while (at < bytes && (c = __atomic_load_n(&from[at], __ATOMIC_RELAXED),
			      inlay_is_space(c)))
		at++;
	ret_number->is_negative = at < bytes && c == '-';
	if (at < bytes && c != '-')
		text[n++] = c;
	if (at < bytes)
		at++;
	ret_number->consumed = at - n;
	for (; at < bytes && n < NUMBER_BYTES; at++, n++)
		text[n] = __atomic_load_n(&from[at], __ATOMIC_RELAXED);
	text[n] = '\0';
	if (!base)
		base = text[0] != '0'				    ? 10
		       : (text[1] | 0x20) == 'x' && digit_of(text[2]) < 16 ? 16
									    : 8;
	if (base == 16 && text[0] == '0' && (text[1] | 0x20) == 'x')
		s += 2;
	digits = parse_digits(s, base, &ret_number->value);
	if (digits <= 0)
		return digits ? digits : -EINVAL;
	ret_number->consumed += (__u32)(s - text) + (__u32)digits;
	return 0;
}

__s64 __inlay_strtol_v1(const void *from, __u64 bytes, __u64 flags, void *ret)
{
	struct number number;
	__s64 value = 0;
	int err = parse(from, (__u32)bytes, flags, &number);

	if (!err) {
		value = (__s64)(number.is_negative ? -number.value : number.value);
		if (number.is_negative ? value > 0 : value < 0) {
			value = 0;
			err = -ERANGE;
		}
	}
	__builtin_memcpy(ret, &value, sizeof(value));
	return err ? err : (__s64)number.consumed;
}

__s64 __inlay_strtoul_v1(const void *from, __u64 bytes, __u64 flags, void *ret)
{
	struct number number = { 0 };
	int err = parse(from, (__u32)bytes, flags, &number);

	if (!err && number.is_negative)
		err = -EINVAL;
	if (err)
		number.value = 0;
	__builtin_memcpy(ret, &number.value, sizeof(number.value));
	return err ? err : (__s64)number.consumed;
}
