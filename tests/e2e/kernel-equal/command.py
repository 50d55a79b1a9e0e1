# SPDX-License-Identifier: BSD-2-Clause
"""Prints the maps of the one segment there is as segment.c does, but as the command `inlay` sees them.

command.py INLAY
"""
import json
import subprocess
import sys


def run(*words):
    return json.loads(subprocess.check_output([sys.argv[1], *words]))


def number(parts):
    return bytes(int(part, 16) for part in parts)


def total(values):
    """The threads' parts of a value, added up as the 64-bit numbers that it is made of."""
    parts = [number(value["value"]) for value in values]
    words = [sum(int.from_bytes(part[i:i + 8], "little") for part in parts) % 2**64
             for i in range(0, len(parts[0]), 8)]
    return b"".join(word.to_bytes(8, "little") for word in words)


for map_row in run("maps", "-j"):
    # see attach.c
    if map_row["type"] in ("bloom_filter", "array_of_maps", "hash_of_maps", "cgroup_array",
                           "ringbuf", "user_ringbuf", "perf_event_array"):
        continue
    name = map_row["object"] + "." + map_row["name"]
    for entry in run("dump", "-j", name):
        value = total(entry["values"]) if "values" in entry else number(entry["value"])
        print(map_row["name"], number(entry["key"]).hex(), value.hex())
