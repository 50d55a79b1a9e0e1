/* SPDX-License-Identifier: BSD-2-Clause */
/* A target that calls program HIT as the pass would: 10 hits for key 3, 5 for key 4. */
#include <stdio.h>
#include <string.h>

#include "inlay/abi.h"

__u64 HIT(struct inlay_frame *frame);

int main(void)
{
	struct inlay_frame frame;
	unsigned long long a = 0, b = 0;

	memset(&frame, 0, sizeof(frame));
	frame.regs.di = 3;
	for (int i = 0; i < 10; i++)
		a = HIT(&frame);
	frame.regs.di = 4;
	for (int i = 0; i < 5; i++)
		b = HIT(&frame);
	printf("key 3: %llu, key 4: %llu\n", a, b);
	return 0;
}
