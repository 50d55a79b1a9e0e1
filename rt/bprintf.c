/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's subset of printf for programs, checked as strictly (bpf_bprintf_prepare() in
 * kernel/bpf/helpers.c). No libc formatting: that may allocate, lock and look at the locale. What the
 * kernel prints of kernel pointers only (symbols, hashes) is the bare number.
 */
#include "rt/bprintf.h"

#include <errno.h>

#include "rt/ctype.h"
#include "rt/helpers.h"

#define ARGS_BYTES 512u /* MAX_BPRINTF_BIN_ARGS: all arguments of a call, as the kernel packs them */

struct spec {
	int is_zero, is_plus, is_minus, is_space;
	__u32 width;
	int longs;	/* l or ll */
	char type;	/* d u x X c s p */
	char pointer;	/* behind p: I4, i4, I6, i6 as '4', 'd', '6', 'x'; symbols 's'; or 0 */
};

/*
 * What is left of a format. It may lie in a map, and change under us: where it ends is settled
 * once, and a position is passed only after a byte other than NUL was read there.
 */
struct source {
	const char *at, *end;
};

static char peek(const struct source *f, int i)
{
	return i < f->end - f->at ? __atomic_load_n(&f->at[i], __ATOMIC_RELAXED) : '\0';
}

static void put(struct inlay_text *out, char c)
{
	if (out->length < out->room)
		out->buf[out->length] = c;
	out->length++;
}

static void pad(struct inlay_text *out, __u32 n, char c)
{
	while (n--)
		put(out, c);
}

static void put_field(struct inlay_text *out, const struct spec *spec, const char *s, __u32 n)
{
	__u32 fill = spec->width > n ? spec->width - n : 0;

	if (!spec->is_minus)
		pad(out, fill, ' ');
	for (__u32 i = 0; i < n; i++)
		put(out, s[i]);
	if (spec->is_minus)
		pad(out, fill, ' ');
}

static void put_number(struct inlay_text *out, const struct spec *spec, __u64 value)
{
	const char *set = spec->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	__u64 base = spec->type == 'd' || spec->type == 'u' ? 10 : 16;
	char digits[24], sign = 0;
	__u32 n = 0, width;

	if (spec->type == 'd') {
		if (!spec->longs)
			value = (__u64)(__s64)(__s32)value;
		if ((__s64)value < 0) {
			sign = '-';
			value = -value;
		} else if (spec->is_plus) {
			sign = '+';
		} else if (spec->is_space) {
			sign = ' ';
		}
	} else if (!spec->longs) {
		value = (__u32)value;
	}
	do {
		digits[n++] = set[value % base];
		value /= base;
	} while (value);
	width = n + (sign ? 1 : 0);
	width = spec->width > width ? spec->width - width : 0;
	if (!spec->is_minus && !spec->is_zero)
		pad(out, width, ' ');
	if (sign)
		put(out, sign);
	if (!spec->is_minus && spec->is_zero)
		pad(out, width, '0');
	while (n)
		put(out, digits[--n]);
	if (spec->is_minus)
		pad(out, width, ' ');
}

static void put_address(struct inlay_text *out, const struct spec *spec, __u64 addr)
{
	int is_v6 = spec->pointer == '6' || spec->pointer == 'x';
	int is_plain = spec->pointer == 'd' || spec->pointer == 'x';
	unsigned char bytes[16] = { 0 };
	char s[40];
	__u32 n = 0;

	__inlay_read_by_call(bytes, addr, is_v6 ? 16 : 4);
	for (__u32 i = 0; i < (is_v6 ? 16u : 4u); i++) {
		if (is_v6) {
			if (i && i % 2 == 0 && !is_plain)
				s[n++] = ':';
			s[n++] = "0123456789abcdef"[bytes[i] >> 4];
			s[n++] = "0123456789abcdef"[bytes[i] & 15];
			continue;
		}
		if (i)
			s[n++] = '.';
		if (is_plain || bytes[i] >= 100)
			s[n++] = (char)('0' + bytes[i] / 100);
		if (is_plain || bytes[i] >= 10)
			s[n++] = (char)('0' + bytes[i] / 10 % 10);
		s[n++] = (char)('0' + bytes[i] % 10);
	}
	put_field(out, spec, s, n);
}

