#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A verified program as a plain C function: --emit=header with the .o and with the .so of the same object.
# Variables are set before it is called, constants of .rodata were set when it was compiled and
# are folded, a map is read by its handle. Every output is the same, byte for byte, a second time.
set -eu

bpfcc=$INLAY_BUILD/bin/bpfcc
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

fail() {
	echo "FAIL: $*"
	exit 1
}

cat >score.bpf.c <<'EOC'
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

enum mode { OFF, ON };
struct limits {
	char kind;
	long low, high;
	union { unsigned short half; unsigned char bytes[2]; } both;
};
const volatile int scale = 1;
const volatile _Bool verbose = 0;
struct limits limits = {.kind = 'a', .low = 1, .high = 10};
unsigned int table[2][3] = {{1, 2, 3}, {4, 5, 6}};
enum mode mode;
_Bool is_seen;
static long calls;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, long);
} last SEC(".maps");

SEC("uprobe") int score(struct pt_regs *ctx)
{
	long v = PT_REGS_PARM1(ctx), w = PT_REGS_PARM2(ctx) & 1;
	int key = 7;

	calls++;
	is_seen = 1;
	if (verbose)
		return -2;
	if (mode == OFF || v < limits.low || v > limits.high)
		return -1;
	v = v * scale + table[w][2] + limits.both.bytes[1];
	bpf_map_update_elem(&last, &key, &v, 0);
	return v;
}
char LICENSE[] SEC("license") = "GPL";
EOC

cat >main.c <<'EOC'
#include "score.h"
#ifdef __cplusplus
extern "C"
#endif
void *__inlay_map_lookup_elem_v1(const struct inlay_map_desc *desc, const void *key);
#include <stdio.h>
#ifdef SHARED
#define LAST 0l
#else
static long last(void)
{
	int key = 7;
	long *value = (long *)__inlay_map_lookup_elem_v1(score_map_last(), &key);

	return value ? *value : -1;
}
#define LAST last()
#endif
int main(void)
{
	printf("%ld ", (long)score_score_args(5, 1, 0, 0, 0, 0));
	score_bss()->mode = 1;
	printf("%ld ", (long)score_score_args(5, 1, 0, 0, 0, 0));
	score_data()->limits.high = 100;
	score_data()->limits.both.bytes[1] = 50;
	score_data()->table[0][2] = 1000;
	printf("%ld %ld ", (long)score_score_args(99, 0, 0, 0, 0, 0),
	       (long)score_score_args(101, 0, 0, 0, 0, 0));
	printf("%ld %d %c %ld\n", (long)score_bss()->calls, score_bss()->is_seen,
	       score_data()->limits.kind, LAST);
	return score_map_last()->max_entries != 8;
}
EOC

case $(uname -m) in
x86_64) define=-D__TARGET_ARCH_x86 ;;
aarch64) define=-D__TARGET_ARCH_arm64 ;;
*)
	echo "skipped: no eBPF registers known for this machine"
	exit 77
	;;
esac
"$CLANG" -target bpf -g -O2 $define -I"/usr/include/$(uname -m)-linux-gnu" -c score.bpf.c -o score.bpf.o
for out in o so h; do
	"$bpfcc" --set scale=3 score.bpf.o -o score.$out
	"$bpfcc" --set scale=3 score.bpf.o -o again.$out
	cmp score.$out again.$out
done
[ "$(ls /tmp/bpfcc-* 2>/dev/null | wc -l)" = 0 ] || fail "temporary files are left behind"

flags="-Wall -Wextra -pedantic -Werror -Wno-address-of-packed-member -I$INLAY_SOURCE -I$INLAY_SOURCE/include -I."
"$CLANG" $flags -O2 main.c score.o "$INLAY_BUILD/lib/libinlay.a" -o with_object
"$CLANG" $flags -O2 -DSHARED main.c ./score.so -o with_library
"$CLANG" --driver-mode=g++ $flags -O2 -x c++ main.c -x none score.o "$INLAY_BUILD/lib/libinlay.a" -o with_cxx
export INLAY_DIR=$scratch
expected="-1 21 1347 -1 4 1 a"
for program in with_object with_cxx; do
	result=$(./$program)
	[ "$result" = "$expected 1347" ] || fail "$program: '$result', not '$expected 1347'"
