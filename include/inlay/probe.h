/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INLAY_PROBE(provider, name, args...): a place in a program's source that tools can watch.
 *
 *	INLAY_PROBE(store, lookup, key, key_len);
 *
 * It compiles to one nop and a note about where the arguments are, the USDT probe that bpftrace,
 * perf, bcc and libbpf know; a program of SEC("usdt/store:lookup") that Inlay inlines runs there
 * without a trap. Without either, all it costs is the nop and keeping the arguments at hand.
 *
 * Up to 12 arguments: integers, enumerations, pointers and arrays (their address), and numbers with
 * a point as their bits. Each is evaluated once. Provider and name are plain identifiers. C11 or
 * GNU C, any C++, gcc or clang, ELF on x86-64 and aarch64; elsewhere the arguments are evaluated,
 * and that is all. Needs no other header, library or tool.
 *
 * The form of the note is SystemTap's (version 3): addresses of the nop, of a section that tells
 * whether the file was moved (prelink), and of no semaphore; then provider, name and arguments as
 * "SIZE@PLACE", where a negative size says signed.
 */
#ifndef INLAY_PROBE_H
#define INLAY_PROBE_H

#define INLAY_PROBE(provider, ...) \
	INLAY_PROBE_N_(INLAY_PROBE_COUNT_(__VA_ARGS__), provider, __VA_ARGS__)

/* ---- counting: the name is the first of 1 to 13 ---- */

#define INLAY_PROBE_COUNT_(...) \
	INLAY_PROBE_13TH_(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, )
#define INLAY_PROBE_13TH_(name, a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n
#define INLAY_PROBE_N_(n, ...) INLAY_PROBE_NN_(n, __VA_ARGS__)
#define INLAY_PROBE_NN_(n, ...) INLAY_PROBE_##n##_(__VA_ARGS__)

#define INLAY_PROBE_0_(p, nm) INLAY_PROBE_EMIT_(p, nm, "", INLAY_PROBE_NONE_)
#define INLAY_PROBE_1_(p, nm, a) INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T1_, INLAY_PROBE_V1_(a))
#define INLAY_PROBE_2_(p, nm, a, b) \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T2_, INLAY_PROBE_V2_(a, b))
#define INLAY_PROBE_3_(p, nm, a, b, c) \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T3_, INLAY_PROBE_V3_(a, b, c))
#define INLAY_PROBE_4_(p, nm, a, b, c, d) \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T4_, INLAY_PROBE_V4_(a, b, c, d))
#define INLAY_PROBE_5_(p, nm, a, b, c, d, e) \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T5_, INLAY_PROBE_V5_(a, b, c, d, e))
#define INLAY_PROBE_6_(p, nm, a, b, c, d, e, f) \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T6_, INLAY_PROBE_V6_(a, b, c, d, e, f))
#define INLAY_PROBE_7_(p, nm, a, b, c, d, e, f, g) \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T7_, INLAY_PROBE_V7_(a, b, c, d, e, f, g))
#define INLAY_PROBE_8_(p, nm, a, b, c, d, e, f, g, h) \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T8_, INLAY_PROBE_V8_(a, b, c, d, e, f, g, h))
#define INLAY_PROBE_9_(p, nm, a, b, c, d, e, f, g, h, i) \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T9_, INLAY_PROBE_V9_(a, b, c, d, e, f, g, h, i))
#define INLAY_PROBE_10_(p, nm, a, b, c, d, e, f, g, h, i, j)  \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T10_, \
			  INLAY_PROBE_V10_(a, b, c, d, e, f, g, h, i, j))
#define INLAY_PROBE_11_(p, nm, a, b, c, d, e, f, g, h, i, j, k)  \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T11_, \
			  INLAY_PROBE_V11_(a, b, c, d, e, f, g, h, i, j, k))
#define INLAY_PROBE_12_(p, nm, a, b, c, d, e, f, g, h, i, j, k, l)  \
	INLAY_PROBE_EMIT_(p, nm, INLAY_PROBE_T12_, \
			  INLAY_PROBE_V12_(a, b, c, d, e, f, g, h, i, j, k, l))

#if defined(__ELF__) && defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))

/* ---- the note's text ---- */

