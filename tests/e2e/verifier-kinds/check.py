#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check.py BPFCC DIFFERENCES: shows the programs of programs.py to bpfcc and to the running kernel. Fails if their
opinions differ and DIFFERENCES does not say why ("key: text" are reasons, "name<TAB>verdict of bpfcc<TAB>key" use
them). Of other kernels than 6.18, which know more or fewer instructions, only what they accept counts."""
import platform
import re
import subprocess
import sys

from programs import MAPS, ROWS

FEWEST = 600


def read_differences(path):
    keys, rows = set(), {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if "\t" in line:
                name, verdict, key = line.rstrip("\n").split("\t")
                rows[name] = (verdict, key)
            elif m := re.match(r"([\w-]+): ", line):
                keys.add(m[1])
    return keys, rows


def main():
    bpfcc, path = sys.argv[1:]
    keys, known = read_differences(path)
    rows = "name\tmaps\tinsns\n" + "".join(f"{name}\t{MAPS}\t{insns}\n" for name, insns in ROWS.items())
    run = subprocess.run([bpfcc, "verify", "--raw", "--kernel-verify", "-"], input=rows, capture_output=True,
                         text=True, check=False)
    counts, failed, is_618 = {}, 0, platform.release().startswith("6.18")
    for line in run.stdout.splitlines():
        name, ours, reason, theirs, their_reason = line.split("\t")
        counts[theirs, ours] = counts.get((theirs, ours), 0) + 1
        if ours == theirs or theirs == "UNKNOWN" or (theirs == "REJECT" and not is_618):
            continue
        verdict, key = known.get(name, ("", ""))
        if verdict != ours or key not in keys:
            failed += 1
            print(f"{name}: bpfcc says {ours} ({reason}), the kernel {theirs} ({their_reason})", file=sys.stderr)
    nr = sum(n for (theirs, _), n in counts.items() if theirs != "UNKNOWN")
    for (theirs, ours), n in sorted(counts.items()):
        print(f"the kernel {theirs}, bpfcc {ours}: {n}")
    if nr < FEWEST:
        print(f"the kernel was shown {nr} programs only", file=sys.stderr)
    return 1 if failed or nr < FEWEST else 0


if __name__ == "__main__":
    sys.exit(main())
