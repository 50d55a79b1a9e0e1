#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check.py [--figures] [--update] BPFCC CORPUS TRIAGE

Compares `bpfcc verify --raw` with the labels of a corpus of programs (rows as docs/bpfcc.md describes them, with
the columns label, class and reason; .xz is unpacked) and prints how many of the programs that the kernel accepts
are accepted, and how many of those that it refuses, by class. TRIAGE says for each difference why it is there:
lines "key: text" define reasons, lines "name<TAB>verdict<TAB>key[<TAB>remark]" use them.

Fails if a program of a class that is about memory safety is accepted and TRIAGE has no reason for it, if any other
difference has none, or if less than 97 % of the programs that the kernel accepts are. --figures: prints only, for
another corpus than the one that was triaged. --update: writes TRIAGE anew; differences that it does not explain get
the key "?", which fails until somebody finds out why."""
import argparse
import lzma
import re
import subprocess
import sys
import tempfile
import time

UNSAFE = ("memory", "uninit", "type", "ref", "termination")
MIN_SHARE = 0.97


def read_corpus(path):
    opener = lzma.open if path.endswith(".xz") else open
    with opener(path, "rt", encoding="utf-8") as f:
        lines = f.read().splitlines()
    header = lines[0].split("\t")
    return lines, [dict(zip(header, line.split("\t"))) for line in lines[1:]]


def read_triage(path):
    """(keys: text, {name: (verdict, key, remarks)})"""
    keys, rows = {}, {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if "\t" in line:
                name, verdict, key, *remarks = line.rstrip("\n").split("\t")
                rows[name] = (verdict, key, remarks)
            elif (m := re.match(r"([\w-]+): (.*)", line)):
                keys[m.group(1)] = m.group(2)
    return keys, rows


def verify(bpfcc, lines):
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as f:
        f.write("\n".join(lines) + "\n")
        f.flush()
        start = time.monotonic()
        out = subprocess.run([bpfcc, "verify", "--raw", f.name], stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.monotonic() - start
    return [line.split("\t") for line in out.stdout.splitlines()], seconds


def write_triage(path, differences, rows):
    with open(path, encoding="utf-8") as f:
        head = [line for line in f if "\t" not in line]
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(head)
        for row, verdict in differences:
            old = rows.get(row["name"])
            key, remarks = old[1:] if old and old[0] == verdict else ("?", [])
            f.write("\t".join([row["name"], verdict, key, *remarks]) + "\n")


def print_figures(corpus, results, seconds):
    accepted = [r for r, v in zip(corpus, results) if v[1] == "ACCEPT"]
    good = sum(r["label"] == "ACCEPT" for r in corpus)
    good_accepted = sum(r["label"] == "ACCEPT" for r in accepted)
    share = good_accepted / good if good else 1.0
    print(f"{len(corpus)} programs in {seconds:.1f} s")
    print(f"accepted by the kernel: {good}, of them accepted here: {good_accepted} ({100 * share:.2f} %)")
    bad = [r for r in corpus if r["label"] == "REJECT"]
    for cls in sorted({r["class"] for r in bad}):
        nr = sum(r["class"] == cls for r in bad)
        nr_accepted = sum(r["label"] == "REJECT" and r["class"] == cls for r in accepted)
        print(f"refused by the kernel, {cls}: {nr}, of them accepted here: {nr_accepted}")
    return share


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("bpfcc")
    parser.add_argument("corpus")
    parser.add_argument("triage")
    args = parser.parse_args()
    lines, corpus = read_corpus(args.corpus)
    results, seconds = verify(args.bpfcc, lines)
    if [r[0] for r in results] != [r["name"] for r in corpus]:
        sys.exit("bpfcc verify --raw did not give one line a row, in order")
    share = print_figures(corpus, results, seconds)
    if args.figures:
        return
    keys, triage = read_triage(args.triage)
    differences = [(r, v[1]) for r, v in zip(corpus, results) if v[1] != r["label"]]
    if args.update:
        write_triage(args.triage, differences, triage)
        keys, triage = read_triage(args.triage)
    failed = share < MIN_SHARE
    for row, verdict in differences:
        known = triage.get(row["name"])
        if known and known[0] == verdict and known[1] in keys:
            continue
        failed = True
        danger = " ABOUT MEMORY SAFETY" if verdict == "ACCEPT" and row["class"] in UNSAFE else ""
        print(f"not triaged{danger}: {row['name']}: {verdict} here; kernel: {row['class']} {row['reason']}")
    gone = set(triage) - {r["name"] for r, _ in differences}
    print(f"{len(differences)} differences; {len(gone)} triaged ones are gone")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
