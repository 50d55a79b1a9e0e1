/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on text: bpf_snprintf() and bpf_trace_vprintk() byte by byte, bpf_strtol(), bpf_strtoul() and
 * bpf_strncmp(), against the running kernel's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <stdio.h>
#include <stdlib.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/inline/string.h"
#include "kernel_ask.h"

static const enum ask_arg snprintf_kinds[] = { ASK_BUF, ASK_SIZE0, ASK_STR, ASK_BUF2, ASK_CONST };
static const enum ask_arg snprintf_no_args[] = { ASK_BUF, ASK_SIZE0, ASK_STR, ASK_NULL, ASK_CONST };

/* what each argument is; d: a number; s: a string; a: an address that the kernel finds nothing at */
static const struct {
	const char *fmt, *args;
} formats[] = {
	{ "", "" },
	{ "plain text\n", "" },
	{ "100%% sure", "" },
	{ "%d", "d" },
	{ "%i %u %x %X", "dddd" },
	{ "%ld %li %lu %lx %lX", "ddddd" },
	{ "%lld %lli %llu %llx %llX", "ddddd" },
	{ "[%5d|%-5d|%05d|%+d|% d]", "ddddd" },
	{ "[%12u|%-12u|%012u]", "ddd" },
	{ "[%20lld|%-20lld|%020lld|%+020lld]", "dddd" },
	{ "[%10x|%-10x|%010X]", "ddd" },
	{ "[%+x|% u|%-05d|%0+5d|%- 8d|% 08d]", "dddddd" },
	{ "[%30llx|%030llX]", "dd" },
	{ "%c%c%5c|%-5c|", "cccc" },
	{ "%s", "s" },
	{ "%s, %s! %s", "sss" },
	{ "[%20s|%-20s|%5s]", "sss" },
	/* not %pks: these strings are no kernel memory to the kernel, and here all memory is alike */
	{ "%pus", "s" },
	{ "[%12pus|%-12pus]", "ss" },
	{ "%px", "d" },
	{ "[%20px|%-20px]", "dd" },
	{ "%pI4 %pi4", "aa" },
	{ "%pI6 %pi6", "aa" },
	{ "[%18pI4|%-45pI6]", "aa" },
	{ "%d%d%d%d%d%d%d%d%d%d%d%d", "dddddddddddd" },
	{ "%s=%d;%s=%llx;%s=%c.", "sdsdsc" },
	{ "caf\xc3\xa9 %d", "d" },
	{ "%s\xa0%d", "sd" },
	{ "%px\xe9%d", "dd" },
	{ "%px\xd7%d", "dd" },
};

static const uint64_t numbers[] = { 0,	    1,		  9,	       10,	    42,
				    4711,   0x7fffffff,	  0x80000000u, 0xffffffffu, 1ull << 32,
				    1ull << 63, ~0ull,	  -4711ull,    0x123456789abcdefull };
static const char *const strings[] = { "", "a", "hello", "a string of thirty-two characters",
				       "caf\xc3\xa9\t" };

static void fill_args(uint64_t *args, const char *kinds, unsigned int *seed)
{
	for (int i = 0; kinds[i]; i++) {
		unsigned int n = (unsigned int)rand_r(seed);

		switch (kinds[i]) {
		case 's':
			args[i] = n % 9 ? (uint64_t)strings[n % 5] : 8;
			break;
		case 'a':
			args[i] = 16;
			break;
		case 'c':
			args[i] = ' ' + n % 94;
			break;
		default:
			args[i] = n % 3 ? numbers[n % 14] : (uint64_t)n << n % 33;
		}
	}
}

/*
 * Behind the end of the buffer the kernel neither counts what is behind an address nor steps over it,
 * and takes the text for the next argument: its length is any then.
 */
static int is_length_odd(const char *fmt, uint64_t room, int64_t length)
{
	return (uint64_t)length > room && (strstr(fmt, "pus") || strstr(fmt, "pI") ||
					   strstr(fmt, "pi"));
}

