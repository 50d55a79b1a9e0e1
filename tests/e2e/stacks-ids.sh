#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Build ids in stacks: one program has the probes inlaid, and the same object at the same functions as real
# uprobes, so what both find of one process must be equal to the last byte. Then names by `inlay stacks`.
set -eu -o pipefail

here=$(cd "$(dirname "$0")" && pwd)/stacks
tools=$INLAY_BUILD/tests/kernel-equal
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -m 700 segments
export INLAY_DIR=$work/segments

fail() {
	echo "FAILED: $*"
	exit 1
}
# has WHAT TEXT PATTERN...: lines of the text
has() {
	local what=$1 text=$2
	shift 2
	for pattern in "$@"; do
		grep -Eq -- "$pattern" <<<"$text" || fail "$what: no $pattern in"$'\n'"$text"
	done
}

arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
flags=(-O1 -g -fPIE -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls)
"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/ids.bpf.c" -o ids.bpf.o
# library NAME BUILD-ID FLAG...
library() {
	"$CLANG" "${flags[@]}" -fPIC -shared "-Wl,--build-id=$2" "${@:3}" "$here/ids-lib.c" -o "lib$1.so"
}
library linked sha1 -DTHROUGH=through_linked
library bare none -DTHROUGH=through_bare
library short 0xabcdef01 -DTHROUGH=through_short
# one byte too many
library long 0x000102030405060708090a0b0c0d0e0f1011121314 -DTHROUGH=through_long
library first sha1
library second sha1 -DMORE=7
# without what would fill up its last word
library third 0xabcdef -DMORE=9
library fourth uuid -DMORE=11
libraries=("$work/libfirst.so" "$work/libsecond.so" "$work/libthird.so" "$work/libfourth.so" "$work/libfirst.so")
"$INLAY_BUILD/bin/inlay-cc" "${flags[@]}" -finlay-probes=ids.bpf.o "$here/ids.c" -L. -llinked -lbare -lshort \
	-llong "-Wl,-rpath,$work" -Wl,--build-id=sha1 -pie -o target 2>build.log || {
	cat build.log
	exit 1
}

