// SPDX-License-Identifier: BSD-2-Clause
/*
 * The programs of bench/codegen. One source, three compilations: an eBPF object for Inlay (uprobe
 * programs, the number of rounds is the first argument), one for the kernel (syscall programs, it
 * is in the context), and plain C. Each program runs a round of work `rounds` times and returns a
 * number that depends on all of it; the verifiers must not know the numbers, or they compute them all. The rounds are a bpf_loop(), which every side makes a loop.
 */
#include "bench/codegen/programs.h"

/* ---- empty: the loop alone ---- */

ROUND(empty_round)
{
	return 0;
}

PROGRAM(empty)
{
	LOOP(rounds, empty_round, 0);
	return (__u32)rounds;
}

/* ---- counter: a global variable ---- */

__u64 counter_value;

ROUND(counter_round)
{
	counter_value++;
	return 0;
}

PROGRAM(counter)
{
	LOOP(rounds, counter_round, 0);
	return 1;
}

/* ---- filter and bucket: a few tests on a record, then a count in an array ---- */

struct record {
	__u32 kind, bytes, flags, state;
};

VALUES(filter_buckets, __u64, 16);

ROUND(filter_round)
{
	struct record *record = arg;
	__u32 n, bucket;
	__u64 *value;

	/* the next record; a linear congruential generator */
	n = record->state = record->state * 1664525 + 1013904223;
	record->kind = n >> 28;
	record->bytes = n >> 12 & 0xffff;
	record->flags = n & 0xff0;
	if (record->kind == 3 || record->kind > 12)
		return 0;
	if (!(record->flags & 0x90) || (record->flags & 0x60) == 0x60)
		return 0;
	if (record->bytes < 64)
		return 0;
	bucket = (record->bytes ^ record->bytes >> 7 ^ record->kind) & 15;
	value = LOOKUP(filter_buckets, bucket);
	if (value)
		*value += record->bytes;
	return 0;
}

PROGRAM(filter)
{
	struct record record = {.state = rounds};

	LOOP(rounds, filter_round, &record);
	return record.state;
}

/* ---- log2 histogram of 64 values ---- */

VALUES(histogram_slots, __u64, 64);

static __always_inline __u32 log2_of_32(__u32 v)
{
	__u32 shift, r;

	r = (v > 0xffff) << 4;
	v >>= r;
	shift = (v > 0xff) << 3;
	v >>= shift;
	r |= shift;
	shift = (v > 0xf) << 2;
	v >>= shift;
	r |= shift;
	shift = (v > 0x3) << 1;
	v >>= shift;
	r |= shift;
	r |= v >> 1;
	return r;
}

static __always_inline __u32 log2_of_64(__u64 v)
{
	__u32 high = v >> 32;

	return high ? log2_of_32(high) + 32 : log2_of_32((__u32)v);
}

struct histogram {
	__u64 state;
};

ROUND(histogram_value)
{
	struct histogram *h = arg;
	__u32 slot;
	__u64 *value;

	h->state = h->state * 6364136223846793005ull + 1442695040888963407ull;
	slot = log2_of_64(h->state >> (h->state >> 58));
	value = LOOKUP(histogram_slots, slot);
	if (value)
		*value += 1;
	return 0;
}

ROUND(histogram_round)
{
	LOOP(64, histogram_value, arg);
	return 0;
}

PROGRAM(histogram)
{
	struct histogram h = {.state = rounds};

	LOOP(rounds, histogram_round, &h);
	return (__u32)h.state;
}

/* ---- prime sieve: of the odd numbers up to 767, on the stack ---- */

#define SIEVE_BYTES 384

/* Which numbers are composite is marked by the number of the round: nothing has to be cleared. */
struct sieve {
	__u32 nr;
	__u8 marks[SIEVE_BYTES];
};

/* Marks every step-th number from k on. */
struct multiples {
	struct sieve *s;
	__u32 k, step;
	__u8 mark;
};

ROUND(sieve_mark)
{
	struct multiples *m = arg;
	__u32 k = m->k;

	if (k >= SIEVE_BYTES)
		return 1;
	m->s->marks[k] = m->mark;
	m->k = k + m->step;
	return 0;
}

struct numbers {
	struct sieve *s;
	__u32 nr;
	__u8 mark;
};

ROUND(sieve_number)
{
	struct numbers *n = arg;
	__u32 i = round + 1;
	struct multiples m;

	if (i >= SIEVE_BYTES)
		return 1;
	if (n->s->marks[i] == n->mark)
		return 0;
	n->nr++;
	m.s = n->s;
	m.k = 2 * i * (i + 1);
	m.step = 2 * i + 1;
	m.mark = n->mark;
	LOOP(SIEVE_BYTES, sieve_mark, &m);
	return 0;
}

ROUND(sieve_round)
{
	struct sieve *s = arg;
	struct numbers n = {.s = s, .nr = s->nr + 1, .mark = (round & 127) + 1};

	LOOP(SIEVE_BYTES, sieve_number, &n);
	s->nr = n.nr;
	return 0;
}

