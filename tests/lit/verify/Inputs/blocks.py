# SPDX-License-Identifier: BSD-2-Clause
"""One row for blocks.test: 60000 blocks, each of which jumps to the one before it."""


def insn(code, dst=0, src=0, off=0, imm=0):
    return f"{imm & 0xffffffff:08x}{off & 0xffff:04x}{src:x}{dst:x}{code:02x}"


COUNT = 60000
GOTOL, GOTO, MOV, MOV_K, EXIT = 0x06, 0x05, 0xbf, 0xb7, 0x95
# the first block is the last one in the program, and the last one, at 2, goes behind all
BLOCKS = insn(GOTOL, imm=COUNT - 1) + (COUNT - 1) * insn(GOTO, off=-2)
print("name\tmaps\tinsns")
print("blocks\t\t" + insn(MOV_K, 6) + insn(GOTOL, imm=COUNT - 1) + BLOCKS + insn(MOV, 0, 6) +
      insn(EXIT))
