#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another process of the user writes nonsense all over a segment, and then cuts its file to any
# length, while a target with maps of every type and readers of all kinds use it: none of them crashes
# or hangs.
# survive-hostile.sh [MILLISECONDS]: of each of six parts (1000).
set -eu -o pipefail
here=$(dirname "$0")/survive
work=$(mktemp -d "${TMPDIR:-/tmp}/inlay-hostile.XXXXXX")
trap 'rm -rf "$work"' EXIT
export INLAY_DIR=$work/segments PATH=$INLAY_BUILD/bin:$PATH
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
ms=${1:-1000}

# build NAME BPF_FLAG FLAGS...
build()
{
	local name=$1 flag=$2
	shift 2
	"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
		"-I/usr/include/$(uname -m)-linux-gnu" "$flag" -c "$here/storm.bpf.c" -o "$work/storm.bpf.o"
	inlay-cc -O2 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -finlay-allow-override \
		"-finlay-probes=$work/storm.bpf.o" "$here/hostile.c" -o "$work/$name" "$@" -lpthread \
		2>"$work/build.log" || { cat "$work/build.log" >&2; exit 1; }
}

# attack NAME WHAT: WHAT is `write` or `cut`
attack()
{
	local name=$1 what=$2 code=0 target attacker
	echo "$name, $what:"
	rm -f "$work/waiting"
	# before the target, which does not wait for it
	python3 - "$INLAY_DIR" "$name." "$work/waiting" "$what" "$((ms - ms / 8))" <<'PY' &
import os, random, struct, sys, time
folder, name, waiting, what, ms = sys.argv[1:]
random.seed(5)
open(waiting, "w").close()
fd = -1
late = time.monotonic() + 60
while fd < 0 and time.monotonic() < late:
    try:
        fd = next(os.open(folder + "/" + file, os.O_RDWR)
                  for file in os.listdir(folder) if file.startswith(name))
    except (OSError, StopIteration):
        time.sleep(0.001)
time.sleep(0.1)
size = os.fstat(fd).st_size
likely = [0, 1, 2, 64, 255, 0xfff, 4096, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 40,
          (1 << 63) + 5, (1 << 64) - 1]
end = time.monotonic() + int(ms) / 1000
while time.monotonic() < end:
    if what == "write":
        for _ in range(200):
            # mostly what is in use: the header, the tables' first rows, the beginnings of pages
            off = random.choice([random.randrange(size - 8), random.randrange(8192),
                                 random.randrange(size // 4096) * 4096 + random.randrange(256)])
            word = random.choice([random.choice(likely), random.getrandbits(64),
                                  random.getrandbits(8)])
            try:
                os.pwrite(fd, struct.pack("<Q", word), off & ~3)
            except OSError:
                pass
        time.sleep(0.002)
    else:
        os.ftruncate(fd, random.choice([0, size, random.randrange(size),
                                        random.randrange(size) & ~4095]))
        time.sleep(random.random() / 50)
PY
	attacker=$!
	for _ in $(seq 3000); do
		[ ! -e "$work/waiting" ] || break
		sleep 0.02
	done
	ASAN_OPTIONS=handle_sigbus=0:detect_leaks=0 timeout 100 "$work/$name" "$ms" >"$work/out" 2>&1 &
	target=$!
	while kill -0 $attacker 2>/dev/null; do
		for command in maps stat "dump hash" "dump parts" "dump queue" "dump trie" "dump arena" "stacks traces" \
			"trace ring" "trace events"; do
			code=0
			# shellcheck disable=SC2086
			timeout -s INT 0.3 inlay $command >"$work/read" 2>&1 </dev/null || code=$?
			case $code in
			0 | 1 | 2 | 124) ;;
			*) echo "inlay $command: exit $code: $(head -3 "$work/read")" >&2; exit 1 ;;
			esac
		done
	done
	wait $attacker
	code=0
	wait $target || code=$?
	head -c 2000 "$work/out"
	[ $code = 0 ] || { echo "$name, $what: the target's exit code is $code" >&2; exit 1; }
	rm -f "$INLAY_DIR"/*
}

build plain -DNDEBUG
build asan -DNDEBUG -fsanitize=address
# without reads of memory nobody else owns SIGBUS
build without -DSTORM_NO_READS
for name in plain asan without; do
	attack $name write
	attack $name cut
done
echo "survive-hostile: ok"
