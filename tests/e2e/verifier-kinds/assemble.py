#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs as text, in the notation of bpfcc's and the kernel's listings, to instructions as rows of a corpus
have them: 16 hex digits each. Labels are words with a colon; instructions end with ; or a line."""
import re

ALU = {"+": 0x00, "-": 0x10, "*": 0x20, "/": 0x30, "|": 0x40, "&": 0x50, "<<": 0x60, ">>": 0x70, "%": 0x90,
       "^": 0xa0, "s>>": 0xc0, "": 0xb0}
JUMP = {"==": 0x10, ">": 0x20, ">=": 0x30, "&": 0x40, "!=": 0x50, "s>": 0x60, "s>=": 0x70, "<": 0xa0,
        "<=": 0xb0, "s<": 0xc0, "s<=": 0xd0}
SIZE = {"8": 0x10, "16": 0x08, "32": 0x00, "64": 0x18}
ATOMIC = {"add": 0, "or": 0x40, "and": 0x50, "xor": 0xa0, "xchg": 0xe1, "cmpxchg": 0xf1, "acq": 0x100, "rel": 0x110}
ORDER = {"be": 0xdc, "le": 0xd4, "bswap": 0xd7}
REG = r"([rw])(\d+)"
MEMORY = r"\*\(([us])(\d+) \*\)\(r(\d+) ([+-]) (-?\d+)\)"


def encode(code, dst=0, src=0, off=0, imm=0):
    return f"{imm & 0xffffffff:08x}{off & 0xffff:04x}{src:x}{dst:x}{code:02x}"


def encode_wide(dst, src, low, high):
    return encode(0x18, dst, src, 0, low) + encode(0, imm=high)


def operand(code, dst, text, off=0):
    """dst OP text, which is a register or a number"""
    if m := re.fullmatch(REG, text):
        return encode(code | 8, dst, int(m[2]), off)
    return encode(code, dst, 0, off, int(text, 0))


def displacement(sign, number):
    return int(number) if sign == "+" else -int(number)


class Assembler:
    def __init__(self, text):
        self.labels, self.at, lines = {}, 0, []
        nr = 0
        for line in re.split(r"[;\n]", text):
            line = line.strip()
            while m := re.fullmatch(r"(\w+):(.*)", line):
                self.labels[m[1]] = nr
                line = m[2].strip()
            if line:
                lines.append((nr, line))
                nr += 2 if re.search(r" ll$| fn |map\[|mapval\[", line) else 1
        self.insns = ""
        for self.at, line in lines:
            self.insns += self.one(line)

    def to(self, label):
        return self.labels[label] - self.at - 1

    def one(self, line):
        for pattern, make in self.FORMS:
            if m := re.fullmatch(pattern, line):
                return make(self, m)
        raise SyntaxError(line)

    @staticmethod
    def alu_class(letter):
        return 7 if letter == "r" else 4

    def branch(self, m):
        code = (5 if m[1] == "r" else 6) | JUMP[m[3]]
        return operand(code, int(m[2]), m[4], self.to(m[5]))

    def store(self, m):
        size, base, off = SIZE[m[2]], int(m[3]), displacement(m[4], m[5])
        if value := re.fullmatch(REG, m[6]):
            return encode(0x63 | size, base, int(value[2]), off)
        return encode(0x62 | size, base, 0, off, int(m[6], 0))

    def atomic(self, m):
        op = ATOMIC[m[6]] | (1 if m[7] else 0)
        base, off, reg = int(m[3]), displacement(m[4], m[5]), int(m[8])
        dst, src = (reg, base) if m[6] == "acq" else (base, reg)
        return encode(0xc3 | SIZE[m[2]], dst, src, off, op)

    FORMS = [
        (r"exit", lambda s, m: encode(0x95)),
        (r"call (\d+)", lambda s, m: encode(0x85, imm=int(m[1]))),
        (r"callfn (\w+)", lambda s, m: encode(0x85, src=1, imm=s.to(m[1]))),
        (r"callx r(\d+)", lambda s, m: encode(0x8d, int(m[1]))),
        (r"goto (\w+)", lambda s, m: encode(0x05, off=s.to(m[1]))),
        (r"gotol (\w+)", lambda s, m: encode(0x06, imm=s.to(m[1]))),
        (r"may_goto (\w+)", lambda s, m: encode(0xe5, off=s.to(m[1]))),
        (rf"if {REG} (\S+) (\S+) goto (\w+)", branch),
        (r"r(\d+) = map\[(\d+)\]", lambda s, m: encode_wide(int(m[1]), 1, int(m[2]), 0)),
        (r"r(\d+) = mapval\[(\d+)\] \+ (\d+)", lambda s, m: encode_wide(int(m[1]), 2, int(m[2]), int(m[3]))),
        (r"r(\d+) = fn (\w+)", lambda s, m: encode_wide(int(m[1]), 4, s.to(m[2]), 0)),
        (r"r(\d+) = (\S+) ll", lambda s, m: encode_wide(int(m[1]), 0, int(m[2], 0), int(m[2], 0) >> 32)),
        (rf"{REG} = -{REG}", lambda s, m: encode(s.alu_class(m[1]) | 0x80, int(m[2]))),
        (r"r(\d+) = (be|le|bswap)(\d+) r\d+", lambda s, m: encode(ORDER[m[2]], int(m[1]), imm=int(m[3]))),
        (rf"{REG} = \(s(\d+)\){REG}",
         lambda s, m: encode(s.alu_class(m[1]) | 0xb8, int(m[2]), int(m[5]), int(m[3]))),
        (rf"{REG} = {MEMORY}",
         lambda s, m: encode((0x81 if m[3] == "s" else 0x61) | SIZE[m[4]], int(m[2]), int(m[5]),
                             displacement(m[6], m[7]))),
        (rf"{MEMORY} = (\S+)", store),
        (rf"lock {MEMORY} (\w+) (fetch )?r(\d+)", atomic),
        (rf"{REG} s([/%])= (\S+)", lambda s, m: operand(s.alu_class(m[1]) | ALU[m[3]], int(m[2]), m[4], 1)),
        (rf"{REG} (s>>|<<|>>|[-+*/|&%^]|)= (\S+)", lambda s, m: operand(s.alu_class(m[1]) | ALU[m[3]], int(m[2]), m[4])),
    ]


def assemble(text):
    return Assembler(text).insns
