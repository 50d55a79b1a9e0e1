#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The first thing to run: builds Inlay and a redis with probes in it, puts load on that redis and shows
# what the probes saw while it ran, beside the same redis without probes.
#
#   sudo samples/quickstart.sh [--kv]
#
# --kv takes the small server of samples/kv instead of redis; so does a machine that cannot get redis's
# source. Everything it makes stays in build/; a second run uses what is there.
set -eu
export LC_ALL=C
unset INLAY_FLAGS INLAY_PROBES INLAY_LAUNCHER INLAY_DIR INLAY_DISABLE INLAY_SEGMENT

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=${INLAY_BUILD_DIR:-$source_dir/build}
work=$build_dir/quickstart
rounds=${INLAY_QUICKSTART_ROUNDS:-3}
requests=${INLAY_QUICKSTART_REQUESTS:-1000000}	# a round and command
servers=()
scratch=

say() {
	printf '\n==> %s\n' "$*"
}

cleanup() {
	local pid
	for pid in "${servers[@]}"; do
		kill "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || :
	done
	[ -z "$scratch" ] || rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a command quietly; shows the end of what it printed if it fails.
quietly() {
	local log=$work/last.log
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 30 "$log" >&2
		echo "quickstart: failed: $*" >&2
		return 1
	fi
}

build_inlay() {
	if [ ! -e "$build_dir/CMakeCache.txt" ]; then
		quietly cmake -S "$source_dir" -B "$build_dir" -G Ninja -DINLAY_BUILD_TESTS=OFF \
			-DINLAY_BUILD_BENCH=OFF \
			-DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19
	fi
	quietly cmake --build "$build_dir" -j 2
}

# What a probed build depends on besides its own source.
fingerprint() {
	cat "$@" "$build_dir/bin/inlay-cc" "$build_dir/lib/inlay-pass.so" \
		"$build_dir/lib/libinlay.a" | sha256sum
}

free_port() {
	local port
	for ((port = 20000 + RANDOM % 20000; ; port++)); do
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo "$port"
			return
		fi
	done
}

wait_for_port() {
	local i
	for ((i = 0; i < 100; i++)); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
			return
		fi
		sleep 0.1
	done
	echo "quickstart: nothing answers on port $1" >&2
	return 1
}

# The counts so far, read from the running target's memory by `inlay`: "dictFind 12 call 5".
counts() {
	inlay dump calls --sym -p "$1" 2>/dev/null | awk -F': ' '{ printf "  %s %s", $1, $2 }' || :
}

# One progress line for as long as the process $1 runs; $2 is the target, $3 the round.
show_progress() {
	local cr='\n' clear='' pause=1
	if [ -t 1 ]; then
		pause=0.2
		cr='\r'
		clear='\033[K'
	fi
	while kill -0 "$1" 2>/dev/null; do
		printf "    round %s:%s$clear$cr" "$3" "$(counts "$2")"
		sleep $pause
	done
	printf "    round %s:%s$clear\n" "$3" "$(counts "$2")"
}

show_results() {
	say "Calls per function (inlay dump calls)"
	inlay dump calls --sym -p "$1"
	say "Latency per function (inlay hist latency_ns)"
	inlay hist latency_ns --sym -p "$1"
}

# Lines "plain RATE" and "probed RATE" on stdin: medians, spread, and the ratio of the medians.
show_throughput() {
	sort -k1,1 -k2,2n | awk -v unit="$1" '
		{ n[$1]++; rate[$1, n[$1]] = $2 }
		function median(name) { return rate[name, int((n[name] + 1) / 2)] }
		function row(title, name) {
			printf "    %-15s %10.0f %s (median of %d, from %.0f to %.0f)\n", title,
				median(name), unit, n[name], rate[name, 1], rate[name, n[name]]
		}
		END {
			row("without probes", "plain")
			row("with probes", "probed")
			printf "    ratio           %10.3f\n", median("probed") / median("plain")
		}'
}

build_redis() {
	local probes=$build_dir/samples/funccount.bpf.o,$build_dir/samples/funclatency.bpf.o
	local stamp
	if [ ! -x "$work/plain/src/redis-benchmark" ]; then
		say "Building redis with clang-19"
		rm -rf "$work/plain"
		cp -R "$work/redis" "$work/plain"
		quietly make -C "$work/plain" -j2 CC=clang-19 MALLOC=libc
	fi
	stamp=$(fingerprint ${probes//,/ })
	if [ ! -x "$work/probed/src/redis-server" ] ||
	   [ "$(cat "$work/probed.stamp" 2>/dev/null)" != "$stamp" ]; then
		say "Building redis with make CC=inlay-cc, INLAY_FLAGS=-finlay-probes=funccount.bpf.o,funclatency.bpf.o"
		rm -rf "$work/probed" "$work/probed.stamp"
		cp -R "$work/redis" "$work/probed"
		INLAY_FLAGS=-finlay-probes=$probes \
			quietly make -C "$work/probed" -j2 CC=inlay-cc MALLOC=libc
		grep '^inlay: redis-server:' "$work/last.log"
		echo "$stamp" >"$work/probed.stamp"
	fi
}

# Starts the redis in $1 on port $2; its process id is then the last of `servers`.
start_redis() {
	mkdir "$scratch/$1"
	"$work/$1/src/redis-server" --port "$2" --bind 127.0.0.1 --save '' --appendonly no \
		--dir "$scratch/$1" --loglevel warning >"$scratch/$1.log" 2>&1 </dev/null &
	servers+=($!)
	wait_for_port "$2"
}

# Load on port $1: requests per second over SET and GET together, into $2.
load_redis() {
	timeout 300 "$work/plain/src/redis-benchmark" -h 127.0.0.1 -p "$1" -P 16 -n "$requests" \
		-r 100000 -t set,get --csv 2>/dev/null </dev/null |
		awk -F'"' '$2 == "SET" || $2 == "GET" { time += 1 / $4; n++ }
			END { if (n != 2) exit 1; print n / time }' >"$2"
}

run_redis() {
	local plain_port probed_port probed round load
	build_redis
	scratch=$(mktemp -d)
	plain_port=$(free_port)
	start_redis plain "$plain_port"
	probed_port=$(free_port)
	start_redis probed "$probed_port"
	probed=${servers[1]}

	say "Where the probes sit (inlay list redis-server)"
	inlay list "$work/probed/src/redis-server"
	say "redis-benchmark -P 16, $requests SET and $requests GET a round, with and without probes in turn"
	for ((round = 1; round <= rounds; round++)); do
		load_redis "$plain_port" "$scratch/rate"
		echo "plain $(cat "$scratch/rate")" >>"$scratch/rates"
		load_redis "$probed_port" "$scratch/rate" &
		load=$!
		show_progress "$load" "$probed" "$round"
		wait "$load"
		echo "probed $(cat "$scratch/rate")" >>"$scratch/rates"
	done
	show_results "$probed"
	say "Throughput"
	show_throughput "requests/s" <"$scratch/rates"
}

# The same with samples/kv, whose -b makes it its own client.
run_kv() {
	local objects=$build_dir/samples round
	local flags=(-O2 -g -pthread "$source_dir"/samples/kv/*.c)
	say "Building samples/kv with clang-19"
	quietly clang-19 "${flags[@]}" -o "$work/kv-plain"
	say "Building samples/kv with inlay-cc, probes at kv_get and kv_set"
	quietly inlay-cc -finlay-probes="$objects/funccount.bpf.o,$objects/funclatency.bpf.o" \
		-finlay-attach='funccount:count_matching:kv_[gs]et' \
		-finlay-attach='funclatency:time_matching:kv_[gs]et' \
		"${flags[@]}" -o "$work/kv-probed"
	cat "$work/last.log"

	# Its segments are kept after its end, to be shown, in a folder of their own.
	scratch=$(mktemp -d)
	mkdir -m 700 "$scratch/segments"
	export INLAY_DIR=$scratch/segments INLAY_KEEP=1
	say "Where the probes sit (inlay list kv)"
	inlay list "$work/kv-probed"
	say "$((requests * 4)) gets and sets a round, with and without probes in turn"
	for ((round = 1; round <= rounds; round++)); do
		"$work/kv-plain" -b $((requests * 4)) </dev/null |
			awk '{ print "plain", $3 }' >>"$scratch/rates"
		"$work/kv-probed" -b $((requests * 4)) </dev/null >"$scratch/rate" &
		servers=($!)
		show_progress "${servers[0]}" "${servers[0]}" "$round"
		wait "${servers[0]}"
		awk '{ print "probed", $3 }' "$scratch/rate" >>"$scratch/rates"
	done
	show_results "${servers[0]}"
	say "Throughput"
	show_throughput "requests/s" <"$scratch/rates"
}

use_kv=no
case ${1:-} in
'') ;;
--kv) use_kv=yes ;;
*)
	echo "usage: samples/quickstart.sh [--kv]" >&2
	exit 2
	;;
esac

mkdir -p "$work"
say "Installing Debian packages that are missing"
packages=(build redis)
[ "$use_kv" = no ] || packages=(build)
"$source_dir/tests/setup.sh" "${packages[@]}"

say "Building Inlay in $build_dir"
build_inlay
PATH=$build_dir/bin:$PATH

if [ "$use_kv" = no ]; then
	say "Getting redis's source package"
	if ! quietly "$source_dir/samples/redis-source.sh" "$work/redis"; then
		echo "quickstart: redis's source cannot be had; taking samples/kv instead" >&2
		use_kv=yes
	fi
fi
if [ "$use_kv" = yes ]; then
	run_kv
else
	run_redis
fi
say "Done. The builds stay in $work; try 'inlay help'."
