/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic on arguments of many types. A file of its own: nobody who calls it can see into it. */
#include "kv.h"

#include <string.h>

int kv_mix(signed char a, unsigned short b, int c, unsigned int d, long e, unsigned long f)
{
	return (int)(a + b + c + (int)d + e + (long)f);
}

long kv_weigh(double weight, int rank, float bias, unsigned char level, double scale, short shift)
{
	return (long)(weight * rank + (double)bias * level + scale) + shift;
}

uint64_t kv_sum(struct kv_range range, uint32_t seed)
{
	uint64_t sum = seed;

	for (int32_t i = 0; i < range.count; i++)
		sum += (uint64_t)(range.first + (int64_t)i * range.step);
	return sum;
}

int kv_match(struct kv_filter filter, uint64_t value, int16_t nth)
{
	if (value < filter.min || value > filter.max)
		return -nth;
	return (int)((value & filter.mask) + filter.flags + strlen(filter.prefix));
}

bool kv_is_odd(uint8_t n)
{
	return n & 1;
}

signed char kv_narrow(long n)
{
	return (signed char)n;
}

int16_t kv_short(long n)
{
	return (int16_t)n;
}

uint8_t kv_byte(long n)
{
	return (uint8_t)n;
}

uint32_t kv_word(long n)
{
	return (uint32_t)n;
}

int64_t kv_negate(int64_t n)
{
	return -n;
}

struct kv_range kv_span(int64_t first, int32_t count)
{
	struct kv_range range = { .first = first, .count = count, .step = 1 };

	return range;
}

double kv_ratio(long a, long b)
{
	return b ? (double)a / (double)b : 0;
}

void kv_nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Recursion; the barriers keep the compiler from turning one of the calls into a loop. */
unsigned long kv_fibonacci(unsigned int n)
{
	unsigned long a, b;

	if (n < 2)
		return n;
	a = kv_fibonacci(n - 1);
	__asm__ volatile("" : "+r"(a));
	b = kv_fibonacci(n - 2);
	__asm__ volatile("" : "+r"(b));
	return a + b;
}

/* Two functions that call each other. */
int kv_even(int n)
{
	int is_even = n ? kv_odd(n - 1) : 1;

	__asm__ volatile("" : "+r"(is_even));
	return is_even;
}

int kv_odd(int n)
{
	int is_odd = n ? kv_even(n - 1) : 0;

	__asm__ volatile("" : "+r"(is_odd));
	return is_odd;
}

int kv_wide(int a, int b, int c, int d, int e, int f, int g, int h)
{
	return a - b + c - d + e - f + g - h;
}
