/* SPDX-License-Identifier: BSD-2-Clause */
/* A program with USDT probes of every kind of argument; C and C++. */
#include <inlay/probe.h>
#include <stdbool.h>
#include <string.h>

struct thing {
	short m;
	unsigned short um;
	char text[10];
	const volatile long cv;
	float f;
	double d;
};
enum color { RED, GREEN };
enum sign { MINUS = -1, PLUS };

#ifdef __cplusplus
extern "C" {
#endif
void stap_probes(int n, const char *text);
long sema_probes(int n);
#ifdef __cplusplus
}
#endif

static struct thing global = { -2, 65535, "abc", -9, 1.5f, 2.5 };
static unsigned long counter = 1ul << 40;

static inline int inlined(int x)
{
	INLAY_PROBE(t, inlined, x, (char)x);
	return x + 1;
}

__attribute__((noinline)) int probes(signed char sc, unsigned char uc, bool b, struct thing *p,
				     enum color c, long long ll, char ch, enum sign s);
int probes(signed char sc, unsigned char uc, bool b, struct thing *p, enum color c, long long ll,
	   char ch, enum sign s)
{
	INLAY_PROBE(t, none);
	INLAY_PROBE(t, small, sc, uc, b, p->m, p->um, ch);
	INLAY_PROBE(t, types, c, s, ll, p, p->text, "literal", &global, p->cv, counter, p->um,
		    sizeof(int));
	INLAY_PROBE(t, consts, -5, 7u, 1ll << 40, (char)97, -1l, (unsigned char)200);
	INLAY_PROBE(t, floats, p->f, p->d);
	INLAY_PROBE(t, twelve, 1, 2, 3, 4, 5, 6, 7, 8, sc, uc, ll, ch);
	return inlined(sc) + inlined(uc) * inlined(c);
}

/* The kernel reads no memory that is not there yet; a process reading its own does. */
static char touch(const volatile char *text)
{
	return *text;
}

int main(int argc, char **argv)
{
	static const char text[] = "some text";
	int sum = touch("literal") + touch(text);

	for (int i = 0; i < 100; i++) {
		global.m = (short)(i * 300);
		counter += (unsigned long)argc;
		sum += probes((signed char)-i, (unsigned char)(255 - i), i & 1, &global,
			      i & 2 ? GREEN : RED, -(1ll << (i % 60)), (char)(i * 5), i & 4 ? MINUS : PLUS);
		stap_probes(i, text);
		sum += (int)sema_probes(i);
	}
	return sum == 12345678 && strlen(argv[0]) == 0;
}
