#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What INLAY_PROBE() makes is a USDT probe for other tools as well, beside the program that is inlaid there:
# bpftrace and perf find it in the file, and see each hit with its arguments.
set -eu

work=$(mktemp -d)
provider=inlay_test_$$
perf=(perf --buildid-dir "$work/build-ids")
cleanup()
{
	"${perf[@]}" probe -q -d "sdt_$provider:*" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

if [ "$(id -u)" != 0 ]; then
	echo "uprobes need root"
	exit 77
fi
for tool in bpftrace perf; do
	if ! command -v $tool >/dev/null; then
		echo "no $tool (packages bpftrace, linux-perf)"
		exit 77
	fi
done
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64

cat >"$work/shop.c" <<C
#include <inlay/probe.h>

static char name[] = "apples";

__attribute__((noinline)) static int order(int n, const char *what, long long price)
{
	INLAY_PROBE($provider, order, n, what, price);
	return n;
}

int main(void)
{
	int sum = 0;

	for (int i = 1; i <= 3; i++)
		sum += order(i * 7, name, -5ll * i);
	return sum != 42;
}
C
cat >"$work/count.bpf.c" <<C
#include <stdbool.h>
#include <inlay/inlay.bpf.h>
#include <bpf/usdt.bpf.h>

__u64 orders, sum;

SEC("usdt/shop:$provider:order")
int order(struct pt_regs *ctx)
{
	long n;

	if (!bpf_usdt_arg(ctx, 0, &n))
		sum += n;
	orders++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
C
"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$work/count.bpf.c" -o "$work/count.bpf.o"

fail()
{
	echo "$1"
	cat "$work/log"
	exit 1
}

cat >"$work/expected" <<TEXT
7 apples -5
14 apples -10
21 apples -15
TEXT
for flags in "-O0 -g" "-O2" "-O2 -static"; do
	# shellcheck disable=SC2086
	"$INLAY_BUILD/bin/inlay-cc" $flags "-I$INLAY_SOURCE/include" "-finlay-probes=$work/count.bpf.o" \
		"$work/shop.c" -o "$work/shop" 2>"$work/log" || fail "$flags: the target cannot be built"
	mkdir -m 700 "$work/segments"
	export INLAY_DIR=$work/segments INLAY_KEEP=1

	bpftrace -l "usdt:$work/shop:*" >"$work/list" 2>"$work/log" || fail "$flags: bpftrace -l"
	[ "$(cat "$work/list")" = "usdt:$work/shop:$provider:order" ] || fail "$flags: $(cat "$work/list")"
	bpftrace -c "$work/shop" -o "$work/seen" -e "usdt:$work/shop:$provider:order {
		printf(\"%d %s %d\\n\", arg0, str(arg1), arg2); }" >"$work/log" 2>&1 ||
		fail "$flags: bpftrace"
	grep apples "$work/seen" | diff -u "$work/expected" - || fail "$flags: bpftrace saw something else"

	"${perf[@]}" buildid-cache --add "$work/shop" >"$work/log" 2>&1 || fail "$flags: perf buildid-cache"
	"${perf[@]}" probe -q -x "$work/shop" "%sdt_$provider:order" >"$work/log" 2>&1 ||
		fail "$flags: perf probe"
	"${perf[@]}" record -o "$work/perf.data" -e "sdt_$provider:order" "$work/shop" >"$work/log" 2>&1 ||
		fail "$flags: perf record"
	"${perf[@]}" script -i "$work/perf.data" -F trace >"$work/seen" 2>"$work/log" ||
		fail "$flags: perf script"
	"${perf[@]}" probe -q -d "sdt_$provider:*" >"$work/log" 2>&1 || fail "$flags: perf probe -d"
	"${perf[@]}" buildid-cache --purge-all >"$work/log" 2>&1 || fail "$flags: perf buildid-cache"
	[ "$(grep -c 'arg1=' "$work/seen")" = 3 ] || fail "$flags: perf saw $(cat "$work/seen")"
	for n in 7 14 21; do
		grep -q "arg1=$n " "$work/seen" || fail "$flags: perf saw $(cat "$work/seen")"
	done

	# and the inlaid program ran in both runs
	for segment in "$work"/segments/*; do
		"$INLAY_BUILD/bin/inlay" dump -p "$segment" .bss >"$work/log" 2>&1 || fail "$flags: inlay dump"
		grep -q 'orders = 3' "$work/log" || fail "$flags: the inlaid program"
		grep -q 'sum = 42' "$work/log" || fail "$flags: the inlaid program"
	done
	[ "$(ls "$work/segments" | wc -l)" = 2 ] || fail "$flags: segments: $(ls "$work/segments")"
	rm -rf "$work/segments" "$work/perf.data"
done
echo "bpftrace and perf see the probes and their arguments"
