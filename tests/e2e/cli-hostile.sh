#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Segments that `inlay` must refuse with a reason: cut under a watch, of another user, of another ABI, garbage.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/cli/common.sh"
build_target
start one
segment=$(ls "$INLAY_DIR")

# A copy, with a process that counts as its writer: the kernel would end a real target whose file is cut.
export INLAY_DIR=$work/copies
mkdir -m 700 "$INLAY_DIR"
copy=$INLAY_DIR/$segment
cp "$work/segments/$segment" "$copy"
python3 - "$copy" <<'PY' &
import fcntl, struct, sys, time
fd = open(sys.argv[1], "r+b")
lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 1 << 62, 1, 0)
fcntl.fcntl(fd, 37, lock)  # F_OFD_SETLK
time.sleep(60)
PY
pids+=($!)
for _ in $(seq 250); do
	inlay ps | grep -q live && break
	sleep 0.02
done
has "a copy with a writer" "$(inlay ps)" ' live '
inlay watch -i 0.05 >"$work/watch.out" 2>&1 &
watcher=$!
pids+=($watcher)
appears "$work/watch.out"
kill -0 $watcher 2>/dev/null || fail "watch ended early: $(cat "$work/watch.out")"
truncate -s 30000 "$copy"
code=0
wait $watcher || code=$?
[ $code = 1 ] || fail "watch of a file that is cut exits with $code"
has "cut under watch" "$(cat "$work/watch.out")" 'cut short while it was being read'

for bytes in 0 8 200 1000 5000 20000; do
	head -c $bytes "$work/segments/$segment" >"$copy"
	for command in "dump sizes" "hist latency_ns" maps stat "watch -n 1" "trace -1" "on all"; do
		# shellcheck disable=SC2086
		exits 1 inlay $command
		has "$command of $bytes bytes" "$out" 'too short|cut short'
	done
	exits 0 inlay ps
	has "ps of $bytes bytes" "$out" 'refused: (too short|cut short)'
done

# another major version of the ABI: bytes 8 and 9
cp "$work/segments/$segment" "$copy"
printf '\x63\x00' | dd of="$copy" bs=1 seek=8 conv=notrunc status=none
exits 1 inlay dump sizes
has "another ABI" "$out" 'ABI version 99\.'
head -c 500000 /dev/urandom >"$copy"
exits 1 inlay maps
has "garbage" "$out" 'not a segment'
exits 0 inlay gc
has "gc leaves what it does not know" "$out" 'left alone'
[ -e "$copy" ] || fail "gc removed a file that it does not know"

# other users
cp "$work/segments/$segment" "$copy"
chmod 755 "$INLAY_DIR"
exits 1 inlay ps
has "an open directory" "$out" 'mode 755'
chmod 700 "$INLAY_DIR"
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$copy"
	exits 1 inlay dump sizes
	has "another user's file" "$out" 'belongs to user 65534'
	exits 1 inlay dump sizes -p "$copy"
	has "another user's file by path" "$out" 'belongs to user 65534'
	chown 65534 "$INLAY_DIR"
	exits 1 inlay ps
	has "another user's directory" "$out" 'belongs to user 65534'
	exits 0 inlay dump sizes -u 65534
	has "asked for by root" "$out" '^0: 52$'
	chown 0 "$INLAY_DIR"
fi
rm -f "$copy"
ln -s "$work/segments/$segment" "$copy"
exits 1 inlay dump sizes
has "a link" "$out" 'symbolic link'

# flipped bytes all over: any answer, but an orderly one
rm -f "$copy"
python3 - "$work/segments/$segment" "$copy" <<'PY'
import os, random, subprocess, sys
random.seed(7)
data = open(sys.argv[1], "rb").read()
commands = [["maps"], ["stat"], ["dump", "conns"], ["dump", "conns", "-j"], ["hist", "latency_ns"],
            ["dump", "by_thread", "-t"], ["watch", "-n", "1", "-i", "0.01"], ["trace", "-1"], ["ps", "-j"]]
for i in range(60):
    bad = bytearray(data)
    for _ in range(random.choice([1, 10, 1000])):
        place = random.randrange(len(bad) if i % 2 else 8192)
        bad[place] = random.choice([0, 255, 1, random.randrange(256)])
    with open(sys.argv[2], "wb") as f:
        f.write(bad)
    command = commands[i % len(commands)]
    run = subprocess.run(["inlay"] + command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    if run.returncode not in (0, 1) or b"\x1b" in run.stdout + run.stderr:
        sys.exit(f"inlay {command}: {run.returncode} {run.stderr!r}")
PY

# binaries whose headers, tables and records are damaged
python3 - "$work/target" "$work/damaged" <<'PY'
import random, struct, subprocess, sys
random.seed(11)
data = open(sys.argv[1], "rb").read()
headers = struct.unpack_from("<Q", data, 40)[0]
for i in range(120):
    bad = bytearray(data)
    for _ in range(random.choice([1, 3, 30])):
        low, high = random.choice([(16, 64), (headers, len(bad)), (0, len(bad))])
        bad[random.randrange(low, high)] = random.choice([0, 255, 1, random.randrange(256)])
    with open(sys.argv[2], "wb") as f:
        f.write(bad)
    run = subprocess.run(["inlay", "list", sys.argv[2]], capture_output=True, timeout=30)
    if run.returncode not in (0, 1) or b"\x1b" in run.stdout + run.stderr:
        sys.exit(f"inlay list: {run.returncode} {run.stderr!r}")
PY
tell one "work 1" # and the real target runs on
finish
