# SPDX-License-Identifier: BSD-2-Clause
# For the tests of `inlay`: a scratch folder, a target with the probes built in, and how to talk to it.
set -eu -o pipefail
here=$INLAY_SOURCE/tests/e2e/cli
work=$(mktemp -d "${TMPDIR:-/tmp}/inlay-cli-XXXXXX")
export INLAY_DIR=$work/segments PATH=$INLAY_BUILD/bin:$PATH LC_ALL=C.UTF-8
unset NO_COLOR INLAY_KEEP INLAY_SEGMENT INLAY_DISABLE
mkdir -m 700 "$INLAY_DIR"
pids=()
failures=0

clean_up()
{
	local pid
	for pid in ${pids[@]+"${pids[@]}"}; do
		{ kill -9 "$pid" && wait "$pid"; } 2>/dev/null || :
	done
	rm -rf "$work"
}
trap clean_up EXIT

fail()
{
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# has WHAT TEXT PATTERN: an extended regular expression that a line of the text matches
has()
{
	grep -qE -- "$3" <<<"$2" || fail "$1: no line '$3' in:
$2"
}

# lacks WHAT TEXT PATTERN
lacks()
{
	if grep -qE -- "$3" <<<"$2"; then
		fail "$1: there is a line '$3' in:
$2"
	fi
}

# exits CODE COMMAND...: sets $out to what the command prints, stderr included
exits()
{
	local want=$1 code=0
	shift
	out=$("$@" 2>&1) || code=$?
	[ "$code" = "$want" ] || fail "'$*' exits with $code, not $want: $out"
}

# appears FILE: waits until something stands in it
appears()
{
	local tries=0
	until [ -s "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || { fail "$1 stays empty"; return; }
		sleep 0.02
	done
}

# json WHAT EXPRESSION: python over d, the JSON on stdin
json()
{
	local text
	text=$(cat)
	python3 -c 'import json, sys
d = json.loads(sys.argv[2])
sys.exit(0 if eval("(" + sys.argv[1] + ")") else 1)' "$2" "$text" || fail "$1: not '$2' in: $text"
}

build_target()
{
	local arch
	case $(uname -m) in
	x86_64) arch=x86 ;;
	aarch64) arch=arm64 ;;
	*) echo "no probes for $(uname -m)"; exit 77 ;;
	esac
	"$CLANG" -target bpf -g -O2 -D__TARGET_ARCH_$arch "-I/usr/include/$(uname -m)-linux-gnu" \
		"-I$INLAY_SOURCE/include" -c "$here/probes.bpf.c" -o "$work/probes.bpf.o"
	inlay-cc -g -O2 -pthread "-finlay-probes=$work/probes.bpf.o" -finlay-stats \
		"$here/target.c" -o "$work/target" 2>"$work/build.log" ||
		{ cat "$work/build.log" >&2; exit 1; }
}

# start NAME [BINARY]: runs a target whose stdin and stdout are $work/NAME.in and .out; sets $NAME to its pid
start()
{
	local name=$1 tries=0
	mkfifo "$work/$name.in"
	"$work/${2-target}" <"$work/$name.in" >"$work/$name.out" &
	declare -g "$name=$!"
	pids+=($!)
	# holds the pipe open between two commands
	exec {fd}>"$work/$name.in"
	declare -g "fd_$name=$fd"
	until grep -q ready "$work/$name.out"; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || { fail "$name does not start"; exit 1; }
		sleep 0.02
	done
}

# tell NAME COMMAND: waits for its "ok"
tell()
{
	local name=$1 tries=0 before
	before=$(grep -c ok "$work/$name.out" || :)
	local to=fd_$name
	echo "$2" >&"${!to}"
	while [ "$(grep -c ok "$work/$name.out" || :)" = "$before" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || { fail "$name does not answer '$2'"; return; }
		sleep 0.02
	done
}

# say NAME COMMAND: does not wait
say()
{
	local to=fd_$1
	echo "$2" >&"${!to}"
}

finish()
{
	[ $failures = 0 ] || { echo "$failures failures" >&2; exit 1; }
}
