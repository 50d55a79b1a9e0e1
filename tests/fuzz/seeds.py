#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""seeds.py FOLDER OBJECT.bpf.o SOURCE.c ...: writes each program of objects, such as those of the twins in
tests/lit/verify, as an input of the fuzzer targets verify and lower. Maps become the one of tests/fuzz/program.c
with the type that SOURCE declares with MAP_OF()."""
import os
import re
import struct
import sys

TYPES = {"ARRAY": 0, "HASH": 1, "PERCPU_ARRAY": 2, "PERCPU_HASH": 3, "RINGBUF": 6, "STACK": 7, "QUEUE": 7,
         "PROG_ARRAY": 8, "HASH_OF_MAPS": 9, "ARRAY_OF_MAPS": 9, "STACK_TRACE": 10, "PERF_EVENT_ARRAY": 11,
         "LRU_HASH": 12}
R_BPF_64_64, R_BPF_64_32 = 1, 10
KERNEL_SET = 2


class Elf:
    def __init__(self, data):
        self.data = data
        shoff, = struct.unpack_from("<Q", data, 40)
        shentsize, shnum, shstrndx = struct.unpack_from("<HHH", data, 58)
        self.sections = []
        for i in range(shnum):
            fields = struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize)
            self.sections.append(dict(zip(
                ("name", "type", "flags", "addr", "off", "size", "link", "info", "align", "entsize"), fields)))
        names = self.bytes_of(self.sections[shstrndx])
        for s in self.sections:
            s["name"] = names[s["name"]:].split(b"\0")[0].decode()
        symtab = next(s for s in self.sections if s["type"] == 2)
        strings = self.bytes_of(self.sections[symtab["link"]])
        self.symbols = []
        for name, info, _, shndx, value, size in struct.iter_unpack("<IBBHQQ", self.bytes_of(symtab)):
            self.symbols.append((strings[name:].split(b"\0")[0].decode(), info & 15, shndx, value, size))

    def bytes_of(self, section):
        return self.data[section["off"]:section["off"] + section["size"]]

    def relocations(self, index):
        for s in self.sections:
            if s["type"] == 9 and s["info"] == index:
                for off, info in struct.iter_unpack("<QQ", self.bytes_of(s)):
                    yield off, info & 0xffffffff, self.symbols[info >> 32]


def set_insn(code, at, src, imm):
    code[at + 1] = code[at + 1] & 0x0f | src << 4
    struct.pack_into("<i", code, at + 4, imm)


def relocate(elf, code, relocations, text, text_index, maps):
    """relocations: (offset in code, type, symbol); False if something else is referred to."""
    for at, kind, (name, _, shndx, value, _) in relocations:
        imm, = struct.unpack_from("<i", code, at + 4)
        if kind == R_BPF_64_64 and name in maps:
            set_insn(code, at, 1, maps[name])
        elif shndx != text_index:
            return False
        elif kind == R_BPF_64_64:
            set_insn(code, at, 4, (text + value + imm - at) // 8 - 1)
        else:
            target = value + (8 * (imm + 1) if not name or name == ".text" else 0)
            set_insn(code, at, 1, (text + target - at) // 8 - 1)
    return True


def programs(elf, maps):
    """(name, instructions) with the whole of .text behind each program that needs it"""
    text_index = next((i for i, s in enumerate(elf.sections) if s["name"] == ".text"), None)
    text = elf.bytes_of(elf.sections[text_index]) if text_index is not None else b""
    for name, kind, shndx, value, size in elf.symbols:
        if kind != 2 or shndx == text_index or shndx >= len(elf.sections):
            continue
        code = bytearray(elf.bytes_of(elf.sections[shndx])[value:value + size])
        relocations = [(off - value, k, s) for off, k, s in elf.relocations(shndx) if value <= off < value + size]
        if any(s[2] == text_index for _, _, s in relocations):
            relocations += [(off + size, k, s) for off, k, s in elf.relocations(text_index)]
            code += text
        if relocate(elf, code, relocations, size, text_index, maps):
            yield name, bytes(code)


def main():
    folder, *rest = sys.argv[1:]
    for obj, source in zip(rest[::2], rest[1::2]):
        with open(source, encoding="utf-8") as f:
            maps = {name: TYPES[kind] for name, kind in re.findall(r"MAP_OF\((\w+),\s*(\w+)", f.read())
                    if kind in TYPES}
        with open(obj, "rb") as f:
            elf = Elf(f.read())
        for name, code in programs(elf, maps):
            stem = os.path.basename(source).split(".")[0]
            with open(os.path.join(folder, f"{stem}-{name}"), "wb") as f:
                f.write(bytes([KERNEL_SET]) + code)


if __name__ == "__main__":
    main()