skipped=
release=$(uname -r)
major=${release%%.*} minor=${release#*.}
minor=${minor%%[!0-9]*}
if [ "$(id -u)" != 0 ]; then
	skipped="uprobes need root"
elif [ "$major" -lt 6 ] || { [ "$major" = 6 ] && [ "$minor" -lt 12 ]; }; then
	skipped="kernels before 6.12 leave out the caller of a function whose entry is probed"
fi
printf '#!/bin/sh\nINLAY_KEEP=1 exec "%s/target" %s >places\n' "$work" "${libraries[*]}" >run
chmod +x run
if [ -z "$skipped" ]; then
	"$tools/attach" ids.bpf.o ./target ./run | sort >kernel
	"$tools/segment" segments/* | sort >inlaid
else
	./run
	"$tools/segment" segments/* | sort >inlaid
	cp inlaid kernel
fi
[ "$(sort -u places | wc -l)" -lt "$(wc -l <places)" ] ||
	echo "(no library has taken another one's place: $(xargs <places))"
python3 - kernel inlaid "$work" <<'PY' || fail "stacks by build ids"
import struct, subprocess, sys
def entries(path):
    rows = {}
    for line in open(path):
        name, key, value = line.split()
        rows[name, key] = bytes.fromhex(value)
    return rows
kernel, inlaid = entries(sys.argv[1]), entries(sys.argv[2])
def frames(value):
    for at in range(0, len(value), 32):
        status, build_id, ip = struct.unpack("<i20sQ", value[at:at + 32])
        if status:
            yield (build_id.hex() if status == 1 else "ip", hex(ip))
        elif any(value[at:]):
            sys.exit("something is behind the end")
def show(rows, key):
    value = rows.get(key)
    if value is None:
        return "nothing"
    if key[0] in ("whole", "skipped"):
        return str(struct.unpack("<q", value[:8])[0]) + " " + " ".join(":".join(f) for f in frames(value[8:]))
    if key[0] == "stacks":
        return " ".join(":".join(f) for f in frames(value))
    return value.hex()
differ = [k for k in sorted(set(kernel) | set(inlaid)) if show(kernel, k) != show(inlaid, k)]
for key in differ:
    print(key, "\n  kernel", show(kernel, key), "\n  inlaid", show(inlaid, key))
if differ:
    sys.exit(f"{len(differ)} entries differ")
# and they are those of the files
def build_id(name):
    text = subprocess.run(["readelf", "-n", f"{sys.argv[3]}/{name}"], capture_output=True, text=True).stdout
    return next((line.split()[-1] for line in text.splitlines() if "Build ID" in line), None)
seen = {f[0] for (name, key), value in inlaid.items() if name == "whole" for f in frames(value[8:])}
for name in ("target", "liblinked.so", "libfirst.so", "libsecond.so", "libfourth.so", "libshort.so"):
    if build_id(name).ljust(40, "0") not in seen:
        sys.exit(f"nothing is of {name}: {seen}")
if any(f.startswith("0001020304") for f in seen) or "ip" not in seen:
    sys.exit(f"an id that is too long, or none: {seen}")
print(f"{len(kernel)} entries are equal")
PY

# ---- by name, also when the target has ended
inlay() {
	"$INLAY_BUILD/bin/inlay" "$@"
}
text=$(inlay stacks counts --stacks stacks --folded)
# (libraries at one place have the same addresses, and so their stacks the same ids: the first has it)
has "names" "$text" 'main;reached 1$' 'main;through_linked;inner;reached 1$' \
	'main;through_short;inner;reached 1$' 'main;through_loaded;through;inner;reached [0-9]+$' \
	'on_signal;reached 1$'
has "no build id: an address" "$text" 'main;through_bare;inner;reached 1$' \
	'main;through_memory;\[0x[0-9a-f]+\];reached 2$'
id=$(readelf -n liblinked.so | sed -n 's/.*Build ID: //p')
has "JSON" "$(inlay stacks counts --stacks stacks -j)" \
	"\"build_id\":\"$id\",\"file_offset\":\"0x[0-9a-f]+\",\"symbol\":\"inner\",\"offset\":[0-9]+,\"module\":\"[^\"]*/liblinked.so\""
has "files" "$(inlay stacks counts --stacks stacks)" '^    inner\+0x[0-9a-f]+ \(liblinked\.so\)$'
has "dump" "$(inlay dump stacks)" "^[0-9]+: [0-9a-f]{40}\\+0x[0-9a-f]+ .*$id\\+0x[0-9a-f]+"
has "dump --sym" "$(inlay dump stacks --sym)" \
	"^    $id\\+0x[0-9a-f]+ inner\\+0x[0-9a-f]+ \\(liblinked\\.so\\)\$" \
	'^    0x[0-9a-f]+ inner\+0x[0-9a-f]+ \(libbare\.so\)$'
has "dump -j" "$(inlay dump stacks -j)" "\"build_id\":\"$id\""
mv liblinked.so gone.so
has "a file that is gone" "$(inlay stacks counts --stacks stacks --folded)" \
	'main;\[liblinked\.so\];\[liblinked\.so\];reached 1$'
# nonsense for ids and offsets
segment=$(echo segments/*)
for seed in 1 2 3; do
	python3 - "$segment" $seed <<'PY'
import random, sys
random.seed(int(sys.argv[2]))
data = bytearray(open(sys.argv[1], "rb").read())
first = int.from_bytes(data[12:16], "little")
for _ in range(20000):
    data[random.randrange(first, len(data))] = random.randrange(256)
open(sys.argv[1], "r+b").write(data)
PY
	for words in "stacks stacks --folded" "stacks stacks -j" "dump stacks --sym" "dump small"; do
		code=0
		inlay $words >out 2>&1 || code=$?
		[ $code -le 1 ] || fail "$words, seed $seed: exit code $code: $(cat out)"
	done
done
if [ -n "$skipped" ]; then
	echo "skipped the comparison with the kernel: $skipped"
	exit 77
fi
