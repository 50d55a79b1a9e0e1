# SPDX-License-Identifier: BSD-2-Clause
# Sourced by sample-*.sh: builds a sample for kv's functions, and kv with it.
set -eu
work=$(mktemp -d)
mkdir -m 700 "$work/segments"
server=
clean_up() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap clean_up EXIT
export INLAY_DIR=$work/segments
PATH=$INLAY_BUILD/bin:$PATH

fail() {
	echo "$*" >&2
	exit 1
}

# build_sample NAME DEFINE [INLAY-CC FLAG...]: $work/NAME.bpf.o and $work/kv
build_sample() {
	local name=$1 define=$2 arch=x86
	shift 2
	[ "$(uname -m)" != aarch64 ] || arch=arm64
	"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
		"-I/usr/include/$(uname -m)-linux-gnu" "-D$define" \
		-c "$INLAY_SOURCE/samples/$name.bpf.c" -o "$work/$name.bpf.o"
	inlay-cc -O2 -g "-finlay-probes=$work/$name.bpf.o" "$@" "$INLAY_SOURCE"/samples/kv/*.c \
		-o "$work/kv" -lpthread
}

# Whether the kernel takes the sample as it is installed, and the one for kv.
check_loads_in_kernel() {
	[ "$(id -u)" = 0 ] || return 0
	"$INLAY_BUILD/tests/kernel-equal/attach" "$INLAY_BUILD/samples/$1.bpf.o" - true >/dev/null
	"$INLAY_BUILD/tests/kernel-equal/attach" "$work/$1.bpf.o" - true >/dev/null
}

# Starts kv; `ask REQUEST` sends it one and waits for the answer.
start_kv() {
	mkfifo "$work/in" "$work/out"
	"$work/kv" "$@" <"$work/in" >"$work/out" &
	server=$!
	exec 3>"$work/in" 4<"$work/out"
}
ask() {
	local answer
	echo "$1" >&3
	read -r answer <&4
}
stop_kv() {
	exec 3>&- 4<&-
	wait "$server"
	server=
}
