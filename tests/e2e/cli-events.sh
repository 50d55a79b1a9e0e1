#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `inlay trace` on rings: typed text, JSON, counts, several targets, consumers that are refused, stopped or
# interrupted, targets that are killed, rings whose bytes are damaged.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/cli/common.sh"
here=$INLAY_SOURCE/tests/e2e/cli-events
case $(uname -m) in
x86_64) arch=x86 ;;
aarch64) arch=arm64 ;;
*) echo "no probes for $(uname -m)"; exit 77 ;;
esac
"$CLANG" -target bpf -g -O2 -Wall -Werror -D__TARGET_ARCH_$arch "-I/usr/include/$(uname -m)-linux-gnu" \
	"-I$INLAY_SOURCE/include" -c "$here/events.bpf.c" -o "$work/events.bpf.o"
inlay-cc -g -O2 "-finlay-probes=$work/events.bpf.o" "$here/target.c" -o "$work/target" 2>"$work/build.log" ||
	{ cat "$work/build.log" >&2; exit 1; }

# background NAME COMMAND...: its output goes to $work/NAME.out and .err, its pid to $NAME
background()
{
	local name=$1
	shift
	"$@" >"$work/$name.out" 2>"$work/$name.err" &
	declare -g "$name=$!"
	pids+=($!)
}

