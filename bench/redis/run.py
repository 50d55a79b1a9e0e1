#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What probes cost a real program: redis-benchmark -P 16 against redis built in several ways.

Builds (once, kept in the work folder):
  plain        clang-19, no probes
  count        inlay-cc with count.bpf.o: call, processCommand and dictFind counted in globals
  time         inlay-cc with time.bpf.o: the same three counted and timed (log2 histogram)
  hand-count   hand-written C at the same three places: plain adds
  hand-time    hand-written C: two rdtsc, an add and a histogram slot
and, on the plain build, the same probe objects as kernel uprobes:
  kernel-count, kernel-time

A round starts all servers and loads them by turns, in slices of a fraction of a second, so that what the
machine does besides meets all alike; the order rotates. Server and client have a core each.
Prints median, min and max of the throughput, the processor time that the server took for a request
(which a busy machine disturbs less), and the ratios that Inlay promises; JSON with --json.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
VARIANTS = ["plain", "count", "hand-count", "time", "hand-time", "kernel-count", "kernel-time"]
KERNEL = {"kernel-count": "count", "kernel-time": "time"}
SLICES = 8  # turns of each variant in a round
PROBED = ["call", "processCommand", "dictFind"]


def run(command, **kwargs):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:])
        sys.exit(f"failed ({done.returncode}): {' '.join(command)}")
    return done.stdout


def bpf_arch():
    return "arm64" if os.uname().machine == "aarch64" else "x86"


def build(args):
    """Makes the five servers; returns {variant: path of redis-server}."""
    work, source = args.work, args.source
    plain = os.path.join(work, "plain")
    jobs = f"-j{args.jobs}"
    if not os.path.exists(os.path.join(plain, "src", "redis-benchmark")):
        shutil.rmtree(plain, ignore_errors=True)
        shutil.copytree(source, plain, symlinks=True)
        print("building redis without probes", flush=True)
        run(["make", "-C", plain, jobs, "CC=clang-19", "MALLOC=libc", "USE_SYSTEMD=no"])

    def again(variant, compiler, environment, edits):
        folder = os.path.join(work, variant)
        shutil.rmtree(folder, ignore_errors=True)
        # -a semantics: with the objects and their times, so that only what is touched is compiled
        run(["cp", "-a", plain, folder])
        touched = edits or [f for f in os.listdir(os.path.join(folder, "src")) if f.endswith(".c")]
        for name in touched:
            path = os.path.join(folder, "src", name)
            if edits:
                run(["sed", "-i", "-f", os.path.join(HERE, "hand.sed"), path])
                if open(path).read().count("HAND_PROBE") != edits[name]:
                    sys.exit(f"{name}: the probed functions were not found; is this redis 7.0?")
            os.utime(path)
        print(f"building redis: {variant}", flush=True)
        run(["make", "-C", os.path.join(folder, "src"), jobs, f"CC={compiler}", "MALLOC=libc",
             "USE_SYSTEMD=no", "redis-server"], env={**os.environ, **environment})

    for variant, mode in (("hand-count", 1), ("hand-time", 2)):
        again(variant, f"clang-19 -DHAND_MODE={mode} -include {HERE}/hand.h", {},
              {"server.c": 2, "dict.c": 1})
    for variant in ("count", "time"):
        probes = os.path.join(work, f"{variant}.bpf.o")
        run(["clang-19", "-target", "bpf", "-g", "-O2", f"-D__TARGET_ARCH_{bpf_arch()}",
             f"-I{TOP}/include", f"-I/usr/include/{os.uname().machine}-linux-gnu", "-c",
             os.path.join(HERE, f"{variant}.bpf.c"), "-o", probes])
        again(variant, os.path.join(args.build, "bin", "inlay-cc"),
              {"INLAY_FLAGS": f"-finlay-probes={probes} -finlay-binary=redis-server"}, None)
    servers = {v: os.path.join(work, v, "src", "redis-server") for v in VARIANTS}
    for v in KERNEL:
        # a file of its own: a uprobe belongs to the file, whoever runs it
        servers[v] = os.path.join(work, f"redis-server-{v}")
        shutil.copy(os.path.join(plain, "src", "redis-server"), servers[v])
    return servers


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None:
                sys.exit("redis-server ended early")
            time.sleep(0.05)
    sys.exit("redis-server does not answer")


def stop(process):
    if process and process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_ns(pid):
    """Time on a processor of a process's first thread, which is the one that serves."""
    with open(f"/proc/{pid}/task/{pid}/schedstat") as f:
        return int(f.read().split()[0])


