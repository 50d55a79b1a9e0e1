#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every command of `inlay` on a target that runs: text, JSON, exit codes.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/cli/common.sh"

# ---- without any target
exits 0 inlay help
has "help" "$out" '^  dump +the entries of a map, typed$'
for command in list ps maps dump hist watch stacks stat on off trace gc; do
	exits 0 inlay help $command
	has "help $command" "$out" "^usage: inlay $command"
	text=$out
	exits 0 bash -c "inlay $command --help 2>/dev/null"
	[ "$text" = "$out" ] || fail "$command --help differs from help $command, or is not on stdout"
	exits 2 inlay $command --nonsense
	has "an unknown option" "$out" "'inlay $command' has no option --nonsense"
done
exits 0 inlay --version
exits 2 inlay
exits 2 inlay dmup
has "a slip" "$out" "did you mean 'dump'"
exits 2 inlay frobnicate
exits 2 inlay dump
[ "$out" = "inlay: 'inlay dump' needs a MAP; see 'inlay help dump'" ] || fail "dump: $out"
exits 2 inlay maps one two
[ "$out" = "inlay: 'inlay maps' does not take 'two'; see 'inlay help maps'" ] || fail "maps: $out"
exits 2 inlay watch -i 0
exits 2 inlay watch -n x
exits 2 inlay ps -i 1
exits 0 inlay ps
has "ps of nothing" "$out" '^no program with probes runs'
exits 0 inlay ps -j
[ "$out" = "[]" ] || fail "ps -j of nothing: $out"
exits 1 inlay dump x
exits 1 inlay maps 999999999
has "no such process" "$out" 'there is no process 999999999'
exits 1 inlay list /nonexistent
exits 1 inlay list "$here/target.c"
has "no ELF file" "$out" 'not an ELF file'
exits 0 inlay gc
has "gc of nothing" "$out" '^nothing to remove$'

# ---- list BINARY
build_target
exits 0 inlay list "$work/target"
has "list" "$out" "target: 5 sites of 4 programs$"
line=$(grep -n '^__attribute__((noinline)) void greet' "$here/target.c" | cut -d: -f1)
has "list" "$out" '^entry +greet +probes\.on_greet +.*/target\.c:'"$line"' +void \(i32, ptr\) +early$'
has "list" "$out" '^return +work +probes\.time_work +'
has "list" "$out" '^entry +work +probes\.on_demand .*switched'
inlay list -j "$work/target" | json "list -j" \
	'len(d) == 1 and sorted((s["kind"], s["function"], s["program"]) for s in d[0]["sites"]) == [
	("entry", "greet", "on_greet"), ("entry", "work", "on_demand"), ("entry", "work", "on_work"),
	("entry", "work", "time_work"), ("return", "work", "time_work")]'
exits 0 inlay list /bin/sh
has "a binary without sites" "$out" ': no sites$'
for bytes in 0 1 63 64 100 5000 20000; do
	head -c $bytes "$work/target" >"$work/cut"
	exits 1 inlay list "$work/cut"
	has "a cut binary" "$out" '^inlay: .*cut: '
done

# ---- one target
start one
exits 0 inlay list "$one"
has "list PID" "$out" "^$work/target: 5 sites"
exits 0 inlay ps
has "ps" "$out" "^ *$one +target +live +1 +8 +4 .* probes$"
exits 0 inlay list
has "list without arguments" "$out" "^ *$one +target +live"
inlay ps -j | json "ps -j" "d[0]['pid'] == $one and d[0]['objects'] == ['probes'] and
	d[0]['state'] == 'live'"
exits 0 inlay maps
has "maps" "$out" "^ *$one +probes +conns +hash +struct conn -> struct stats +64 "
has "maps" "$out" 'by_thread +percpu_array +u32 -> u64 +2 .* 2 +0$'
has "maps: drops" "$out" 'tiny .* 49$'
inlay maps -j "$one" | json "maps -j" \
	'[m["bytes_value"] for m in d if m["name"] == "sizes"] == [8]'