static void put_pointer(struct inlay_text *out, const struct spec *spec, __u64 value)
{
	struct spec number = *spec;

	number.type = 'x';
	number.longs = 2;
	if (spec->pointer == 's') { /* as the kernel prints what no symbol covers */
		char s[20] = "0x";
		__u32 n = 2;

		for (int shift = 60; shift >= 0; shift -= 4)
			if (n > 2 || !shift || value >> shift)
				s[n++] = "0123456789abcdef"[value >> shift & 15];
		put_field(out, spec, s, n);
		return;
	}
	if (!number.width) {
		number.width = 16;
		number.is_zero = 1;
	}
	put_number(out, &number, value);
}

/* Classes of bytes are the kernel's: Latin-1 (lib/ctype.c). */
static int is_punct(char c)
{
	unsigned char b = (unsigned char)c;

	return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
	       (c >= '{' && c <= '~') || (b > 0xa0 && b < 0xc0) || b == 0xd7 || b == 0xf7;
}

static int is_alnum(char c)
{
	unsigned char b = (unsigned char)c;

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (b >= 0xc0 && b != 0xd7 && b != 0xf7);
}

static int ends_word(char c)
{
	return c == '\0' || inlay_is_space(c) || is_punct(c);
}

/* One conversion at f, behind its '%'. Returns the characters used, or -EINVAL. */
static int parse_spec(const struct source *f, struct spec *spec)
{
	int i = 0;
	char c, next;

	for (; (c = peek(f, i)) == '0' || c == '+' || c == '-' || c == ' '; i++) {
		spec->is_zero |= c == '0';
		spec->is_plus |= c == '+';
		spec->is_minus |= c == '-';
		spec->is_space |= c == ' ';
	}
	for (; (c = peek(f, i)) >= '0' && c <= '9'; i++)
		if (spec->width < 10000)
			spec->width = spec->width * 10 + (__u32)(c - '0');
	if (c == 'p') {
		spec->type = 'p';
		c = peek(f, ++i);
		if (ends_word(c))
			return i;
		next = peek(f, i + 1);
		if ((c == 'k' || c == 'u') && next == 's') {
			spec->type = 's';
			spec->width = 0; /* what is behind the address is copied as it is */
			i += 2;
			return ends_word(peek(f, i)) ? i : -EINVAL;
		}
		if (c == 'K' || c == 'x')
			return i + 1;
		if (c == 's' || c == 'S' || c == 'B') {
			spec->pointer = 's';
			return i + 1;
		}
		if ((c != 'i' && c != 'I') || (next != '4' && next != '6'))
			return -EINVAL;
		spec->width = 0;
		if (next == '4')
			spec->pointer = c == 'I' ? '4' : 'd';
		else
			spec->pointer = c == 'I' ? '6' : 'x';
		return i + 2;
	}
	if (c == 's') {
		spec->type = 's';
		return ends_word(peek(f, i + 1)) ? i + 1 : -EINVAL;
	}
	if (c == 'c') {
		spec->type = 'c';
		return i + 1;
	}
	for (; c == 'l' && spec->longs < 2; c = peek(f, ++i))
		spec->longs++;
	if (c != 'i' && c != 'd' && c != 'u' && c != 'x' && c != 'X')
		return -EINVAL;
	spec->type = c == 'i' ? 'd' : c;
	return i + 1;
}

