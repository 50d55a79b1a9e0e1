#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Messages to a program in a target: sent by the library from another process, drained by
# bpf_user_ringbuf_drain(); a sender that ends with one unfinished, and the next one.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/cli/common.sh"
here=$INLAY_SOURCE/tests/e2e/user-ring
case $(uname -m) in
x86_64) arch=x86 ;;
aarch64) arch=arm64 ;;
*) echo "no probes for $(uname -m)"; exit 77 ;;
esac
"$CLANG" -target bpf -g -O2 -Wall -Werror -D__TARGET_ARCH_$arch "-I/usr/include/$(uname -m)-linux-gnu" \
	"-I$INLAY_SOURCE/include" -c "$here/drain.bpf.c" -o "$work/drain.bpf.o"
inlay-cc -g -O2 "-finlay-probes=$work/drain.bpf.o" "$INLAY_SOURCE/tests/e2e/cli-events/target.c" \
	-o "$work/target" 2>"$work/build.log" || { cat "$work/build.log" >&2; exit 1; }
"$CLANG" -g -O2 -Wall -Wextra -Werror "-I$INLAY_SOURCE/include" "$here/sender.c" -o "$work/sender" \
	"$INLAY_BUILD/lib/libinlay-reader.a" -lbpf -lpthread

# holds NAME VALUE: a variable of the probe object
holds()
{
	has "$1" "$(inlay dump .bss)" "^$1 = $2\$"
}

start one
exits 0 "$work/sender" "$one" 0 20
[ "$out" = 0 ] || fail "a ring with room: $out"
tell one "mumble 1"
holds nr 20
holds drained 20
# the unfinished one is nobody's any more when the next one sends; and it waits for a drain when it has to
"$work/sender" "$one" 20 5000 >"$work/waits" &
sender=$!
pids+=($sender)
tries=0
while kill -0 $sender 2>/dev/null; do
	tell one "mumble 50"
	tries=$((tries + 1))
	[ $tries -lt 3000 ] || { fail "the sender does not end"; break; }
done
wait $sender || fail "the sender"
tell one "mumble 1"
[ "$(cat "$work/waits")" -gt 0 ] || fail "the sender never waited"
holds nr 5020
holds drained 5020
holds next 5020
holds wrong 0
holds errors 0
exits 1 inlay trace -1 "$one" messages
finish