exits 0 inlay dump sizes
[ "$out" = $'0: 52\n1: 50\n2: 50\n3: 48\n4 .. 7: 0' ] || fail "dump sizes: $out"
exits 0 inlay dump -a probes.sizes
[ "$(wc -l <<<"$out")" = 8 ] || fail "dump -a: $out"
exits 0 inlay dump "$one:conns"
has "dump conns" "$out" '^\{ \.id = 2, \.name = "a \\"long\\" na" \}: \{ \.hits = 1, \.last = -2, '
has "dump conns" "$out" '^\{ \.id = 7, \.name = "\\x1b\[31mred" \}'
has "dump conns" "$out" 'alice.*\.hits = 2, .*\.state = BUSY, \.tag = "new", \.pair = \[0, 5\]'
exits 0 inlay dump by_thread -t
has "dump -t" "$out" '^0: 100$'
has "dump -t" "$out" "^    thread $one: 75$"
has "dump -t" "$out" '^    ended threads: 25$'
exits 0 inlay dump .bss
[ "$out" = $'works = 100\noptional = 0' ] || fail "dump .bss: $out"
exits 0 inlay dump probes.data
[ "$out" = $'lowest = 0\nlabel = "e2e"' ] || fail "dump .data: $out"
exits 0 inlay dump .rodata
has "dump .rodata" "$out" '^limit = 5$'
exits 0 inlay dump latency_ns
has "keys that are functions" "$out" '^work: \{ \.slots = \[0 <10 times>, 100, '
exits 0 inlay dump latency_ns --no-sym
has "--no-sym" "$out" '^[0-9]+: '
inlay dump latency_ns -j --sym | json "dump -j --sym" 'd[0]["symbol"] == "work"'
inlay dump .bss -j | json "dump -j of globals" \
	'd[0]["formatted"] == {"value": {".bss": [{"works": 100}, {"optional": 0}]}}'
inlay dump conns -j | json "dump -j of a hash map" \
	'sorted(e["formatted"]["key"]["id"] for e in d) == [1, 2, 7] and
	 d[0]["key"][0] == "0x01" and len(d[0]["value"]) == 32'
exits 1 inlay dump nosuch
has "no such map" "$out" "^  $one:probes\.conns$"
exits 1 inlay dump nosuch.conns
# ---- output that cannot be written, that nobody reads (any more), that is interrupted
for command in 'dump sizes' 'maps -j' 'watch .bss -i 0.1 -n 100' trace 'trace -j' 'help dump'; do
	exits 1 timeout -s KILL 20 bash -c "inlay $command >/dev/full"
	[ "$out" = "inlay: cannot write the output: No space left on device" ] || fail "full: $out"
	exits 1 timeout -s KILL 20 bash -c "inlay $command >&-"
	has "stdout is closed" "$out" '^inlay: cannot write the output: Bad file descriptor$'
	for ignored in '' "trap '' PIPE; "; do
		exits 0 timeout -s KILL 20 bash -c "set -o pipefail; $ignored inlay $command | true"
		[ -z "$out" ] || fail "$command | true: $out"
	done
done
exits 0 inlay maps "$one" # what went to a closed stdout is not in the segment
exits 0 bash -c 'set -o pipefail; inlay dump -a sizes | head -1'
[ "$out" = '0: 52' ] || fail "dump | head: $out"
# a line at a time, while the target goes on; and a trace whose reader has gone takes nothing more
exits 0 timeout -s KILL 20 bash -c 'set -o pipefail; inlay trace | grep -m 1 "greeted 1$"'
python3 - <<'PY' || fail "interrupted"
import fcntl, json, os, signal, subprocess, time
def run(words, sig):
    r, w = os.pipe()
    fcntl.fcntl(w, 1031, 4096) # F_SETPIPE_SZ
    p = subprocess.Popen(["inlay", *words], stdout=w, stderr=subprocess.PIPE)
    os.close(w)
    time.sleep(0.5)
    assert p.poll() is None, words # the pipe is full, or it waits for more
    p.send_signal(sig)
    time.sleep(0.1)
    text = os.fdopen(r).read()
    return p.wait(20), text, p.stderr.read()