static void test_snprintf(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (unsigned int f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		uint32_t nr = (uint32_t)strlen(formats[f].args), bytes = 8 * nr;
		const int32_t consts[5] = { 0, 0, 0, 0, (int32_t)bytes };
		struct ask ask;
		int err = ask_open(&ask, BPF_FUNC_snprintf, nr ? snprintf_kinds : snprintf_no_args,
				   consts, formats[f].fmt);

		/* older kernels refuse text that is not ASCII */
		if (err == -EINVAL && strpbrk(formats[f].fmt, "\xc3\xa0\xe9\xd7"))
			continue;
		if (err)
			skip_because("cannot ask the kernel: %s\n%s", strerror(-err), ask.log);
		for (int round = 0; round < 60; round++) {
			uint64_t args[12] = { 0 };
			uint8_t got[ASK_BYTES];
			struct ask_call call = { 0 };
			int64_t ret;

			fill_args(args, formats[f].args, &seed);
			call.args[1] = round % 3 ? (uint64_t)(rand_r(&seed) % 60) : ASK_BYTES;
			memset(call.buf[0], 0x55, ASK_BYTES);
			memset(got, 0x55, sizeof(got));
			memcpy(call.buf[1], args, sizeof(args));
			assert_int_equal(ask_run(&ask, &call), 0);
			ret = __inlay_snprintf_v1(got, call.args[1], formats[f].fmt, args, bytes);
			if (is_length_odd(formats[f].fmt, call.args[1], ret))
				call.ret = ret;
			if (ret != call.ret || memcmp(got, call.buf[0], ASK_BYTES))
				fail_msg("\"%s\" into %u bytes: \"%.80s\" (%ld), not \"%.80s\" (%ld)",
					 formats[f].fmt, (unsigned int)call.args[1], got, (long)ret,
					 call.buf[0], (long)call.ret);
		}
		ask_close(&ask);
	}
}

/* The kernel refuses these when they are loaded. */
static void test_snprintf_bad(void **state)
{
	static const char *const fmts[] = { "%d", "%d%d%d", "%z", "%", "%5", "%hd", "%sx", "%pI5",
					    "%o", "%n", "%llld", "\x7f", "bell\a", "%1$d", "%*d" };
	uint64_t args[12] = { 0 };
	char buf[32], text[600] = "";

	(void)state;
	for (unsigned int i = 0; i < sizeof(fmts) / sizeof(fmts[0]); i++) {
		uint32_t bytes = i == 0 ? 0 : i == 1 ? 16 : 96;
		const int32_t consts[5] = { 0, 0, 0, 0, (int32_t)bytes };
		struct ask ask;
		int err = ask_open(&ask, BPF_FUNC_snprintf,
				   bytes ? snprintf_kinds : snprintf_no_args, consts, fmts[i]);

		memset(buf, 0x55, sizeof(buf));
		assert_int_equal(__inlay_snprintf_v1(buf, 32, fmts[i], args, bytes), -EINVAL);
		for (unsigned int k = 0; k < sizeof(buf); k++)
			assert_int_equal((unsigned char)buf[k], 0x55);
		if (!err)
			fail_msg("the kernel takes \"%s\"", fmts[i]);
	}
	/* too much for the kernel's packed arguments, which is known only when the strings are read */
	memset(text, 'x', sizeof(text) - 1);
	args[0] = args[1] = (uint64_t)text;
	memset(buf, 0x55, sizeof(buf));
	assert_int_equal(__inlay_snprintf_v1(buf, 32, "t %s%s%d", args, 24), -ENOSPC);
	assert_int_equal(buf[0], 0x55);
	assert_int_equal(__inlay_snprintf_v1(buf, 32, "x", args, 7), -EINVAL);
	assert_int_equal(__inlay_snprintf_v1(buf, 32, "x", args, 104), -EINVAL);
	assert_int_equal(__inlay_snprintf_v1(buf, 32, "x", NULL, 8), -EINVAL);
	assert_int_equal(__inlay_snprintf_v1(NULL, 0, "xyz", NULL, 0), 4);
}

static struct inlay_trace ring;

