/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes by SystemTap's header: registers, memory, and one inside other assembly. */
#include <sys/sdt.h>

struct node {
	struct node *next;
	long values[4];
};

void stap_probes(int n, const char *text);
void stap_probes(int n, const char *text)
{
	struct node second = { 0, { n, -n, 3, 4 } }, first = { &second, { 7, 8, 9, n * 3 } };
	long out;

	STAP_PROBE2(stap, two, n * 7 - 100, (unsigned char)(n + 200));
	STAP_PROBE5(stap, memory, first.next->values[1], first.values[3], (short)n, n > 50, text);
	__asm__ volatile("mov %1, %0\n" STAP_PROBE_ASM(stap, asm, STAP_PROBE_ASM_TEMPLATE(2))
			 : "=&r"(out)
			 : "r"((long)n), STAP_PROBE_ASM_OPERANDS(2, n + 1, -n));
	if (out != n)
		__builtin_trap();
}