# whole, and the exit status tells of the signal
for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    code, text, err = run(["hist", "-j"] + ["latency_ns"] * 50, sig)
    assert code == -sig and not err, (code, err)
    assert len(text) > 4096 and len(json.loads(text)) == 50, len(text)
    code, text, err = run(["trace", "-j"], sig)
    assert code == 0 and [json.loads(line) for line in text.splitlines()], (code, text, err)
    code, text, err = run(["watch", "-i", "30"], sig)
    assert code == 0 and not err, (code, err)
PY

exits 0 inlay hist latency_ns
has "hist" "$out" '^work  100 samples  p50 < 2\.05 us'
has "hist" "$out" '1\.02 us -> 2\.05 us +100 100\.0% █+$'
exits 0 inlay hist latency_ns -U B
has "hist --unit" "$out" '1\.0 KiB -> 2\.0 KiB '
exits 0 inlay hist sizes
has "hist of an array" "$out" ' 0 \.\. 1 +52 +26\.0% '
inlay hist latency_ns -j | json "hist -j" \
	'd[0]["symbol"] == "work" and d[0]["total"] == 100 and d[0]["unit"] == "ns" and
	 d[0]["slots"][10] == {"low": 1024, "high": 2047, "count": 100}'
exits 1 inlay hist conns2
exits 1 inlay hist tiny
has "no histogram" "$out" 'no array of counts'

# ---- programs
exits 0 inlay stat
has "stat" "$out" "^ *$one +probes +on_work +entry +fixed +1 +0 +49 +100 +[0-9]"
has "stat" "$out" ' on_demand +entry +off +1 +0 +0 +0 +-$'
has "stat" "$out" ' time_work +session +fixed +2 '
has "stat: losses" "$out" 'map tiny dropped 49 updates'
inlay stat -j "$one" | json "stat -j" \
	'[(p["on"], p["switched"], p["sites"]) for p in d if p["program"] == "on_demand"] == [(False, True, 1)]'
exits 0 inlay on on_demand
has "on" "$out" "^$one: probes\.on_demand is on$"
tell one "work 10"
exits 0 inlay dump .bss
[ "$out" = $'works = 110\noptional = 10' ] || fail "after on: $out"
exits 0 inlay off all
tell one "work 10"
exits 0 inlay dump .bss
[ "$out" = $'works = 120\noptional = 10' ] || fail "after off: $out"
exits 1 inlay on on_work
has "a fixed program" "$out" 'on_work is fixed'
exits 1 inlay on nosuch
exits 0 inlay trace -1
[ "$(grep -c 'greeted 1$' <<<"$out")" = 2 ] || fail "trace: $out"
inlay trace -1 -n 1 -j | json "trace -j" 'd["text"].startswith("greeted 1") and d["lost"] == 0'

# ---- watch: rates, plain lines when not a terminal
say one loop
exits 0 inlay watch sizes .bss -n 1 -i 0.1 -p "$one"
exits 1 inlay watch nosuch
exits 0 inlay watch .bss -n 2 -i 0.2
has "watch" "$out" '^[0-9:]{8} probes\.works [0-9,]+ \+[0-9,]+/s$'
exits 0 inlay watch -n 1 -i 0.2
has "watch all" "$out" '^[0-9:]{8} latency_ns\[work\]\.slots [0-9,]+ \+[0-9,]+/s$'
lacks "watch shows what changed" "$out" 'conns'
tell one stop
exits 0 inlay watch .bss -n 1 -i 0.1
has "watch of nothing" "$out" ' no change$'

