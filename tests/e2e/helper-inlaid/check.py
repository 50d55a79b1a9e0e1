#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the probe said (inlay dump -j) against what the program knows: check.py KNOWS SAID TRACE MODE"""
import json
import sys

knows, said, trace, mode = sys.argv[1:5]
pid, tid, uid, gid, ns, ip = open(knows).read().split()
entry = json.load(open(said))[0]["formatted"]["value"][".bss"][0]["said"]
text = b"a text that is too long"
expected = {
    "hits": 4,
    "pid_tgid": int(pid) << 32 | int(tid),
    "uid_gid": int(gid) << 32 | int(uid),
    "cpu": 0,
    "ip": int(ip, 16),
    "cookie": 0,
    "comm_ret": 0,
    "comm": "helper-child",
    "text_ret": 16,
    "text": text[:15].decode(),
    "bad_ret": -14,
    "bad": 0,
    "word_ret": 0,
    "word": int.from_bytes(text[:8], "little"),
    "line_ret": len("<helper-child:0004>") + 1,
    "line": "<helper-child:0004>",
    "number": -42,
    "number_ret": len(" -0x2a"),
    "order": -1,
    "namespace_ret": -22,
    "coarse_late": 0,
    "task_read": 2**64 - 14,
    "print_ret": len("look at a text that is too long: 4"),
}
wrong = [f"{k}: {entry[k]}, not {v}" for k, v in expected.items() if entry[k] != v]
if entry["random"] == entry["random2"] or entry["random"] >> 32:
    wrong.append(f'random: {entry["random"]}, {entry["random2"]}')
if not int(ns) - 2000 <= entry["began_ns"] <= int(ns) + 10**9:
    wrong.append(f'began_ns: {entry["began_ns"]}, called at {ns}')
if not 2 * 10**6 - 2000 <= entry["took_ns"] <= 10**9:  # it sleeps for 2 ms
    wrong.append(f'took_ns: {entry["took_ns"]}')
if entry["boot_ns"] < int(ns) - 2000 or entry["node"] > 1023:
    wrong.append(f'boot_ns: {entry["boot_ns"]}, node: {entry["node"]}')
lines = [line.split(": ", 1)[1] for line in open(trace).read().splitlines()]
if lines != [f"look at {what}: {i + 1}" for i, what in
             enumerate(("handler", "blocked", "thread", text.decode()))]:
    wrong.append(f"trace: {lines}")
for line in wrong:
    print(f"FAIL: [{mode}] {line}")
sys.exit(bool(wrong))
