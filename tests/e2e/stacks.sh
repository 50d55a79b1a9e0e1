#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bpf_get_stack() and bpf_get_stackid(): the same object as real uprobes and inlaid finds the same
# functions and gives the same results.
# stacks.sh [FLAG...]: of the target's compiler.
set -eu

[ $# -gt 0 ] || set -- -O1 -g
here=$(cd "$(dirname "$0")" && pwd)/stacks
tools=$INLAY_BUILD/tests/kernel-equal
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -m 700 plain inlaid segments

if [ "$(id -u)" != 0 ]; then
	echo "uprobes need root"
	exit 77
fi
release=$(uname -r)
major=${release%%.*} minor=${release#*.}
minor=${minor%%[!0-9]*}
if [ "$major" -lt 6 ] || { [ "$major" = 6 ] && [ "$minor" -lt 12 ]; }; then
	echo "kernels before 6.12 leave out the caller of a function whose entry is probed"
	exit 77
fi
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
frames=(-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls)
flags=("$@" "${frames[@]}" "-I$INLAY_SOURCE/include")
link=(-static -no-pie -lpthread -Wno-unused-command-line-argument)

"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/stacks.bpf.c" -o stacks.bpf.o
# not a part of the link-time optimisation, which would inline it
"$CLANG" -O1 "${frames[@]}" -c "$here/outside.c" -o outside.o
"$CLANG" "${flags[@]}" "$here/target.c" outside.o "${link[@]}" -o plain/target
"$INLAY_BUILD/bin/inlay-cc" "${flags[@]}" -finlay-probes=stacks.bpf.o "$here/target.c" outside.o \
	"${link[@]}" -o inlaid/target 2>build.log || {
	cat build.log
	exit 1
}
grep -q '10 of 10 programs' build.log || {
	cat build.log
	exit 1
}

printf '#!/bin/sh\nexec "%s/plain/target" 1 </dev/null\n' "$work" >plain/run
chmod +x plain/run
"$tools/attach" stacks.bpf.o plain/target plain/run >plain/dump
INLAY_DIR=$work/segments INLAY_KEEP=1 inlaid/target 1 </dev/null
"$tools/segment" segments/* >inlaid/dump
python3 "$here/compare.py" plain/target plain/dump inlaid/target inlaid/dump