#define INLAY_PROBE_T_(i) "%c[inlay_s" #i "]@%[inlay_v" #i "]"
#define INLAY_PROBE_T1_ INLAY_PROBE_T_(1)
#define INLAY_PROBE_T2_ INLAY_PROBE_T1_ " " INLAY_PROBE_T_(2)
#define INLAY_PROBE_T3_ INLAY_PROBE_T2_ " " INLAY_PROBE_T_(3)
#define INLAY_PROBE_T4_ INLAY_PROBE_T3_ " " INLAY_PROBE_T_(4)
#define INLAY_PROBE_T5_ INLAY_PROBE_T4_ " " INLAY_PROBE_T_(5)
#define INLAY_PROBE_T6_ INLAY_PROBE_T5_ " " INLAY_PROBE_T_(6)
#define INLAY_PROBE_T7_ INLAY_PROBE_T6_ " " INLAY_PROBE_T_(7)
#define INLAY_PROBE_T8_ INLAY_PROBE_T7_ " " INLAY_PROBE_T_(8)
#define INLAY_PROBE_T9_ INLAY_PROBE_T8_ " " INLAY_PROBE_T_(9)
#define INLAY_PROBE_T10_ INLAY_PROBE_T9_ " " INLAY_PROBE_T_(10)
#define INLAY_PROBE_T11_ INLAY_PROBE_T10_ " " INLAY_PROBE_T_(11)
#define INLAY_PROBE_T12_ INLAY_PROBE_T11_ " " INLAY_PROBE_T_(12)

/* ---- operands: for each argument its size and itself ---- */

/* a constant, memory or a register, whatever the compiler has it in */
#ifndef INLAY_PROBE_CONSTRAINT
#define INLAY_PROBE_CONSTRAINT "nor"
#endif

