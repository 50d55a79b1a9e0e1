#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# synclat: waits for the disk by calling function; calls from elsewhere are not counted.
. "$(dirname "$0")/sample-common.sh"

build_sample synclat 'CALLS(C)=C(write, kv_log_append) C(fdatasync, kv_log_sync)'
check_loads_in_kernel synclat

start_kv -l "$work/log"
ask "set a 1"
ask "sync"
ask "set b 2"
ask "set c 3"
ask "get a"
inlay hist wait_ns -j -p $server >"$work/hist.json"
stop_kv

[ "$(wc -l <"$work/log")" = 3 ] || fail "the log has lost a line"
# answers are written as well, by stdio inside of libc: not from kv_log_append
python3 - "$work/hist.json" <<'CHECK' || fail "$(cat "$work/hist.json")"
import json, sys
found = {h["key"]: h["total"] for h in json.load(open(sys.argv[1]))}
assert found == {"CALL_write_from_kv_log_append": 3, "CALL_fdatasync_from_kv_log_sync": 1}, found
CHECK
echo "synclat: ok"