# ---- colours: on a terminal, and not with NO_COLOR or TERM=dumb
skipped=
if ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
	skipped="colours: no pseudo-terminal to be had (script, of bsdutils)"
else
	esc=$'\033'
	has "colours" "$(TERM=xterm script -qec "inlay ps" /dev/null </dev/null)" "$esc\\[1m"
	lacks "NO_COLOR" "$(NO_COLOR=1 TERM=xterm script -qec "inlay ps" /dev/null </dev/null)" "$esc"
	lacks "TERM=dumb" "$(TERM=dumb script -qec "inlay ps" /dev/null </dev/null)" "$esc"
	lacks "no terminal" "$(inlay ps)" "$esc"
fi

# ---- two targets: nothing is picked at random
start two
exits 1 inlay dump sizes
has "ambiguous map" "$out" "means 2 maps; choose one"
has "ambiguous map" "$out" "^  $one:probes\.sizes$"
has "ambiguous map" "$out" "^  $two:probes\.sizes$"
exits 0 inlay trace -1 target
[ "$(grep -c 'greeted 1$' <<<"$out")" = 4 ] || fail "trace of two: $out"
exits 0 inlay dump sizes -p "$two"
exits 0 inlay dump "$two:sizes"
exits 0 inlay stat
has "stat of two" "$out" "^ *$two +probes +on_work"

# ---- probes in a shared library: its sites, and names for its functions
inlay-cc -g -O2 -shared -fPIC -pthread "-finlay-probes=$work/probes.bpf.o" -DTARGET_WITHOUT_MAIN \
	"$here/target.c" -o "$work/libparts.so" 2>/dev/null
inlay-cc -g -O2 -pthread -DTARGET_WITHOUT_FUNCTIONS "$here/target.c" -o "$work/user" \
	-L"$work" -lparts "-Wl,-rpath,$work"
start user user
exits 0 inlay list "$user"
has "list of a program with a library" "$out" "^$work/user: no sites$"
[ "$(grep -c "^$work/libparts.so: 5 sites of 4 programs$" <<<"$out")" = 1 ] ||
	fail "the library is not listed once: $out"
exits 0 inlay stat "$user"
has "sites in a library" "$out" ' time_work +session +fixed +2 '
exits 0 inlay dump "$user:latency_ns"
has "functions of a library" "$out" '^work: '
say user "exit"
wait "$user"

# ---- ends: a watched target that exits, one that is killed
inlay watch .bss -i 0.1 -p "$two" >"$work/watch.out" 2>&1 &
watcher=$!
pids+=($watcher)
appears "$work/watch.out"
inlay trace "$two" >"$work/trace.out" 2>&1 &
tracer=$!
pids+=($tracer)
appears "$work/trace.out"
say two "exit"
wait $watcher || fail "watch of a target that exits: $(cat "$work/watch.out")"
wait $tracer || fail "trace of a target that exits: $(cat "$work/trace.out")"
[ "$(grep -c 'greeted 1$' "$work/trace.out")" = 2 ] || fail "trace: $(cat "$work/trace.out")"
has "watch ends" "$(cat "$work/watch.out")" '^the target has ended$'
inlay gc -a >/dev/null # it was being read, so it stayed
say one kill
wait "$one" 2>/dev/null || :
exits 0 inlay ps -a
has "after a crash" "$out" "^ *$one +target +died +0 "
exits 0 inlay ps
has "what has ended is counted" "$out" "^1 ended: 'inlay ps -a' lists what it has left, 'inlay gc -a' removes"
has "what has ended is counted" "$out" '^no program with probes runs$'
lacks "what has ended is not listed" "$out" "target"
inlay ps -j | json "ps -j of what has ended" '[s["state"] for s in d] == ["died"]'
exits 0 inlay dump latency_ns
has "names after a crash" "$out" '^work: '
exits 0 inlay gc
has "gc keeps the newest" "$out" '^nothing to remove$'
exits 0 inlay gc -a -d
has "gc -d" "$out" "^would remove .*/target\.$one\."
exits 0 inlay ps --all
has "gc -d removes nothing" "$out" "$one"
exits 0 inlay gc --all
has "gc --all" "$out" "^removed .*/target\.$one\."
exits 0 inlay ps
has "after gc" "$out" '^no program'

