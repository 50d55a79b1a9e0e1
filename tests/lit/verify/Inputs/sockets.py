# SPDX-License-Identifier: BSD-2-Clause
"""Rows for sockets.test: what is done with the result of a lookup in an XSKMAP."""


def insn(code, dst=0, src=0, off=0, imm=0):
    return f"{imm & 0xffffffff:08x}{off & 0xffff:04x}{src:x}{dst:x}{code:02x}"


# *(u32 *)(r10 - 4) = 0; r2 = r10 - 4; r0 = lookup(map, r2)
LOOKUP = (insn(0x62, 10, 0, -4, 0) + insn(0xbf, 2, 10) + insn(0x07, 2, 0, 0, -4) +
          insn(0x18, 1, 1) + insn(0) + insn(0x85, imm=1))
USES = [
    ("all", insn(0x61, 1, 0)),
    ("byte", insn(0x71, 1, 0)),
    ("half", insn(0x69, 1, 0)),
    ("double", insn(0x79, 1, 0)),
    ("store", insn(0x62, 0)),
    ("helper", insn(0xbf, 1, 0) + insn(0xb7, 2, imm=4) + insn(0x85, imm=6)),
]
print("name\tmaps\tinsns")
for name, use in USES:
    # if r0 == 0 goto behind the use; r0 = 0; exit
    print(f"{name}\t0:sockets:t17:k4:v4:n4:f0;\t" + LOOKUP +
          insn(0x15, 0, 0, len(use) // 16) + use + insn(0xb7) + insn(0x95))
