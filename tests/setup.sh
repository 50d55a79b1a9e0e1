#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Installs the Debian packages that a use of Inlay needs and that are missing; says nothing and
# touches nothing when all are there.
#
#   tests/setup.sh [build] [test] [bench] [redis]      default: build test
set -eu

declare -A group=(
	[build]="gcc g++ make cmake ninja-build pkg-config clang-19 lld-19 llvm-19-dev llvm-19-tools
		libbpf-dev libelf-dev libdw-dev libjansson-dev"
	[test]="libcmocka-dev python3 libclang-rt-19-dev valgrind binutils procps qemu-user
		gcc-aarch64-linux-gnu libc6-dev-arm64-cross
		bpftool systemtap-sdt-dev musl-tools bpftrace linux-perf"
	[bench]="uftrace liblttng-ust-dev lttng-tools valgrind"
	[redis]="dpkg-dev"
)

missing=()
for name in "${@:-build test}"; do
	for one in $name; do
		if [ -z "${group[$one]+set}" ]; then
			echo "usage: tests/setup.sh [build] [test] [bench] [redis]" >&2
			exit 2
		fi
		for package in ${group[$one]}; do
			status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
			[ "$status" = installed ] || missing+=("$package")
		done
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup.sh: not root and no sudo; install these first: ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi

echo "setup.sh: installing ${missing[*]}"
# A mirror of some other repository that does not answer is no reason to stop: install decides.
"${as_root[@]}" apt-get update -q </dev/null || echo "setup.sh: apt-get update had errors" >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
	--no-install-recommends "${missing[@]}" </dev/null
