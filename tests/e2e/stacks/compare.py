# SPDX-License-Identifier: BSD-2-Clause
"""Compares the stacks that two programs' maps hold, by the names of their functions.

compare.py PROGRAM DUMP PROGRAM DUMP: each program was linked to fixed addresses. Behind the program's own first
function come libc's, which has no frame pointers: whatever is read there is left out.
"""
import bisect
import struct
import subprocess
import sys

MASK = 0xffffffff
ROOTS = {"main", "thread_main", "on_signal"}


def rotate(x, by):
    return (x << by | x >> 32 - by) & MASK


def jhash2(words):
    """Linux's hash of an array of 32-bit words (lookup3)."""
    a = b = c = 0xdeadbeef + 4 * len(words) & MASK
    while len(words) > 3:
        a, b, c = a + words[0] & MASK, b + words[1] & MASK, c + words[2] & MASK
        words = words[3:]
        a, c = (a - c & MASK) ^ rotate(c, 4), c + b & MASK
        b, a = (b - a & MASK) ^ rotate(a, 6), a + c & MASK
        c, b = (c - b & MASK) ^ rotate(b, 8), b + a & MASK
        a, c = (a - c & MASK) ^ rotate(c, 16), c + b & MASK
        b, a = (b - a & MASK) ^ rotate(a, 19), a + c & MASK
        c, b = (c - b & MASK) ^ rotate(b, 4), b + a & MASK
    if words:
        rest = words + [0, 0]
        a, b, c = a + rest[0] & MASK, b + rest[1] & MASK, c + rest[2] & MASK
        c = (c ^ b) - rotate(b, 14) & MASK
        a = (a ^ c) - rotate(c, 11) & MASK
        b = (b ^ a) - rotate(a, 25) & MASK
        c = (c ^ b) - rotate(b, 16) & MASK
        a = (a ^ c) - rotate(c, 4) & MASK
        b = (b ^ a) - rotate(a, 14) & MASK
        c = (c ^ b) - rotate(b, 24) & MASK
    return c


def check_id(name, key, ips):
    """An id is the hash of the addresses, in the kernel and here, and the map has 16,384 buckets."""
    words = [half for ip in ips for half in (ip & MASK, ip >> 32)]
    ids = {jhash2(words + [0, 0] * zeros) % 16384 for zeros in range(2)}
    if key not in ids:
        sys.exit(f"{name}: the id of a stack is {key}, not one of {ids}")


class Symbols:
    def __init__(self, program):
        rows = []
        for line in subprocess.check_output(["nm", program], text=True).splitlines():
            parts = line.split()
            if len(parts) == 3 and parts[1] in "tTwW":
                rows.append((int(parts[0], 16), parts[2]))
        rows.sort()
        self.starts, self.names = [row[0] for row in rows], [row[1] for row in rows]

    def name(self, ip):
        at = bisect.bisect_right(self.starts, ip) - 1
        return self.names[at] if at >= 0 else hex(ip)

    def stack(self, ips):
        names = []
        for ip in ips:
            names.append(self.name(ip))
            if names[-1] in ROOTS:
                break
        else:
            names.append("(no root)")
        return ";".join(names)


def read(program, dump):
    symbols, shown, stacks, counts = Symbols(program), [], {}, {}
    for line in open(dump):
        name, key, value = line.split()
        if name.startswith("__bpf_usdt") or name == ".kconfig":
            continue  # what only libbpf's bodies use
        value = bytes.fromhex(value)
        if name in ("stacks", "counts"):
            into = stacks if name == "stacks" else counts
            into[int.from_bytes(bytes.fromhex(key), "little")] = value
        elif name in ("results", ".bss", "single"):
            # the number of bytes of a whole stack depends on libc
            shown.append(name + " " + key + " " + (value.hex() if name != "single" else ""))
        else:
            words = struct.unpack("<%dQ" % (len(value) // 8), value)
            ips = words[1:1 + words[0] // 8] if words[0] < 1 << 63 else ()
            if any(words[1 + len(ips):]):
                sys.exit(f"{dump}: {name} {key}: something is behind the end")
            text = symbols.stack(ips) if words[0] < 1 << 63 else str(words[0] - (1 << 64))
            shown.append(f"{name} {key} {text if words[0] else '-'}")
            # at the kernel's limit every address counts
            if name == "deepest" and len(ips) == 127:
                shown.append(f"{name} {key} full")
    for key, value in stacks.items():
        ips = struct.unpack("<%dQ" % (len(value) // 8), value)
        ips = list(ips[:ips.index(0)]) if 0 in ips else list(ips)
        check_id(dump, key, ips)
        text = symbols.stack(ips)
        shown.append(f"stack {text} {counts.get(key, b'').hex()}")
    return sorted(shown)


a, b = read(sys.argv[1], sys.argv[2]), read(sys.argv[3], sys.argv[4])
for line in sorted(set(a) - set(b)):
    print("-" + line)
for line in sorted(set(b) - set(a)):
    print("+" + line)
if a != b:
    sys.exit("the stacks differ (-: in the kernel, +: inlaid)")
for wanted in ("leaf;middle;main", "leaf;other;main", "leaf;wrapper;main", "leaf;middle;on_signal", "leaf;middle;thread_main",
               "middle;main", "leaf;recurse;recurse;recurse;recurse;recurse;recurse;main",
               "outside;caller;main", "caller;main", "marks 00000000 marked;main",
               "sessions 00000000 wrapper;main", "sessions 01000000 main",
               "subprograms 04000000 wrapper;main", "subprograms 05000000 main", "deepest 00000000 full"):
    if not any(wanted in line for line in a):
        sys.exit(f"nothing is {wanted}: " + "\n".join(a))
print(f"{len(a)} entries are equal")
