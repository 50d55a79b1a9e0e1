#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What Inlay costs a build that uses no probes: redis-server compiled by clang 19, by the wrapper, and by
# clang 19 with the plugin loaded, in turn. Prints the processor time of each (median, min, max), the
# ratios, whether the object files are the same to the byte; JSON goes to build-time.json beside the builds.
#
#   bench/redis/build-time.sh [BUILD [RUNS]]
#
# BUILD is Inlay's build tree (build/ by default); everything made stays in BUILD/bench/redis.
set -eu
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "${1:-$top/build}" && pwd)
runs=${2:-5}
if ! [[ $runs =~ ^[1-9][0-9]*$ ]] || [ ! -x "$build/bin/inlay-cc" ]; then
	sed -n '7,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
work=$build/bench/redis
variants=(clang wrapper plugin)
plugin=$build/lib/inlay-pass.so

# One tree for all, because debug information holds its path.
mkdir -p "$work"
"$top/samples/redis-source.sh" "$work/source" >"$work/log" 2>&1 || { tail "$work/log" >&2; exit 1; }
tree=$work/build-time
if [ ! -e "$tree/deps/lua/src/liblua.a" ]; then
	rm -rf "$tree"
	cp -R "$work/source" "$tree"
	make -C "$tree" -j2 CC=clang-19 MALLOC=libc >"$work/log" 2>&1
fi

compiler() {
	case $1 in
	clang) echo clang-19 ;;
	wrapper) echo "$build/bin/inlay-cc" ;;
	plugin) echo "clang-19 -fplugin=$plugin -fpass-plugin=$plugin" ;;
	esac
}

# Only src/ is built again; CFLAGS is what redis adds for a compiler with clang in its name.
compile() {
	local folder=$work/objects-$1
	env -u INLAY_FLAGS -u INLAY_PROBES make -C "$tree/src" -j2 CC="$(compiler "$1")" MALLOC=libc \
		CFLAGS=-Wno-c11-extensions redis-server >"$work/log" 2>&1 ||
		{ tail "$work/log" >&2; exit 1; }
	rm -rf "$folder"
	mkdir "$folder"
	cp "$tree"/src/*.o "$folder"
}

: >"$work/times"
for ((run = 0; run < runs; run++)); do
	for ((i = 0; i < 3; i++)); do
		variant=${variants[(run + i) % 3]}
		rm -f "$tree"/src/*.o "$tree/src/redis-server" "$tree/src/.make-settings"
		TIMEFORMAT="$variant %U %S"
		{ time compile "$variant"; } 2>>"$work/times"
	done
	echo "round $((run + 1)) of $runs done" >&2
done

same=true
for variant in wrapper plugin; do
	for object in "$work"/objects-clang/*.o; do
		if ! cmp -s "$object" "$work/objects-$variant/${object##*/}"; then
			echo "$variant: ${object##*/} is another than clang's"
			same=false
		fi
	done
done

sort -k1,1 "$work/times" | awk '{ print $1, $2 + $3 }' | sort -k1,1 -k2,2n |
	awk -v same=$same -v json="$work/build-time.json" -v bound=1.03 '
	{ n[$1]++; t[$1, n[$1]] = $2 }
	function median(v) { return t[v, int((n[v] + 1) / 2)] }
	END {
		split("clang wrapper plugin", names, " ")
		printf "%-10s %10s %8s %8s %10s\n", "", "median s", "min", "max", "of clang"
		printf "{\n \"unit\": \"seconds of processor time\",\n \"runs\": %d,\n", n["clang"] >json
		for (i = 1; i <= 3; i++) {
			v = names[i]
			ratio = median(v) / median("clang")
			printf "%-10s %10.2f %8.2f %8.2f %10.3f\n", v, median(v), t[v, 1], t[v, n[v]], ratio
			printf " \"%s\": { \"median\": %.2f, \"min\": %.2f, \"max\": %.2f, \"ratio\": %.4f },\n",
				v, median(v), t[v, 1], t[v, n[v]], ratio >json
			if (ratio > bound)
				above = above " " v
		}
		printf " \"identical_objects\": %s\n}\n", same >json
		printf "\npromised: not above %.2f: %s; objects identical: %s\n", bound,
			above ? "ABOVE:" above : "ok", same
		exit same != "true" || above != ""
	}'
