#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check.py BPFCC CLANG: shows the programs of nests.py to bpfcc and to the running kernel. Fails if the kernel accepts
one that bpfcc refuses; INLAY_TEST_LONG=1: of many seeds, more than one in fifty."""
import os
import pathlib
import platform
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = 6
SEEDS_LONG = 200
FEWEST = 20  # programs that the kernel accepts


def compile_nest(clang, seed):
    source = pathlib.Path(os.environ["TEMP_DIR"]) / f"{seed}.bpf.c"
    with open(source, "w", encoding="utf-8") as f:
        subprocess.run([sys.executable, HERE / "nests.py", str(seed)], stdout=f, check=True)
    obj = source.with_suffix(".o")
    include = f"-I/usr/include/{platform.machine()}-linux-gnu"
    subprocess.run([clang, "--target=bpf", "-mcpu=v4", "-g", "-O2", "-w", include, f"-I{HERE}", "-c", source,
                    "-o", obj], check=True)
    return obj


def main():
    bpfcc, clang = sys.argv[1:]
    is_long = os.environ.get("INLAY_TEST_LONG") == "1"
    counts, failed = {}, []
    for seed in range(1, 1 + (SEEDS_LONG if is_long else SEEDS)):
        obj = compile_nest(clang, seed)
        run = subprocess.run([bpfcc, "verify", "--kernel-verify", obj], capture_output=True, text=True, check=False)
        for line in run.stdout.splitlines():
            name, ours, reason, theirs, _ = line.split("\t")
            counts[theirs, ours] = counts.get((theirs, ours), 0) + 1
            if theirs == "ACCEPT" and ours != "ACCEPT":
                failed.append(f"{seed}:{name}: the kernel accepts it, bpfcc does not: {reason}")
    for (theirs, ours), n in sorted(counts.items()):
        print(f"the kernel {theirs}, bpfcc {ours}: {n}")
    print("\n".join(failed), file=sys.stderr)
    nr = sum(n for (theirs, _), n in counts.items() if theirs == "ACCEPT")
    if nr < FEWEST and not any(theirs == "UNKNOWN" for theirs, _ in counts):
        sys.exit(f"the kernel accepted {nr} programs only")
    # some take other ways to the same limits
    return 1 if len(failed) > (nr // 50 if is_long else 0) else 0


if __name__ == "__main__":
    sys.exit(main())