# of 18 that nobody uses the two oldest go, and the live one does not count
start three
for i in $(seq 10 27); do
	cp "$(ls "$INLAY_DIR"/target."$three".*[0-9])" "$INLAY_DIR/.copy"
	mv "$INLAY_DIR/.copy" "$INLAY_DIR/old.$i.1"
done
exits 0 inlay gc
[ "$(grep -c '^removed' <<<"$out")" = 2 ] || fail "gc of 18: $out"
has "gc takes the oldest" "$out" 'old\.10\.1'
has "gc takes the oldest" "$out" 'old\.11\.1'
exits 0 inlay ps
has "gc leaves the live one" "$out" "^ *$three +target +live"
has "the live one and what is left" "$out" "^16 ended: "

# ---- trace waits for a target, if it is told to
exits 1 inlay trace nobody
[ "$out" = "inlay: no program 'nobody' with probes runs or has left a segment; -w waits for one" ] ||
	fail "trace of nobody: $out"
exits 1 inlay dump nobody:sizes
[ "$out" = "inlay: no program 'nobody' with probes runs or has left a segment" ] || fail "dump: $out"
exits 2 inlay trace -w 4242
has "a process does not come back" "$out" "-w waits for the name of a program"
inlay trace -w late >"$work/late.trace" 2>"$work/late.err" &
tracer=$!
pids+=($tracer)
appears "$work/late.err"
has "it says that it waits" "$(cat "$work/late.err")" "^waiting for a program 'late' with probes$"
cp "$work/target" "$work/late"
start late late
appears "$work/late.trace"
say late "exit"
wait $tracer || fail "trace -w: $(cat "$work/late.err")"
[ "$(grep -c 'greeted 1$' "$work/late.trace")" = 2 ] || fail "trace -w: $(cat "$work/late.trace")"
# what one that was killed has left is printed, and then trace ends
inlay gc -a >/dev/null # the first one was being read when it ended, so it stayed
start killed late
say killed kill
wait "$killed" 2>/dev/null || :
exits 0 timeout -s KILL 20 inlay trace late
[ "$(grep -c 'greeted 1$' <<<"$out")" = 2 ] || fail "trace of one that has ended: $out"

# ---- a target that could make no file: its memfd is found through /proc, once for a fork tree
touch "$work/no-folder"
INLAY_DIR=$work/no-folder start hidden
exits 0 env -u INLAY_DIR inlay ps
has "ps of a memfd" "$out" "^ *$hidden +target +live +1 "
env -u INLAY_DIR inlay ps -j | json "ps -j of a memfd" \
	'[s["path"].startswith("/proc/'"$hidden"'/fd/") for s in d if s.get("pid") == '"$hidden"'] == [True]'
exits 0 inlay ps
lacks "INLAY_DIR names all that is looked at" "$out" "^ *$hidden "
memfd=$(env -u INLAY_DIR inlay ps -j | python3 -c 'import json, sys
print(next(s["path"] for s in json.load(sys.stdin) if s.get("pid") == '"$hidden"'))')
exits 0 inlay maps "$memfd"
has "maps of a memfd by path" "$out" "^ *$hidden +probes +latency_ns "
exits 0 inlay dump "$hidden:.bss"
exits 1 inlay maps "/proc/$hidden/fd/0"
say hidden exit
wait "$hidden"
exits 0 env -u INLAY_DIR inlay ps
lacks "a memfd goes with its process" "$out" "^ *$hidden "
finish
if [ -n "$skipped" ]; then
	echo "skipped: $skipped"
	exit 77
fi
