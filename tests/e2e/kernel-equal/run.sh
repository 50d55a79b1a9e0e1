#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The same probe object in the kernel and inlaid: run.sh NAME [PROBE-FLAG...] [-- KV-FLAG...]
# Builds kv with NAME.bpf.o inlaid, attaches the same object to a plain kv as uprobes, feeds both the same
# requests, and compares answers and maps, entry by entry. PROBE-FLAGs go to the compiler of the probe,
# KV-FLAGs to that of the inlaid kv.
set -eu

name=$1
shift
probe_flags=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	probe_flags+=("$1")
	shift
done
[ $# = 0 ] || shift
[ $# -gt 0 ] || set -- -O2 -g
here=$(cd "$(dirname "$0")" && pwd)
tools=$INLAY_BUILD/tests/kernel-equal
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -m 700 "$work/inlaid" "$work/plain" "$work/segments"

if [ "$(id -u)" != 0 ]; then
	echo "uprobes need root"
	exit 77
fi
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64

"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" "${probe_flags[@]}" -c "$here/$name.bpf.c" -o "$work/$name.bpf.o"
# both programs are called kv: bpf_get_current_comm() must agree as well
cp "$INLAY_BUILD/samples/kv" "$work/plain/kv"
"$INLAY_BUILD/bin/inlay-cc" "$@" "-finlay-probes=$work/$name.bpf.o" \
	"$INLAY_SOURCE"/samples/kv/*.c -o "$work/inlaid/kv" -lpthread 2>"$work/build.log" || {
	cat "$work/build.log"
	exit 1
}
"$here/requests.sh" >"$work/requests"

cat >"$work/plain/run" <<RUN
#!/bin/sh
exec "$work/plain/kv" <"$work/requests" >"$work/plain/answers"
RUN
chmod +x "$work/plain/run"
"$tools/attach" "$work/$name.bpf.o" "$work/plain/kv" "$work/plain/run" >"$work/plain/dump"

if grep -q '^} filled SEC' "$here/$name.bpf.c"; then
	# it gets its messages when it is there, and its requests then
	mkfifo "$work/inlaid/requests"
	INLAY_DIR=$work/segments INLAY_KEEP=1 "$work/inlaid/kv" <"$work/inlaid/requests" \
		>"$work/inlaid/answers" &
	kv=$!
	exec 3>"$work/inlaid/requests"
	tries=0
	until INLAY_DIR=$work/segments "$tools/fill" $kv 2>"$work/fill.log"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || { cat "$work/fill.log"; exit 1; }
		sleep 0.05
	done
	cat "$work/requests" >&3
	exec 3>&-
	wait $kv
else
	INLAY_DIR=$work/segments INLAY_KEEP=1 "$work/inlaid/kv" <"$work/requests" >"$work/inlaid/answers"
fi
set -- "$work"/segments/*
if [ $# != 1 ] || [ ! -f "$1" ]; then
	echo "expected one segment: $*"
	exit 1
fi
"$tools/segment" "$1" >"$work/inlaid/dump"

cmp "$work/plain/answers" "$work/inlaid/answers"
# constants that no program refers to are not emitted
if ! grep -q '^\.rodata' "$work/inlaid/dump"; then
	sed -i '/^\.rodata/d' "$work/plain/dump"
fi
for side in plain inlaid; do
	sort "$work/$side/dump" >"$work/$side/sorted"
done
if ! diff -u "$work/plain/sorted" "$work/inlaid/sorted"; then
	echo "$name: the maps differ (-: in the kernel, +: inlaid)"
	exit 1
fi
# and the command shows what the segment holds
INLAY_DIR=$work/segments python3 "$here/command.py" "$INLAY_BUILD/bin/inlay" | sort >"$work/inlaid/command"
# (records of ring buffers are not a map's entries)
if ! diff -u <(grep -v '^record ' "$work/inlaid/sorted") "$work/inlaid/command"; then
	echo "$name: the command shows something else (-: in the segment, +: shown)"
	exit 1
fi
# equal because nothing ran would be no equality
if ! grep -v '^\.rodata' "$work/plain/sorted" | awk '{ print $3 }' | grep -q '[1-9a-f]'; then
	echo "$name: nothing was counted"
	exit 1
fi
echo "$name: $(wc -l <"$work/plain/sorted") entries are equal"
