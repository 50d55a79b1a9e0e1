/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk on arm64: records upwards only, aligned, without signatures; run under qemu-user. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "rt/inlay_rt.h"

#define USER_STACK 256

static uint64_t ips[16];
static volatile int sink;
static int failed;

static void check(const char *what, int is_right)
{
	if (!is_right) {
		printf("FAIL: %s\n", what);
		failed = 1;
	}
}

static int64_t walk(const void *fp)
{
	memset(ips, 0x55, sizeof(ips));
	return __inlay_get_stack_v1(ips, sizeof(ips), USER_STACK, 7, 0, (uint64_t)fp);
}

/* the calls are before the functions' ends, so that these have frames */
static __attribute__((noinline)) int64_t inner(void)
{
	int64_t n = walk(__builtin_frame_address(0));

	sink++;
	return n;
}

static __attribute__((noinline)) int64_t outer(void)
{
	int64_t n = inner();

	sink++;
	return n;
}

static int is_in(uint64_t ip, uintptr_t function)
{
	return ip > function && ip < function + 128;
}

int main(void)
{
	uint64_t record[4] = { (uint64_t)record, 5 };

	check("a chain of the compiler's", outer() >= 32 && ips[0] == 7 &&
						    is_in(ips[1], (uintptr_t)outer) &&
						    is_in(ips[2], (uintptr_t)main));
	check("a circle", walk(record) == 16 && ips[1] == 5 && !ips[2]);
	record[0] = (uint64_t)record - 64;
	check("downwards", walk(record) == 16);
	check("not aligned", walk((char *)record + 4) == 8);
	check("nothing there", walk((void *)0x10000) == 8);
	record[0] = 0x7000000000;
	record[1] = 0x00550000deadbeef;
	check("a signature", walk(record) == 16 && ips[1] == 0xdeadbeef);
	return failed;
}