class Server:
    """A running redis-server, and what the requests to it have cost so far."""

    def __init__(self, args, variant, path):
        self.args, self.variant, self.path = args, variant, path
        self.requests = self.seconds = self.ns = 0
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="inlay-bench-redis-")
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", path, "--port", str(self.port), "--save", "", "--dir",
             self.folder, "--appendonly", "no", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL)
        try:
            wait_port(self.port, self.process)
        except BaseException:
            self.close()
            raise

    def load(self, requests):
        """So many SETs and so many GETs."""
        client = ["taskset", "-c", "1",
                  os.path.join(self.args.work, "plain", "src", "redis-benchmark"), "-p",
                  str(self.port), "-h", "127.0.0.1", "-P", "16", "-n", str(requests), "-r",
                  "100000", "-t", "set,get", "--csv"]
        if self.variant in KERNEL:
            # attaches the object to the server's file, runs the client, prints the maps
            probes = os.path.join(self.args.work, KERNEL[self.variant] + ".bpf.o")
            client = [self.args.attach, probes, self.path] + client
        before = cpu_ns(self.process.pid)
        text = run(client, timeout=300)
        self.ns += cpu_ns(self.process.pid) - before
        rows = [line.split('","') for line in text.splitlines() if line.startswith('"SET"') or
                line.startswith('"GET"')]
        if len(rows) != 2:
            sys.exit(f"redis-benchmark printed something else:\n{text}")
        self.seconds += sum(requests / float(row[1]) for row in rows)
        self.requests += 2 * requests

    def close(self):
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


def one_round(args, variants, servers, turn):
    """Fresh servers, loaded by turns; {variant: (requests per second, ns of the server for each)}."""
    running = {}
    try:
        for v in variants:
            running[v] = Server(args, v, servers[v])
        for i in range(SLICES):
            at = (turn + i) % len(variants)
            for v in variants[at:] + variants[:at]:
                # uprobes slow redis down many times: fewer requests keep the slices alike in time
                requests = args.requests // SLICES
                running[v].load(requests // 5 if v in KERNEL else requests)
        return {v: (r.requests / r.seconds, r.ns / r.requests) for v, r in running.items()}
    finally:
        for r in running.values():
            r.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", default=os.path.join(TOP, "build"), help="Inlay's build tree")
    parser.add_argument("--source", help="an unpacked redis 7.0 (default: Debian's source package)")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--requests", type=int, default=1000000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", help="write the figures here")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    args.work = os.path.join(args.build, "bench", "redis")
    args.attach = os.path.join(args.build, "tests", "kernel-equal", "attach")
    args.source = args.source or os.path.join(args.work, "source")
    os.makedirs(args.work, exist_ok=True)
    run([os.path.join(TOP, "samples", "redis-source.sh"), args.source])

    servers = build(args)
    can_attach = os.geteuid() == 0 and os.path.exists(args.attach)
    variants = [v for v in VARIANTS if v not in KERNEL or can_attach]
    for v in VARIANTS:
        if v not in variants:
            print(f"skipped: {v} (needs root and the tests' attach program)")
    rates = {v: [] for v in variants}
    times = {v: [] for v in variants}
    for i in range(args.runs):
        for v, (rate, ns) in one_round(args, variants, servers, i).items():
            rates[v].append(rate)
            times[v].append(ns)
        print(f"round {i + 1} of {args.runs} done", flush=True)

    median = {v: statistics.median(r) for v, r in rates.items()}
    median_ns = {v: statistics.median(t) for v, t in times.items()}
    print(f"\n{'variant':14}{'median req/s':>14}{'min':>10}{'max':>10}{'of plain':>10}"
          f"{'CPU ns/req':>13}{'min':>8}{'max':>8}{'plain/it':>10}")
    for v in variants:
        print(f"{v:14}{median[v]:14.0f}{min(rates[v]):10.0f}{max(rates[v]):10.0f}"
              f"{median[v] / median['plain']:10.3f}{median_ns[v]:13.0f}{min(times[v]):8.0f}"
              f"{max(times[v]):8.0f}{median_ns['plain'] / median_ns[v]:10.3f}")
    ratios = {}
    print()
    for name, a, b, bound in (("count / plain", "count", "plain", 0.95),
                              ("time / hand-time", "time", "hand-time", 0.97)):
        value = median[a] / median[b]
        ratios[name] = {"value": value, "at_least": bound, "by_cpu_time": median_ns[b] / median_ns[a]}
        print(f"{name:18}{value:.3f}  (promised: not below {bound})  "
              f"{'ok' if value >= bound else 'BELOW'};  by processor time {median_ns[b] / median_ns[a]:.3f}")
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"runs": args.runs, "requests": args.requests, "pipeline": 16, "probed": PROBED,
                       "rates": rates, "median": median, "server_cpu_ns_per_request": times,
                       "ratios": ratios,
                       "kernel": os.uname().release, "cpus": os.cpu_count()}, f, indent=1)
            f.write("\n")
    return 0 if all(r["value"] >= r["at_least"] for r in ratios.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