# lines FILE NUMBER: waits until it has that many
lines()
{
	local tries=0
	until [ "$(wc -l <"$1")" -ge "$2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || { fail "$1 has not $2 lines: $(head -c 2000 "$1")"; return; }
		sleep 0.02
	done
}

# ---- what a target's rings hold, by type
start one
exits 0 inlay maps
has "maps" "$out" "^ *$one +events +events +ringbuf "
has "maps" "$out" "^ *$one +events +samples +perf_event_array "
exits 0 inlay trace -1
[ -z "$out" ] || fail "trace of empty rings: $out"
tell one "tell 4"
tell one "mumble 2"
tell one "sample 2"
exits 1 inlay dump events
has "dump of a ring" "$out" "'inlay trace' shows the events"
exits 0 inlay trace -1 target
[ "$(grep -v 'sampled' <<<"$out" | sort)" = 'events { .id = 0, .color = RED, .name = "bob \"b\"", .delta = 0 }
events { .id = 1, .color = GREEN, .name = "al\x1bice", .delta = -1 }
events { .id = 2, .color = RED, .name = "al\x1bice", .delta = -2 }
events { .id = 3, .color = GREEN, .name = "bob \"b\"", .delta = -3 }
raw 00 00 00 00
raw 01 00 00 00
samples { .id = 0, .pair = [0, 7], .pad = 0 }
samples { .id = 1, .pair = [1, 7], .pad = 0 }' ] || fail "trace: $out"
has "text as well" "$out" ' sampled 1$'
exits 0 inlay trace -1 target events raw samples
[ -z "$out" ] || fail "events come once: $out"
exits 1 inlay trace -1 target nosuch
has "no such map" "$out" "no map of events 'nosuch'"
exits 1 inlay trace -1 -p "$one" .rodata
exits 2 inlay trace -1 "$one:events" 1:raw
has "maps of two targets" "$out" 'different targets'

tell one "tell 10"
tell one "mumble 3"
exits 0 inlay trace -1 -n 4 "$one" events.events
[ "$(wc -l <<<"$out")" = 4 ] || fail "-n 4: $out"
has "-n 4 begins with the oldest" "$(head -1 <<<"$out")" '^events \{ \.id = 0, '
exits 0 inlay trace -1 -n 1 "$one:events"
has "and the next one goes on" "$out" '^events \{ \.id = 4, '
inlay trace -1 -j "$one:events" | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
want = [{"pid": int(sys.argv[1]), "program": "target", "object": "events", "map": "events",
	 "type": "struct event", "value": {"id": i, "color": "GREEN" if i & 1 else "RED",
	 "name": "al\x1bice" if i % 3 else "bob \"b\"", "delta": -i}} for i in range(5, 10)]
for row in rows:
	if isinstance(row["value"]["name"], list):
		row["value"]["name"] = bytes(int(c, 16) if isinstance(c, str) else c for c in row["value"]["name"]).rstrip(b"\0").decode()
sys.exit(0 if rows == want else repr(rows))' "$one" || fail "trace -j"
inlay trace -1 -j -n 2 "$one" raw | tail -1 | json "trace -j without a type" \
	'd["map"] == "raw" and d["data"] == ["0x01", "0x00", "0x00", "0x00"] and "type" not in d'
inlay trace -1 -j "$one" raw --type __u32 | json "trace --type" 'd["type"] == "u32" and d["value"] == 2'
tell one "sample 1"
inlay trace -1 -j "$one" samples | json "trace -j of samples" \
	'd["value"]["pair"] == [0, 7] and isinstance(d["cpu"], int)'

tell one "sample 1"
exits 1 inlay trace -1 "$one" samples --type nosuch
has "a type that is nowhere" "$out" "has a type 'nosuch'"
exits 0 inlay trace -1 "$one" samples --type __u32
has "--type goes before INLAY_EVENT" "$out" '^samples 0$'

# ---- a live consumer is woken; a second one is refused
background tracer inlay trace "$one" events
tell one "tell 3"
lines "$work/tracer.out" 3
exits 1 inlay trace -1 "$one" events
has "a second consumer" "$out" 'another process consumes the events of events'
exits 0 inlay trace -1 "$one"
has "the other maps go on" "$out" 'another process consumes'

# ---- a consumer that is stopped costs events, and nothing else
kill -STOP $tracer
before=$(date +%s)
tell one "tell 50000"
[ $(($(date +%s) - before)) -lt 20 ] || fail "a target waits for its consumer"
exits 0 inlay stat
has "stat" "$out" 'map events lost [0-9,]+ events'
lost=$(inlay maps -j "$one" | python3 -c 'import json, sys
print(next(m["drops"] for m in json.load(sys.stdin) if m["name"] == "events"))')
kill -CONT $tracer
lines "$work/tracer.out" $((50003 - lost))
kill -INT $tracer
wait $tracer || fail "trace that is interrupted: $(cat "$work/tracer.err")"
python3 - "$work/tracer.out" "$work/tracer.err" <<'PY' || fail "a stopped consumer: $(cat "$work/tracer.err")"
import re, sys
ids = [int(re.match(r"events \{ \.id = (\d+), ", line)[1]) for line in open(sys.argv[1])]
lost = int(re.search(r"events lost (\d+) events", open(sys.argv[2]).read())[1])
assert ids[:3] == [0, 1, 2]
rest = ids[3:]
assert rest == sorted(rest) and len(set(rest)) == len(rest)
assert len(rest) + lost == 50000 and lost > 10000, (len(rest), lost)
PY

# ---- a target that is killed: what it had committed is there, and trace ends
background tracer inlay trace "$one" events
tell one "tell 2"
lines "$work/tracer.out" 2
say one kill
wait "$one" 2>/dev/null || :
wait $tracer || fail "trace of a target that is killed: $(cat "$work/tracer.err")"
[ "$(wc -l <"$work/tracer.out")" = 2 ] || fail "trace of a killed target: $(cat "$work/tracer.out")"
start two
tell two "tell 5"
say two kill
wait "$two" 2>/dev/null || :
exits 0 inlay trace "$two" events
[ "$(wc -l <<<"$out")" = 5 ] || fail "events of a dead target: $out"

# ---- two targets at once
start three
start four
background tracer inlay trace -j target
tell three "tell 2"
tell four "tell 3"
lines "$work/tracer.out" 5
say three exit
wait "$three"
tell four "mumble 1"
lines "$work/tracer.out" 6
# one that comes later
start late
tell late "tell 4"
lines "$work/tracer.out" 10
say late exit
wait "$late"
say four exit
wait "$four"
wait $tracer || fail "trace of two targets: $(cat "$work/tracer.err")"
python3 - "$work/tracer.out" "$three" "$four" "$late" <<'PY' || fail "two targets"
import collections, json, sys
pids = collections.Counter(json.loads(line)["pid"] for line in open(sys.argv[1]))
assert pids == {int(sys.argv[2]): 2, int(sys.argv[3]): 4, int(sys.argv[4]): 4}, pids
PY
inlay gc -a >/dev/null

# ---- samples as large as a kernel's records can be, which have 16 bits for their size: header, number, data.
# (Kernels take larger ones, too; such a record has a wrong size in its header, which ends the reading.)
cat >"$work/sizes.bpf.c" <<'EOC'
#include <inlay/inlay.bpf.h>
#define LARGEST (0x10000 - 8 - 8 - 4)
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1024);
} large SEC(".maps");
const volatile char bytes[0x10000];
__s64 at_most, beyond;
SEC("uprobe/mumble")
int on_mumble(struct pt_regs *ctx)
{
	at_most = bpf_perf_event_output(ctx, &large, BPF_F_CURRENT_CPU, (void *)bytes, LARGEST);
	beyond = bpf_perf_event_output(ctx, &large, BPF_F_CURRENT_CPU, (void *)bytes, LARGEST + 1);
	return 0;
}
char LICENSE[] SEC("license") = "GPL";
EOC
"$CLANG" -target bpf -g -O2 -Wall -Werror -D__TARGET_ARCH_$arch "-I/usr/include/$(uname -m)-linux-gnu" \
	"-I$INLAY_SOURCE/include" -c "$work/sizes.bpf.c" -o "$work/sizes.bpf.o"
inlay-cc -g -O2 "-finlay-probes=$work/sizes.bpf.o" "$here/target.c" -o "$work/sizes" 2>/dev/null
start sizes sizes
tell sizes "mumble 1"
exits 0 inlay dump sizes.bss
[ "$out" = $'at_most = 0\nbeyond = -7' ] || fail "sizes of samples: $out"
nr=$(inlay trace -1 sizes large | wc -w)
[ "$nr" = $((1 + 65516)) ] || fail "the largest sample has $nr words, one of them its map's name"
say sizes exit
wait "$sizes"

# ---- damaged and shortened rings: any answer, but an orderly one
INLAY_KEEP=1 start five
tell five "tell 100"
tell five "mumble 20"
tell five "sample 20"
segment=$(basename "$INLAY_DIR"/target."$five".*)
copy=$INLAY_DIR/$segment.copy
python3 - "$INLAY_DIR/$segment" "$copy" <<'PY' || fail "damaged rings"
import os, random, struct, subprocess, sys
random.seed(5)
data = open(sys.argv[1], "rb").read()
def run(bad, label):
    with open(sys.argv[2], "wb") as f:
        f.write(bad)
    done = subprocess.run(["inlay", "trace", "-1", sys.argv[2]] + random.choice([[], ["-j"]]),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    if done.returncode not in (0, 1) or b"\x1b" in done.stdout + done.stderr:
        sys.exit(f"{label}: {done.returncode} {done.stderr!r}")
    return done
good = run(data, "as it is")
assert good.stdout, good.stderr
# where rings are: their tails and headers are what is not zero
words = [i for i in range(0, len(data) - 8, 8) if data[i:i + 8] != bytes(8)]
for i in range(150):
    bad = bytearray(data)
    for _ in range(random.choice([1, 5, 200])):
        at = random.choice(words) if i % 3 else random.randrange(0, len(bad) - 8)
        if at < 4096 and i % 5:
            continue
        bad[at + random.randrange(8)] = random.choice([0, 255, 1, 0x80, random.randrange(256)])
    run(bad, f"round {i}")
for bytes_ in (len(data) // 2, len(data) - 4096, 70000):
    run(data[:bytes_], f"cut at {bytes_}")
PY
# cut short while it is followed
cp "$INLAY_DIR/$segment" "$copy"
python3 - "$copy" <<'PY' || fail "a ring that is cut short while it is followed"
import fcntl, os, struct, subprocess, sys, time
f = open(sys.argv[1], "r+b")
# a lock on a row of the process table makes it live
lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 1 << 62, 1, 0)
fcntl.fcntl(f, 37, lock) # F_OFD_SETLK
tracer = subprocess.Popen(["inlay", "trace", sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
tracer.stdout.readline()
time.sleep(0.3)
assert tracer.poll() is None, tracer.stderr.read()
os.truncate(sys.argv[1], 8192)
_, text = tracer.communicate(timeout=20)
assert tracer.returncode == 1 and b"cut short" in text, (tracer.returncode, text)
PY
rm -f "$copy"
tell five "tell 1" # and the real target runs on
say five exit
wait "$five"
finish
