#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kv by itself: requests on standard input, from many clients of a UNIX socket, over loopback TCP; -b.
set -eu
kv=$INLAY_BUILD/samples/kv
work=$(mktemp -d)
server=
clean_up() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT

got=$(printf '%s\n' "set a 1" "get a" "incr a 41" "get a" "del a" "del a" "get a" "peek b" nonsense \
	"threads 3 10" "fork 3 10" "signal 4" "fib 10" "even 9" quit "get a" | "$kv" | tr '\n' ';')
want='0;1 1;42;2 42;1;0;none;none;what is nonsense?;3;3;4;55;0;'
[ "$got" = "$want" ] || {
	echo "expected $want, got $got" >&2
	exit 1
}
"$kv" -b 1000 | grep -q '^1000 requests, [0-9]* per second$'
if "$kv" -u "$work/nowhere/socket" 2>/dev/null; then
	echo "a socket that cannot be made is no error" >&2
	exit 1
fi
if "$kv" -x 2>/dev/null; then
	exit 1
fi

# eight clients add to one counter; every addition is there
clients() {
	python3 - "$@" <<'PYTHON'
import socket, sys, threading, time
def connect():
    for _ in range(200):
        try:
            if sys.argv[1] == "unix":
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[2])
            else:
                s = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
            return s.makefile("rw")
        except OSError:
            time.sleep(0.02)
    sys.exit("cannot connect")
def client():
    f = connect()
    for _ in range(100):
        f.write("incr n 2\n")
        f.flush()
        f.readline()
threads = [threading.Thread(target=client) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
f = connect()
f.write("get n\n")
f.flush()
answer = f.readline()
assert answer == "4 1600\n", answer
PYTHON
}
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
for how in "unix $work/socket -u" "tcp $port -p"; do
	set -- $how
	"$kv" "$3" "$2" &
	server=$!
	clients "$1" "$2"
	kill "$server"
	wait "$server" || {
		echo "kv does not end well on SIGTERM" >&2
		exit 1
	}
	server=
done
echo "sample-kv: ok"
