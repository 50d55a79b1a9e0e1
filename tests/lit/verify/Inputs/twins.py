#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""twins.py BPFCC SOURCE OBJECT [OPTION...]: verifies each program of OBJECT by itself and compares
with what SOURCE says of it: ACCEPT(name), REJECT(name, "why"). A file has at least one of each.
OPTIONs go to bpfcc verify."""
import re
import subprocess
import sys

MACRO = re.compile(r'^(ACCEPT|REJECT)(?:_IN)?\(\s*(?:"[^"]*",\s*)?(\w+)\s*(?:,\s*((?:"[^"]*"\s*)+))?\)',
                   re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)


def expectations(path):
    """(verdict, name, why) of each program, in order."""
    with open(path, encoding="utf-8") as f:
        source = COMMENT.sub("", f.read())
    for verdict, name, why in MACRO.findall(source):
        yield verdict, name, "".join(re.findall(r'"([^"]*)"', why or ""))


def verdict_of(bpfcc, obj, name, options):
    """(verdict, reason, everything printed)"""
    run = subprocess.run([bpfcc, "verify", *options, f"{obj}:{name}"], capture_output=True, text=True,
                         check=False)
    shown = run.stdout + run.stderr
    for line in run.stdout.splitlines():
        columns = line.split("\t")
        if len(columns) == 3 and columns[1] in ("ACCEPT", "REJECT"):
            if run.returncode != (0 if columns[1] == "ACCEPT" else 1):
                return "exit code %d with %s" % (run.returncode, columns[1]), "", shown
            return columns[1], columns[2], shown
    return "no verdict, exit code %d" % run.returncode, "", shown


def main():
    bpfcc, source, obj, *options = sys.argv[1:]
    expected = list(expectations(source))
    failed = 0
    if {e[0] for e in expected} != {"ACCEPT", "REJECT"}:
        sys.exit(f"{source}: no twins: it needs an ACCEPT and a REJECT")
    for verdict, name, why in expected:
        if verdict == "REJECT" and not why:
            sys.exit(f"{source}: REJECT({name}) does not say why")
        got, reason, shown = verdict_of(bpfcc, obj, name, options)
        if got == verdict and why in reason:
            continue
        failed += 1
        print(f"{source}: {name}: expected {verdict}" + (f' with "{why}"' if why else "") +
              f", got {got}: {reason}\n{shown}", file=sys.stderr)
    print(f"{len(expected) - failed} of {len(expected)} programs as expected")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