static void test_vprintk(void **state)
{
	static const enum ask_arg kinds[] = { ASK_BUF, ASK_SIZE, ASK_BUF2, ASK_SIZE0, ASK_NONE };
	const struct inlay_trace_record *r = &ring.records[0];
	uint64_t args[13] = { (uint64_t) "five", 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	unsigned int seed = 7;
	struct ask ask;
	int err;

	(void)state;
	__inlay_trace_v1 = &ring;
	assert_int_equal(__inlay_trace_vprintk_v1("%s %d %d %d %d", 15, args, 40), 12);
	assert_int_equal(r->text_bytes, 12);
	assert_memory_equal(r->text, "five 5 6 7 8", 12);
	/* more than a row holds: cut, and says how much it was */
	assert_int_equal(__inlay_trace_vprintk_v1("%200d", 6, args + 1, 8), 200);
	__inlay_trace_v1 = NULL;
	assert_int_equal(r[1].text_bytes, 200);
	assert_memory_equal(r[1].text, "      ", 6);
	assert_int_equal(r[2].text[0], 0);
	err = ask_open(&ask, BPF_FUNC_trace_vprintk, kinds, NULL, NULL);
	if (err)
		skip_because("cannot ask the kernel: %s\n%s", strerror(-err), ask.log);
	for (unsigned int f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		for (uint64_t bytes = 0; bytes <= 112; bytes += f % 5 ? 8 : 4) {
			struct ask_call call = { .args = { 0, strlen(formats[f].fmt) + 1, 0, bytes } };
			int64_t ret;

			memset(args, 0, sizeof(args));
			fill_args(args, formats[f].args, &seed);
			strcpy((char *)call.buf[0], formats[f].fmt);
			memcpy(call.buf[1], args, sizeof(args));
			if (bytes == 16) /* a format that is not ended */
				call.args[1] -= call.args[1] > 1;
			assert_int_equal(ask_run(&ask, &call), 0);
			ret = __inlay_trace_vprintk_v1(call.buf[0], call.args[1], call.buf[1],
						       bytes);
			if (ret != call.ret && !strpbrk(formats[f].fmt, "\xc3\xa0\xe9\xd7"))
				fail_msg("\"%s\", %u bytes: %ld, not %ld", formats[f].fmt,
					 (unsigned int)bytes, (long)ret, (long)call.ret);
		}
	}
	ask_close(&ask);
}

static void test_strtox(void **state)
{
	static const enum ask_arg kinds[] = { ASK_BUF, ASK_SIZE, ASK_NUM, ASK_BUF2, ASK_NONE };
	static const char *const texts[] = {
		"0", "1", "-1", "+1", "", " ", "-", "--1", "- 1", "  42", "\t\n\v\f\r 17 ", "\xa0\x35",
		"0x", "0xg", "0xff", "0XFf", "-0x10", "0x-1", "010", "08", "0b1", "00x1", "ff", "fF",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"-9223372036854775809", "18446744073709551615", "18446744073709551616",
		"0xffffffffffffffff", "0x10000000000000000", "1777777777777777777777",
		"2000000000000000000000", "99999999999999999999999999", "12abc", "12 34", "1_000",
		"0000000000000000000000000000000000000000000000000000000000000000000000123",
		"                                                                      7", "a", "x1",
		"-0", "0x0", "-00000000000000000000000000000000000000000000000000000000000000000001",
	};
	static const uint64_t flags[] = { 0, 8, 10, 16, 2, 7, 17, 31, 32, 1ull << 40, 1ull << 32 | 10 };
	static const int ids[] = { BPF_FUNC_strtol, BPF_FUNC_strtoul };
	struct ask ask;
	int err;

	(void)state;
	for (int which = 0; which < 2; which++) {
		err = ask_open(&ask, ids[which], kinds, NULL, NULL);
		if (err)
			skip_because("cannot ask the kernel: %s\n%s", strerror(-err), ask.log);
		for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			for (unsigned int j = 0; j < sizeof(flags) / sizeof(flags[0]); j++) {
				uint32_t length = (uint32_t)strlen(texts[i]);

				/* with the NUL, without it, and less */
				for (uint32_t n = length + 1; n > 0 && n + 3 > length; n--) {
					struct ask_call call = { .args = { 0, n, flags[j] } };
					uint64_t got = 0x5555555555555555ull, kernel;
					int64_t ret;

					memset(call.buf[1], 0x55, 8);
					memcpy(call.buf[0], texts[i], length + 1);
					assert_int_equal(ask_run(&ask, &call), 0);
					ret = which ? __inlay_strtoul_v1(texts[i], n, flags[j], &got) :
						      __inlay_strtol_v1(texts[i], n, flags[j], &got);
					memcpy(&kernel, call.buf[1], 8);
					if (ret != call.ret || got != kernel)
						fail_msg("\"%s\", %u bytes, flags %lx: %ld, %lx, "
							 "not %ld, %lx", texts[i], n, (long)flags[j],
							 (long)ret, (long)got, (long)call.ret,
							 (long)kernel);
				}
			}
		}
		ask_close(&ask);
	}
}

static void test_strncmp(void **state)
{
	static const enum ask_arg kinds[] = { ASK_BUF, ASK_SIZE, ASK_STR, ASK_NONE, ASK_NONE };
	static const char *const texts[] = { "", "a", "b", "ab", "abc", "abd", "\xff", "\x7f" };

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		struct ask ask;
		int err = ask_open(&ask, BPF_FUNC_strncmp, kinds, NULL, texts[i]);

		if (err)
			skip_because("cannot ask the kernel: %s\n%s", strerror(-err), ask.log);
		for (unsigned int j = 0; j < 8; j++) {
			for (uint64_t n = 1; n <= strlen(texts[j]) + 1; n++) {
				struct ask_call call = { .args = { 0, n } };

				strcpy((char *)call.buf[0], texts[j]);
				assert_int_equal(ask_run(&ask, &call), 0);
				assert_int_equal(__inlay_strncmp(texts[j], n, texts[i]), call.ret);
			}
		}
		ask_close(&ask);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_snprintf),
		cmocka_unit_test(test_snprintf_bad),
		cmocka_unit_test(test_vprintk),
		cmocka_unit_test(test_strtox),
		cmocka_unit_test(test_strncmp),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