done
result=$(./with_library)
[ "$result" = "$expected 0" ] || fail "with_library: '$result', not '$expected 0'"

# constants are folded: the scale is nowhere, the branch that is off neither
"$bpfcc" --set scale=3 score.bpf.o -o score.s
grep -q "__inlay_region_[0-9a-f]*__rodata(%rip)" score.s && fail "a constant is loaded"
grep -qE '\$-2\b|\$4294967294\b' score.s && fail "what a constant switches off is there"

# names that C, C++ or the header itself have, bit-fields, what ends or begins a comment
cat >names.bpf.c <<'EOC'
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
enum sign { MINUS = -3, PLUS = 3 } sign;
enum wide { WIDE = 0x100000000 } wide;
struct { union { struct { unsigned char low : 3, high : 5; }; unsigned char both; }; int behind; } nested;
struct { unsigned a : 7, b : 20; unsigned long c : 33; short d : 5; unsigned char e; int f : 1; } bits;
struct { int class, new, this; } words;
struct { int nr; int more[]; } tail = {1, {2, 3}};
struct {} nothing;
int behind_tail = 5;
int both_n;
char string[8];
int dotted SEC(".data.x.y") = 1, lined SEC(".data.x_y") = 2;
SEC("uprobe.multi/*") int both(void *ctx) { static int n; both_n++; return n += bits.d; }
SEC("uprobe/a*/b:f") int bss(void *ctx) { nested.behind++; return sign + bits.e + (wide == WIDE) + string[0] - '1'; }
SEC("uprobe/g") int bss_args(void *ctx) { return nested.high + words.class + behind_tail + dotted * 10000 + lined * 1000000; }
char LICENSE[] SEC("license") = "GPL";
EOC
cat >names.c <<'EOC'
#include <errno.h>
#include <string.h>
#include "names.h"
int main(void)
{
	struct names_bss_ *b = names_bss_();

	b->bits.a = 1;
	b->bits.b = 0xfffff;
	b->bits.c = 0x155555555;
	b->bits.d = -3;
	b->bits.e = 7;
	b->bits.f = -1;
	b->sign = -3;
	b->wide = 0x100000000;
	b->nested.both = 0xff;
	b->words.class_ = 100;
	strcpy(b->string, "1");
	names_data()->behind_tail += 1000;
	names_data_x_y()->dotted += 10;
	LINED->lined += 20;
	return !(names_both_args(0, 0, 0, 0, 0, 0) == -3 && b->both_n == 1 && b->both_n_ == -3 &&
		 names_bss_args(0, 0, 0, 0, 0, 0) == 5 && b->nested.behind == 1 &&
		 names_bss_args__args(0, 0, 0, 0, 0, 0) == 31 + 100 + 1005 + 110000 + 22000000 && b->bits.a == 1);
}
EOC
"$CLANG" -target bpf -g -O2 $define -I"/usr/include/$(uname -m)-linux-gnu" -w -c names.bpf.c -o names.bpf.o
"$bpfcc" names.bpf.o -o names.o
"$bpfcc" names.bpf.o -o names.h
# the name of the second section is not the first one's: its number tells them apart
flags="$flags -DLINED=$(sed -n 's/^static inline struct names_data_x_y_.* \*\(names_data_x_y_.*\)(void)/\1()/p' names.h)"
"$CLANG" $flags names.c names.o "$INLAY_BUILD/lib/libinlay.a" -o names
./names || fail "names"
"$CLANG" --driver-mode=g++ $flags -x c++ names.c -x none names.o "$INLAY_BUILD/lib/libinlay.a" -o names_cxx
./names_cxx || fail "names in C++"

# what cannot be linked says so, and leaves nothing
if "$bpfcc" --target=aarch64-linux-gnu score.bpf.o -o other.so 2>message; then
	fail "a library for another machine"
fi
grep -q "for this machine only\|helpers of this build\|pt_regs" message || fail "$(cat message)"
[ ! -e other.so ] || fail "a library is left behind"
