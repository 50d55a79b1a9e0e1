#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A consumer by the library and programs that produce at once: what they make is what comes and what is counted
# as lost; and programs that share a ring and are killed while they write to it, which holds nobody up.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/cli/common.sh"
here=$INLAY_SOURCE/tests/e2e/events-live
case $(uname -m) in
x86_64) arch=x86 ;;
aarch64) arch=arm64 ;;
*) echo "no probes for $(uname -m)"; exit 77 ;;
esac
"$CLANG" -target bpf -g -O2 -Wall -Werror -D__TARGET_ARCH_$arch "-I/usr/include/$(uname -m)-linux-gnu" \
	"-I$INLAY_SOURCE/include" -c "$here/live.bpf.c" -o "$work/live.bpf.o"
inlay-cc -g -O2 "-finlay-probes=$work/live.bpf.o" "$here/producer.c" -o "$work/producer" -lpthread \
	2>"$work/build.log" || { cat "$work/build.log" >&2; exit 1; }
"$CLANG" -g -O2 -Wall -Wextra -Werror "-I$INLAY_SOURCE/include" "$here/consumer.c" -o "$work/consumer" \
	"$INLAY_BUILD/lib/libinlay-reader.a" -lbpf -lpthread

# consume SECONDS: starts a consumer, whose stdin is $work/NAME.in
consume()
{
	rm -f "$work/in"
	mkfifo "$work/in"
	"$work/consumer" "$INLAY_DIR" "$1" <"$work/in" >"$work/consumer.out" &
	consumer=$!
	pids+=($consumer)
	exec 9>"$work/in"
}

# consumed EXPRESSION: ends the consumer; python over what it says
consumed()
{
	echo >&9
	exec 9>&-
	wait "$consumer" || fail "the consumer: $(cat "$work/consumer.out")"
	json "consumer" "$1" <"$work/consumer.out"
}

# ---- several targets, each with its ring
consume 60
for i in 1 2 3; do
	INLAY_KEEP=1 "$work/producer" 2 20000 >"$work/made.$i" &
	made[i]=$!
	pids+=($!)
done
for i in 1 2 3; do
	wait "${made[i]}" || fail "producer $i"
done
consumed 'd["threads"] == 6 and d["events"] + d["lost"] == 120000 and d["gaps"] <= d["lost"] and
	d["events"] > 5000 and d["in_time"]'
inlay gc -a >/dev/null

# ---- one ring, whose producers are killed
consume 60
INLAY_SEGMENT=shared "$work/producer" 2 0 &
steady=$!
pids+=($steady)
for i in $(seq 40); do
	INLAY_SEGMENT=shared "$work/producer" 2 0 &
	victim=$!
	sleep 0.0$((i % 9 + 1))
	kill -9 $victim
	wait $victim 2>/dev/null || :
done
kill -0 $steady || fail "the steady producer has ended"
kill -9 $steady
wait $steady 2>/dev/null || :
# nobody waited for a dead one longer than a look or two
consumed 'd["threads"] > 40 and d["gaps"] <= d["lost"] and d["events"] > 5000 and
	d["longest_ms"] < 5000 and d["in_time"]'
cat "$work/consumer.out"
finish