PROGRAM(sieve)
{
	struct sieve s = {.nr = rounds};

	LOOP(rounds, sieve_round, &s);
	return s.nr;
}

/* ---- ChaCha20 block (RFC 8439 section 2.3) ---- */

struct chacha {
	__u32 state[16], out[16];
};

#define QUARTER(a, b, c, d)                                                                        \
	do {                                                                                       \
		a += b, d ^= a, d = d << 16 | d >> 16;                                             \
		c += d, b ^= c, b = b << 12 | b >> 20;                                             \
		a += b, d ^= a, d = d << 8 | d >> 24;                                              \
		c += d, b ^= c, b = b << 7 | b >> 25;                                              \
	} while (0)

ROUND(chacha_round)
{
	struct chacha *c = arg;
	__u32 x[16];

#pragma unroll
	for (int i = 0; i < 16; i++)
		x[i] = c->state[i];
	for (int i = 0; i < 10; i++) {
		QUARTER(x[0], x[4], x[8], x[12]);
		QUARTER(x[1], x[5], x[9], x[13]);
		QUARTER(x[2], x[6], x[10], x[14]);
		QUARTER(x[3], x[7], x[11], x[15]);
		QUARTER(x[0], x[5], x[10], x[15]);
		QUARTER(x[1], x[6], x[11], x[12]);
		QUARTER(x[2], x[7], x[8], x[13]);
		QUARTER(x[3], x[4], x[9], x[14]);
	}
#pragma unroll
	for (int i = 0; i < 16; i++)
		c->out[i] = x[i] + c->state[i];
	c->state[12]++;
	c->state[4] ^= c->out[0];
	return 0;
}

PROGRAM(chacha)
{
	struct chacha c = {
		.state = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x03020100, 0x07060504,
			  0x0b0a0908, 0x0f0e0d0c, 0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c,
			  1, 0x09000000, 0x4a000000, 0},
	};
	__u32 sum = 0;

	LOOP(rounds, chacha_round, &c);
	for (int i = 0; i < 16; i++)
		sum ^= c.out[i];
	return sum;
}

/* ---- FNV-1a, 32 bits, of 64 bytes ---- */

#define FNV_BYTES 64

struct fnv {
	__u32 hash;
	__u8 data[FNV_BYTES];
};

ROUND(fnv_byte)
{
	struct fnv *f = arg;

	f->hash ^= f->data[round & (FNV_BYTES - 1)];
	f->hash *= 0x01000193;
	return 0;
}

ROUND(fnv_round)
{
	struct fnv *f = arg;
	__u32 before = f->hash;

	f->hash = 0x811c9dc5;
	LOOP(FNV_BYTES, fnv_byte, f);
	f->data[round & (FNV_BYTES - 1)]++;
	f->hash ^= before;
	return 0;
}

PROGRAM(fnv)
{
	struct fnv f = {.hash = rounds};

	for (__u32 i = 0; i < FNV_BYTES; i++)
		f.data[i] = (__u8)(i * 7);
	LOOP(rounds, fnv_round, &f);
	return f.hash;
}

/* ---- parser: the fields of a request line ---- */

#define PARSER_BYTES 64

enum { METHOD, PATH, NAME, NUMBER, REST };

struct parser {
	__u32 state, method, path, number, sum;
	char text[PARSER_BYTES];
};

/* One character; the last one is 0. */
ROUND(parser_step)
{
	struct parser *p = arg;
	char c = p->text[round & (PARSER_BYTES - 1)];

	if (!c)
		return 1;
	switch (p->state) {
	case METHOD:
		if (c == ' ')
			p->state = PATH;
		else
			p->method = p->method << 8 | (__u8)c;
		break;
	case PATH:
		if (c == '?')
			p->state = NAME;
		else if (c == ' ')
			p->state = REST;
		else
			p->path = p->path * 31 + (__u8)c;
		break;
	case NAME:
		if (c == '=') {
			p->state = NUMBER;
			p->number = p->sum;
		}
		break;
	case NUMBER:
		if (c >= '0' && c <= '9') {
			p->number = p->number * 10 + (__u32)(c - '0');
			break;
		}
		p->path ^= p->number;
		p->state = c == '&' ? NAME : REST;
		break;
	default:
		p->path += (__u8)c;
		break;
	}
	return 0;
}

ROUND(parser_round)
{
	struct parser *p = arg;

	p->state = METHOD;
	p->method = p->path = p->number = p->sum;
	LOOP(PARSER_BYTES, parser_step, p);
	p->sum = p->sum * 5 + (p->method ^ p->path);
	p->text[6 + (p->sum & 1)] = (char)('a' + (p->sum & 15));
	return 0;
}

/* no constant: what is parsed is not known to the compiler */
char parser_request[PARSER_BYTES] =
	"GET /index?width=640&height=480&depth=24 HTTP/1.1 host=example";

PROGRAM(parser)
{
	struct parser p = {.sum = rounds};

	for (__u32 i = 0; i < PARSER_BYTES; i++)
		p.text[i] = parser_request[i];
	LOOP(rounds, parser_round, &p);
	return p.sum;
}