/* Space that the kernel's packed arguments take: a format is refused where they do not fit. */
static int take_args(__u32 *used, __u32 bytes, __u32 align)
{
	__u32 at = (*used + align - 1) / align * align;

	if (at + bytes > ARGS_BYTES)
		return -ENOSPC;
	*used = at + bytes;
	return 0;
}

/* What a walk over the format is for. */
enum pass {
	PASS_TEXT,	/* the text itself */
	PASS_LENGTHS,	/* whether all of it fits: strings are read for their lengths only */
	PASS_FORMAT,	/* whether the format is one: strings count as empty */
};

static int convert(struct inlay_text *out, const struct spec *spec, __u64 arg, enum pass pass,
		   __u32 *used)
{
	char s[ARGS_BYTES];
	long n;

	switch (spec->type) {
	case 's':
		if (*used == ARGS_BYTES)
			return -ENOSPC;
		n = pass == PASS_FORMAT ? 0 : __inlay_read_string_by_call(s, arg, ARGS_BYTES - *used);
		if (n < 0)
			n = 0;
		else if (n == (long)(ARGS_BYTES - *used))
			n--; /* cut: the NUL takes the last byte */
		*used += (__u32)n + 1;
		put_field(out, spec, s, (__u32)n);
		return 0;
	case 'c':
		s[0] = (char)arg;
		put_field(out, spec, s, 1);
		return take_args(used, 1, 1);
	case 'p':
		if (spec->pointer && spec->pointer != 's')
			put_address(out, spec, arg);
		else
			put_pointer(out, spec, arg);
		return take_args(used, 8, 4);
	default:
		put_number(out, spec, arg);
		return take_args(used, spec->longs ? 8 : 4, 4);
	}
}

static int format(struct inlay_text *out, struct source f, const __u64 *args, __u32 nr_args,
		  enum pass pass, __u32 *ret_strings)
{
	__u32 nr = 0, used = 0;
	char c;

	while ((c = peek(&f, 0)) != '\0') {
		struct spec spec = { 0 };
		int n, err;

		/* bytes of UTF-8 pass, as since Linux 6.18 */
		if (((unsigned char)c < ' ' && !inlay_is_space(c)) || c == 0x7f)
			return -EINVAL;
		f.at++;
		if (c != '%') {
			put(out, c);
			continue;
		}
		if (peek(&f, 0) == '%') {
			put(out, '%');
			f.at++;
			continue;
		}
		if (nr == nr_args)
			return -EINVAL;
		n = parse_spec(&f, &spec);
		if (n < 0)
			return n;
		/* they may lie in a map, too */
		*ret_strings += spec.type == 's';
		err = convert(out, &spec, __atomic_load_n(&args[nr++], __ATOMIC_RELAXED), pass, &used);
		if (err)
			return err;
		f.at += n;
		/* the kernel's vsnprintf() takes every letter behind a %p for a part of it */
		while (spec.type == 'p' && is_alnum(peek(&f, 0)))
			f.at++;
	}
	return 0;
}

int __inlay_bprintf_check(const char *fmt, const __u64 *args, __u32 nr_args)
{
	struct source f = { fmt, fmt };
	struct inlay_text none = { 0 };
	__u32 strings = 0;
	int err;

	while (*f.end)
		f.end++;
	err = format(&none, f, args, nr_args, PASS_FORMAT, &strings);
	/* one string alone always fits */
	if (err || !strings || nr_args == 1)
		return err;
	return format(&none, f, args, nr_args, PASS_LENGTHS, &strings);
}

int __inlay_bprintf(struct inlay_text *out, const char *fmt, __u32 fmt_bytes, const __u64 *args,
		    __u32 nr_args)
{
	__u32 n = 0, strings = 0;

	while (n < fmt_bytes && __atomic_load_n(fmt + n, __ATOMIC_RELAXED))
		n++;
	if (n == fmt_bytes)
		return -EINVAL; /* no NUL */
	return format(out, (struct source){ fmt, fmt + n }, args, nr_args, PASS_TEXT, &strings);
}