#define INLAY_PROBE_V_(i, x)                                                 \
	[inlay_s##i] "n"(INLAY_PROBE_IS_SIGNED_(x) ? -(int)INLAY_PROBE_BYTES_(x) \
						   : (int)INLAY_PROBE_BYTES_(x)), \
	[inlay_v##i] INLAY_PROBE_CONSTRAINT(x)
#define INLAY_PROBE_NONE_ [inlay_none] "n"(0)
#define INLAY_PROBE_V1_(a) INLAY_PROBE_V_(1, a)
#define INLAY_PROBE_V2_(a, b) INLAY_PROBE_V1_(a), INLAY_PROBE_V_(2, b)
#define INLAY_PROBE_V3_(a, b, c) INLAY_PROBE_V2_(a, b), INLAY_PROBE_V_(3, c)
#define INLAY_PROBE_V4_(a, b, c, d) INLAY_PROBE_V3_(a, b, c), INLAY_PROBE_V_(4, d)
#define INLAY_PROBE_V5_(a, b, c, d, e) INLAY_PROBE_V4_(a, b, c, d), INLAY_PROBE_V_(5, e)
#define INLAY_PROBE_V6_(a, b, c, d, e, f) INLAY_PROBE_V5_(a, b, c, d, e), INLAY_PROBE_V_(6, f)
#define INLAY_PROBE_V7_(a, b, c, d, e, f, g) \
	INLAY_PROBE_V6_(a, b, c, d, e, f), INLAY_PROBE_V_(7, g)
#define INLAY_PROBE_V8_(a, b, c, d, e, f, g, h) \
	INLAY_PROBE_V7_(a, b, c, d, e, f, g), INLAY_PROBE_V_(8, h)
#define INLAY_PROBE_V9_(a, b, c, d, e, f, g, h, i) \
	INLAY_PROBE_V8_(a, b, c, d, e, f, g, h), INLAY_PROBE_V_(9, i)
#define INLAY_PROBE_V10_(a, b, c, d, e, f, g, h, i, j) \
	INLAY_PROBE_V9_(a, b, c, d, e, f, g, h, i), INLAY_PROBE_V_(10, j)
#define INLAY_PROBE_V11_(a, b, c, d, e, f, g, h, i, j, k) \
	INLAY_PROBE_V10_(a, b, c, d, e, f, g, h, i, j), INLAY_PROBE_V_(11, k)
#define INLAY_PROBE_V12_(a, b, c, d, e, f, g, h, i, j, k, l) \
	INLAY_PROBE_V11_(a, b, c, d, e, f, g, h, i, j, k), INLAY_PROBE_V_(12, l)

/* ---- sizes and signs; nothing here is evaluated ---- */

#ifdef __cplusplus
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
namespace inlay_probe
{
typedef char unsigned_result[1];
typedef char signed_result[2];
/* by value: an array becomes the pointer that the assembly sees, a char stays one */
template <typename T> T decayed(T);
signed_result &sign(signed char);
signed_result &sign(short);
signed_result &sign(int);
signed_result &sign(long);
signed_result &sign(long long);
char (&sign(char))[static_cast<char>(-1) < static_cast<char>(1) ? 2 : 1];
char (&sign(wchar_t))[static_cast<wchar_t>(-1) < static_cast<wchar_t>(1) ? 2 : 1];
unsigned_result &sign(bool);
unsigned_result &sign(unsigned char);
unsigned_result &sign(unsigned short);
unsigned_result &sign(unsigned int);
unsigned_result &sign(unsigned long);
unsigned_result &sign(unsigned long long);
unsigned_result &sign(float);
unsigned_result &sign(double);
unsigned_result &sign(const volatile void *);
unsigned_result &sign(...);
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif
#define INLAY_PROBE_IS_SIGNED_(x) (sizeof(::inlay_probe::sign(x)) == 2)
#define INLAY_PROBE_BYTES_(x) sizeof(::inlay_probe::decayed(x))
#else
#define INLAY_PROBE_IS_SIGNED_(x)               \
	_Generic((x), signed char: 1, short: 1, int: 1, long: 1, long long: 1, \
		 char: (char)-1 < (char)1, default: 0)
/* the right side of a comma is an array's address, and is not promoted */
#define INLAY_PROBE_BYTES_(x) sizeof(__typeof__(((void)0, (x))))
#endif

/* ---- the site ---- */

/* "?": the note goes with the section of the code, out of the link too */
#define INLAY_PROBE_EMIT_(provider, name, text, ...)                                    \
	do {                                                                            \
		__asm__ __volatile__("770:	nop\n"                                  \
				     "	.pushsection .note.stapsdt, \"?\", \"note\"\n"  \
				     "	.balign 4\n"                                    \
				     "	.4byte 772f - 771f, 774f - 773f, 3\n"           \
				     "771:	.asciz \"stapsdt\"\n"                   \
				     "772:	.balign 4\n"                            \
				     "773:	.8byte 770b\n"                          \
				     "	.8byte _.stapsdt.base\n"                        \
				     "	.8byte 0\n"                                     \
				     "	.asciz \"" #provider "\"\n"                     \
				     "	.asciz \"" #name "\"\n"                         \
				     "	.asciz \"" text "\"\n"                          \
				     "774:	.balign 4\n"                            \
				     "	.popsection\n"                                  \
				     :                                                  \
				     : __VA_ARGS__);                                    \
		__asm__ __volatile__("	.ifndef _.stapsdt.base\n"                       \
				     "	.pushsection .stapsdt.base, \"aG\", "           \
				     "\"progbits\", .stapsdt.base, comdat\n"            \
				     "	.weak _.stapsdt.base\n"                         \
				     "	.hidden _.stapsdt.base\n"                       \
				     "_.stapsdt.base: .space 1\n"                       \
				     "	.size _.stapsdt.base, 1\n"                      \
				     "	.popsection\n"                                  \
				     "	.endif\n");                                     \
	} while (0)

#else /* no such notes here */

#define INLAY_PROBE_NONE_ (void)0
#define INLAY_PROBE_V_(x) (void)(x)
#define INLAY_PROBE_V1_(a) INLAY_PROBE_V_(a)
#define INLAY_PROBE_V2_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V1_(__VA_ARGS__)
#define INLAY_PROBE_V3_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V2_(__VA_ARGS__)
#define INLAY_PROBE_V4_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V3_(__VA_ARGS__)
#define INLAY_PROBE_V5_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V4_(__VA_ARGS__)
#define INLAY_PROBE_V6_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V5_(__VA_ARGS__)
#define INLAY_PROBE_V7_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V6_(__VA_ARGS__)
#define INLAY_PROBE_V8_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V7_(__VA_ARGS__)
#define INLAY_PROBE_V9_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V8_(__VA_ARGS__)
#define INLAY_PROBE_V10_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V9_(__VA_ARGS__)
#define INLAY_PROBE_V11_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V10_(__VA_ARGS__)
#define INLAY_PROBE_V12_(a, ...) INLAY_PROBE_V_(a), INLAY_PROBE_V11_(__VA_ARGS__)
#define INLAY_PROBE_EMIT_(provider, name, text, ...) \
	do {                                         \
		__VA_ARGS__;                         \
	} while (0)

#endif

#endif /* INLAY_PROBE_H */
