#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# funccount: counts per function, read while the program runs, equal to what uprobes count.
. "$(dirname "$0")/sample-common.sh"

build_sample funccount 'FUNCTIONS(F)=F(kv_get) F(kv_set) F(kv_fibonacci)' \
	-finlay-attach='count_matching:kv_[os][dp][da]*'
check_loads_in_kernel funccount

start_kv
ask "set a 1"
ask "get a"
[ "$(inlay dump calls --sym -p $server | sort)" = "$(printf 'kv_get: 1\nkv_set: 1')" ] ||
	fail "after one set and one get: $(inlay dump calls --sym -p $server)"
for _ in 1 2 3; do
	ask "get a"
done
ask "fib 5"
ask "even 4"
ask "types 1"
# kv_fibonacci(5) is 15 calls, kv_even(4) calls kv_odd twice; the glob also takes kv_span
want=$(printf '%s\n' kv_fibonacci:15 kv_get:4 kv_odd:2 kv_set:1 kv_span:1)
got=$(inlay dump calls --sym -j -p $server | python3 -c '
import json, sys
for e in json.load(sys.stdin):
    print("%s:%d" % (e["symbol"], sum(v["value"] for v in e["formatted"]["values"])))' | sort)
[ "$got" = "$want" ] || fail "expected"$'\n'"$want"$'\n'"but got"$'\n'"$got"
stop_kv
[ -z "$(ls "$work/segments")" ] || fail "a segment is left after a normal exit"

if [ "$(id -u)" = 0 ]; then
	printf 'set a 1\nget a\nfib 7\n' >"$work/requests"
	printf '#!/bin/sh\nexec "%s" <"%s" >/dev/null\n' "$INLAY_BUILD/samples/kv" "$work/requests" \
		>"$work/run"
	chmod +x "$work/run"
	"$INLAY_BUILD/tests/kernel-equal/attach" "$work/funccount.bpf.o" "$INLAY_BUILD/samples/kv" \
		"$work/run" | awk '{ print $3 }' | sort >"$work/kernel"
	INLAY_KEEP=1 "$work/kv" <"$work/requests" >/dev/null
	"$INLAY_BUILD/tests/kernel-equal/segment" "$work"/segments/* | awk '{ print $3 }' |
		sort >"$work/inlaid"
	diff -u "$work/kernel" "$work/inlaid" || fail "uprobes count something else"
fi
echo "funccount: ok"
