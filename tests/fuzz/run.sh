#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh [EXECUTIONS [TARGET...]]: builds the fuzzer targets with AddressSanitizer and UndefinedBehaviorSanitizer in
# build-fuzz ($INLAY_FUZZ_BUILD) and runs each of them that often. New inputs stay in build-fuzz/corpus.
# Ends at the first crash, leak, hang (60 s) or sanitizer report; its input is in build-fuzz/findings.
set -eu
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${INLAY_FUZZ_BUILD:-${INLAY_BUILD:+$INLAY_BUILD/fuzz}}
build=${build:-$source/build-fuzz}
executions=${1:-100000}
shift $(($# ? 1 : 0))
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(verify oracle lower native row object)

# Mutations know what they mutate: telling libFuzzer of every comparison would take half of the time.
flags="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
flags="$flags -fno-sanitize-coverage=trace-cmp"
# A short quarantine: inputs share nothing, so what is freed is looked at within the same one.
export ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=4${ASAN_OPTIONS:+:$ASAN_OPTIONS}

mkdir -p "$build"
clang=$(command -v "${CLANG:-clang-19}")
clangxx=$(dirname "$clang")/$(basename "$clang" | sed 's/clang/clang++/')
# LLVM's own folder has no version in the name
[ -x "$clangxx" ] || clangxx=$(dirname "$clang")/clang++
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$clang" -DCMAKE_CXX_COMPILER="$clangxx" \
	-DCMAKE_BUILD_TYPE=RelWithDebInfo -DINLAY_FUZZ=ON -DINLAY_BUILD_BENCH=OFF \
	-DCMAKE_C_FLAGS="$flags" \
	-DCMAKE_EXE_LINKER_FLAGS="-fsanitize=address,undefined" > "$build/build.log" 2>&1 || { cat "$build/build.log"; exit 1; }
ninja -C "$build" "${targets[@]/#/fuzz_}" >> "$build/build.log" 2>&1 || { tail -40 "$build/build.log"; exit 1; }

mkdir -p "$build/findings"
for target in "${targets[@]}"; do
	mkdir -p "$build/corpus/$target"
	max_bytes=1537
	[ "$target" = row ] && max_bytes=4097
	[ "$target" = object ] && max_bytes=65536
	echo "== $target: $executions executions"
	"$build/tests/fuzz_$target" -runs="$executions" -max_len=$max_bytes -timeout=60 -rss_limit_mb=2048 \
		-print_final_stats=1 -verbosity=0 -artifact_prefix="$build/findings/$target-" \
		"$build/corpus/$target" "$source/tests/fuzz/corpus/$target" > "$build/$target.log" 2>&1 ||
		{ tail -60 "$build/$target.log"; exit 1; }
	grep -E "number_of_executed_units|peak_rss" "$build/$target.log"
done
