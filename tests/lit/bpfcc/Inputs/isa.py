#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""isa.py BPFCC: corners of the instruction set, programs whose r0 is known. bpfcc run prints it:
verified and compiled, in the interpreter, from an object whose symbol covers all of it."""
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

BPFCC = sys.argv[1]
ALU, ALU64, LDX, ST, STX, JMP, JMP32 = 4, 7, 1, 2, 3, 5, 6
B, H, W, DW = 0x10, 8, 0, 0x18
MEM, MEMSX, ATOMIC = 0x60, 0x80, 0xC0
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR, MOV, ARSH, END = [i << 4 for i in range(14)]
X = 8
FETCH, XCHG, CMPXCHG, LOAD_ACQUIRE, STORE_RELEASE = 1, 0xE1, 0xF1, 0x100, 0x110
VALUE = 0x1122334455667788


def insn(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("<BBHI", code, dst | src << 4, off & 0xFFFF, imm & 0xFFFFFFFF)


def lddw(dst, value):
    return insn(0x18, dst, imm=value) + insn(0, imm=value >> 32)


def mov(dst, imm):
    return insn(ALU64 | MOV, dst, imm=imm)


def store(off, imm, dst=10):
    return insn(ST | MEM | DW, dst, off=off, imm=imm)


def atomic(size, dst, src, off, op):
    return insn(STX | ATOMIC | size, dst, src, off, op)


def call(distance):
    return insn(0x85, src=1, imm=distance)


EXIT = insn(0x95)
R0_R1 = insn(ALU64 | MOV | X, 0, 1)


def rows():
    """name, program, r0, memory"""
    for name, size, nr in ("b", B, 1), ("h", H, 2), ("w", W, 4), ("dw", DW, 8):
        yield (f"store-release and load-acquire, {name}",
               lddw(1, VALUE) + store(-8, -1) + atomic(size, 10, 1, -8, STORE_RELEASE)
               + atomic(size, 0, 10, -8, LOAD_ACQUIRE), VALUE & (1 << 8 * nr) - 1)
        yield (f"store and load, {name}",
               lddw(2, VALUE) + insn(STX | MEM | size, 1, 2, 1) + insn(LDX | MEM | size, 0, 1, 1),
               VALUE & (1 << 8 * nr) - 1, "00" * 9)
        if nr < 8:
            yield (f"sign-extending load, {name}", insn(LDX | MEMSX | size, 0, 1, 1),
                   -2 << 8 * (nr - 1), "00" * nr + "fe")
            yield (f"sign-extending move to 64 bits, {name}",
                   mov(1, 1 << 8 * nr - 1 if nr < 4 else -(1 << 31))
                   + insn(ALU64 | MOV | X, 0, 1, 8 * nr), -1 << 8 * nr - 1)
    yield ("load-acquire to its own address",
           store(-8, -2) + insn(ALU64 | MOV | X, 2, 10) + atomic(DW, 2, 2, -8, LOAD_ACQUIRE)
           + insn(ALU64 | MOV | X, 0, 2), -2)
    yield ("cmpxchg of r0 with r0",
           store(-8, 5) + mov(0, 5) + atomic(DW, 10, 0, -8, CMPXCHG)
           + insn(LDX | MEM | DW, 0, 10, -8), 5)
    yield ("cmpxchg that fails has the old value in r0, zero-extended",
           store(-8, -1) + mov(0, -1) + mov(1, 7) + mov(0, 3)
           + atomic(W, 10, 1, -8, CMPXCHG), 0xFFFFFFFF)
    yield ("cmpxchg that succeeds changes a half",
           store(-8, -1) + mov(0, -1) + mov(1, 7) + atomic(W, 10, 1, -8, CMPXCHG)
           + insn(LDX | MEM | DW, 0, 10, -8), -1 << 32 | 7)
    yield ("xchg", store(-8, 9) + mov(1, 7) + atomic(DW, 10, 1, -8, XCHG) + R0_R1, 9)
    for name, op, new in (("add", ADD, 0x1B), ("or", OR, 0x1B), ("and", AND, 0),
                          ("xor", XOR, 0x1B)):
        yield (f"fetch {name} changes memory",
               store(-8, 0x0B) + mov(1, 0x10) + atomic(DW, 10, 1, -8, op | FETCH)
               + insn(LDX | MEM | DW, 0, 10, -8), new)
    yield ("fetch zero-extends", store(-8, -1) + mov(1, -1)
           + atomic(W, 10, 1, -8, ADD | FETCH) + R0_R1, 0xFFFFFFFF)
    yield ("no fetch leaves the register alone", store(-8, 1) + mov(1, -1)
           + atomic(W, 10, 1, -8, ADD) + R0_R1, -1)
    yield ("gotol, both ways", mov(0, 0) + insn(JMP32, imm=2) + insn(ALU64 | ADD, 0, imm=1) + EXIT
           + insn(ALU64 | ADD, 0, imm=4) + insn(JMP32, imm=-4), 5)
    yield ("may_goto", mov(0, 0) + insn(0xE5, off=2) + insn(ALU64 | ADD, 0, imm=1)
           + insn(JMP | 0xA0, 0, off=-3, imm=5), 5)
    low = lddw(0, 1 << 63)
    yield ("the least number by -1", low + insn(ALU64 | DIV, 0, off=1, imm=-1), 1 << 63)
    yield ("modulo of the least number by -1", low + insn(ALU64 | MOD, 0, off=1, imm=-1), 0)
    low32 = insn(ALU | MOV, 0, imm=1 << 31) + mov(1, -1)
    yield ("the same in 32 bits", low32 + insn(ALU | DIV | X, 0, 1, 1), 1 << 31)
    yield ("and modulo", low32 + insn(ALU | MOD | X, 0, 1, 1), 0)
    for name, off in ("unsigned", 0), ("signed", 1):
        yield (f"{name} division by 0",
               mov(0, -7) + mov(1, 0) + insn(ALU64 | DIV | X, 0, 1, off), 0)
        yield (f"{name} division by a constant 0", mov(0, -7) + insn(ALU | DIV, 0, off=off), 0)
        yield (f"{name} modulo by 0",
               mov(0, -7) + mov(1, 0) + insn(ALU64 | MOD | X, 0, 1, off), -7)
        yield (f"{name} modulo by 0, 32 bits", mov(0, -7) + insn(ALU | MOD, 0, off=off), 0xFFFFFFF9)
    yield ("rounding to 0", mov(0, -7) + insn(ALU64 | DIV, 0, off=1, imm=2), -3)
    yield ("sign of the dividend", mov(0, -7) + insn(ALU64 | MOD, 0, off=1, imm=-4), -3)
    yield ("constants are sign-extended", mov(0, -1) + insn(ALU64 | DIV, 0, imm=-10), 1)
    for name, code in ("le", ALU | END), ("be", ALU | END | X), ("bswap", ALU64 | END):
        for bits in 16, 32, 64:
            part = (VALUE & (1 << bits) - 1).to_bytes(bits // 8, "little")
            yield (f"{name}{bits}", lddw(0, VALUE) + insn(code, 0, imm=bits),
                   int.from_bytes(part, "little" if name == "le" else "big"))
    for count in 65, -63:
        yield (f"shift by {count}", mov(0, 3) + insn(ALU64 | LSH, 0, imm=count), 6)
        yield (f"shift by {count} in r1", mov(0, -1) + mov(1, count)
               + insn(ALU | ARSH | X, 0, 1), 0xFFFFFFFF)
    yield ("32-bit negation", mov(0, 1) + insn(ALU | NEG, 0), 0xFFFFFFFF)
    yield ("32-bit comparison of 64-bit registers", mov(0, 1) + lddw(1, 0x1FFFFFFFF)
           + insn(JMP32 | 0xC0, 1, off=1, imm=0) + mov(0, 2), 1)
    yield ("comparison with a sign-extended constant", mov(0, 1) + lddw(1, 0xFFFFFFFF)
           + insn(JMP | 0x10, 1, off=1, imm=-1) + EXIT + mov(0, 2), 1)
    yield ("the whole stack", store(-512, 0x11) + insn(ST | MEM | B, 10, off=-1, imm=0x22)
           + insn(LDX | MEM | DW, 0, 10, -512) + insn(LDX | MEM | B, 1, 10, -1)
           + insn(ALU64 | OR | X, 0, 1), 0x33)
    yield ("r2 is the memory's size", insn(ALU64 | MOV | X, 0, 2), 3, "010203")
    yield ("each call has its stack and its r6",
           mov(6, 7) + store(-8, 100) + mov(1, 3) + call(4) + insn(ALU64 | ADD | X, 0, 6)
           + insn(LDX | MEM | DW, 1, 10, -8) + insn(ALU64 | ADD | X, 0, 1) + EXIT
           + mov(6, 50) + store(-8, 1000) + call(2) + insn(ALU64 | ADD | X, 0, 6) + EXIT
           + mov(6, 9) + store(-8, 1) + R0_R1, 160)
    yield ("a pointer to the caller's stack",
           store(-8, 1) + insn(ALU64 | MOV | X, 1, 10) + insn(ALU64 | ADD, 1, imm=-8) + call(2)
           + insn(LDX | MEM | DW, 0, 10, -8) + EXIT + store(0, 77, 1) + mov(0, 0), 77)


def elf(code):
    """An object with a section of code and a symbol that covers it, and nothing else."""
    names = b"\0.shstrtab\0.symtab\0uprobe\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 19, 0x12, 0, 3, 0, len(code))
    parts, places = bytes(), []
    for part in names, symbols, code:
        parts += bytes(-len(parts) % 8)
        places.append((64 + len(parts), len(part)))
        parts += part
    parts += bytes(-len(parts) % 8)

    def header(name, kind, flags, place, link=0, info=0, entry=0):
        return struct.pack("<IIQQQQIIQQ", name, kind, flags, 0, *place, link, info, 8, entry)

    headers = (bytes(64) + header(1, 3, 0, places[0]) + header(11, 2, 0, places[1], 1, 1, 24)
               + header(19, 1, 6, places[2]))
    return (b"\x7fELF\2\1\1" + bytes(9)
            + struct.pack("<HHIQQQIHHHHHH", 1, 247, 1, 0, 0, 64 + len(parts), 0, 64, 0, 0, 64, 4, 1)
            + parts + headers)


def check(row):
    name, code, want, memory = (*row, "")[:4]
    code += EXIT
    problems = []
    text = code.hex().encode()
    for args, data in (["--raw"], text), (["--raw", "--interp"], text), (["--elf"], elf(code)):
        done = subprocess.run([BPFCC, "run", *args, memory], input=data, capture_output=True)
        if done.returncode or int(done.stdout, 16) != want % (1 << 64):
            problems.append(f"{name}, {args}: {done.stdout.decode().strip()}, not "
                            f"{want % (1 << 64):x} {done.stderr.decode()}")
    return problems


table = list(rows())
with ThreadPoolExecutor(2) as executor:
    problems = [problem for some in executor.map(check, table) for problem in some]
print("\n".join(problems))
print(len(table), "programs")
sys.exit(bool(problems))
