# SPDX-License-Identifier: BSD-2-Clause
"""Rows for raw.test. --names: their names instead. --stream BPFCC: gives one row at a time and waits
for its answer."""
import subprocess
import sys


def insn(code, dst=0, src=0, off=0, imm=0):
    return f"{imm & 0xffffffff:08x}{off & 0xffff:04x}{src:x}{dst:x}{code:02x}"


def mov(dst, imm):
    return insn(0xb7, dst, 0, 0, imm)


def load_map(dst, index, kind=1, off=0):
    return insn(0x18, dst, kind, 0, index) + insn(0, imm=off)


EXIT = insn(0x95)
RETURN_0 = mov(0, 0) + EXIT
HASH = "0:m:t1:k4:v8:n16:f0x0;"
VALUES = "0:v:t2:k4:v8:n1:f0x0:d0102030405060708;"
# *(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map; call map_lookup_elem. 6 slots
LOOKUP = (insn(0x62, 10, 0, -4, 0) + insn(0xbf, 2, 10) + insn(0x07, 2, 0, 0, -4) + load_map(1, 0) +
          insn(0x85, imm=1))
LOAD_R0 = insn(0x79, 0, 0)

ROWS = [
    ("return_0", "", RETURN_0),
    ("upper_case", "", RETURN_0.upper()),
    ("r2_unset", "", insn(0xbf, 0, 2) + EXIT),
    ("lookup", HASH, LOOKUP + insn(0x15, 0, 0, 1, 0) + LOAD_R0 + EXIT),
    ("lookup_untested", HASH, LOOKUP + LOAD_R0 + EXIT),
    ("value", VALUES, load_map(1, 0, 2, 4) + insn(0x61, 0, 1) + EXIT),
    ("value_behind", VALUES, load_map(1, 0, 2, 4) + insn(0x79, 0, 1) + EXIT),
    ("call", "", insn(0x85, 0, 1, 0, 1) + EXIT + RETURN_0),
    ("call_wrong", "", mov(6, 1) + insn(0x85, 0, 1, 0, 1) + EXIT + insn(0xbf, 0, 6) + EXIT),
    ("call_outside", "", insn(0x85, 0, 1, 0, 5) + EXIT),
    ("call_itself", "", insn(0x85, 0, 1, 0, 1) + EXIT + insn(0x85, 0, 1, 0, -1) + EXIT),
    ("call_into_lddw", "", insn(0x85, 0, 1, 0, 2) + EXIT + insn(0x18) + insn(0) + EXIT),
    ("jump_across", "", insn(0x85, 0, 1, 0, 2) + insn(0x05, off=1) + EXIT + RETURN_0),
    ("no_exit", "", mov(0, 0)),
    ("no_map", "", load_map(1, 0) + RETURN_0),
    ("no_helper", "", insn(0x85, imm=0x0bad0000) + EXIT),
    ("kfunc", "", insn(0x85, 0, 2, 0, 1) + EXIT),
    ("half_lddw", "", insn(0x18)),
    ("opcode", "", insn(0xff) + RETURN_0),
    ("empty", "", ""),
    ("fifteen", "", EXIT[1:]),
    ("not_hex", "", mov(0, 0) + "000000000000009g"),
    ("map_no_number", "0:m:t1:k4:v8:n:f0x0;", RETURN_0),
    ("map_order", "1:m:t1:k4:v8:n1:f0x0;", RETURN_0),
    ("map_contents", "0:v:t2:k4:v8:n1:f0x0:d0102;", RETURN_0),
    ("map_contents_hex", "0:v:t2:k4:v2:n1:f0x0:d01xx;", RETURN_0),
    ("map_inner", "0:v:t12:k4:v4:n1:f0x0:i2,4,8;", RETURN_0),
    ("map_unknown", "0:v:t2:k4:v8:n1:f0x0:q;", RETURN_0),
    ("map_no_end", "0:v:t2:k4:v8:n1:f0x0", RETURN_0),
    ("map_huge", "0:v:t2:k4:v4294967295:n1:f0x0;", RETURN_0),
]
LINES = [f"{name}\tACCEPT\t{maps}\t{insns}\t0x0" for name, maps, insns in ROWS]
LINES += ["few_columns\tACCEPT", f"\tACCEPT\t\t{RETURN_0}\t0x0", "",
          f"control\x1bbyte\tACCEPT\t\t{RETURN_0}\t0x0", f"last\tACCEPT\t\t{RETURN_0}\t0x0"]
NAMES = [name for name, _, _ in ROWS] + ["few_columns", "row 32", "row 33", "control?byte", "last"]
HEADER = "name\tlabel\tmaps\tinsns\tflags"


def stream(bpfcc):
    with subprocess.Popen([bpfcc, "verify", "--raw", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as p:
        p.stdin.write(HEADER + "\n")
        for line, name in list(zip(LINES, NAMES))[:8]:
            p.stdin.write(line + "\n")
            p.stdin.flush()
            assert p.stdout.readline().split("\t")[0] == name
        p.stdin.close()
        assert p.wait() == 0


if sys.argv[1:] == ["--names"]:
    print("\n".join(NAMES))
elif sys.argv[1:2] == ["--stream"]:
    stream(sys.argv[2])
else:
    # the last line has no end
    print("\n".join([HEADER] + LINES), end="")
