#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Installs what is missing, builds into build/ and runs every test. Arguments go to ctest
# (`tests/run.sh -R lit/pass`). Ends with ctest's closing lines and its exit code.
#
# A test that lacks root or a kernel feature skips with its reason. In CI (CI=true, as root)
# nothing may be missing, so a skipped test counts as a failed one there.
set -eu
unset INLAY_FLAGS INLAY_PROBES INLAY_LAUNCHER INLAY_DIR INLAY_DISABLE INLAY_SEGMENT INLAY_KEEP

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=${INLAY_BUILD_DIR:-$source_dir/build}
jobs=${INLAY_JOBS:-2}

"$source_dir/tests/setup.sh" build test redis

skip_fails=OFF
if [ "${CI:-}" = true ] && [ "$(id -u)" -eq 0 ]; then
	skip_fails=ON
fi

configure=(-S "$source_dir" -B "$build_dir" -DINLAY_BUILD_TESTS=ON -DINLAY_BUILD_BENCH=ON
	-DINLAY_SKIP_FAILS=$skip_fails)
if [ ! -e "$build_dir/CMakeCache.txt" ]; then
	configure+=(-DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19)
	if command -v ninja >/dev/null; then
		configure+=(-G Ninja)
	fi
fi
cmake "${configure[@]}" </dev/null
cmake --build "$build_dir" -j "$jobs" </dev/null

cd "$build_dir"
exec ctest -j "$jobs" --output-on-failure "$@" </dev/null
