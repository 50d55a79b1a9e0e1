#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Families of programs around each rule of a verifier, with numbers on both sides of what is allowed, as rows for
`bpfcc verify --raw`. A family's text is one program for each choice of its parameters, which are written {name}."""
import itertools

from assemble import assemble

MAPS = ("0:vals:t2:k4:v64:n1:f0x0;1:h:t1:k8:v64:n16:f0x0;2:rb:t27:k0:v0:n4096:f0x0;3:arr:t2:k4:v8:n4:f0x0;"
        "4:pa:t3:k4:v4:n4:f0x0;5:am:t12:k4:v4:n2:f0x0:i2,4,8,4,0x0;6:st:t7:k4:v64:n16:f0x0;"
        "7:q:t22:k0:v16:n8:f0x0;8:pc:t6:k4:v128:n1:f0x0;9:hm:t13:k4:v4:n4:f0x0:i1,4,16,8,0x0;")
ROWS = {}


def family(name, text, **params):
    for i, values in enumerate(itertools.product(*params.values())):
        program = text
        for key, value in zip(params, values):
            program = program.replace("{" + key + "}", str(value))
        if "goto OUT" in program and "OUT:" not in program:
            program += "; OUT: r0 = 0; exit"
        insns = assemble(program)
        if insns not in ROWS.values():
            ROWS[f"{name}/{i}"] = insns


def index(reg, size=8):
    """r{reg} is used as an offset into the 64 bytes of map 0; the end"""
    return f"r9 = mapval[0] + 0; r9 += r{reg}; r0 = *(u{size} *)(r9 + 0); r0 = 0; exit"


# r6, a number of the target
R6 = "r6 = *(u64 *)(r1 + 0); "


# ---- bounds, 32/64 bit, sign ----

family("b_u64", R6 + "if r6 > {k} goto OUT; " + index(6, 64), k=[55, 56, 57, 63, 64])
family("b_s64", R6 + "if r6 s> {k} goto OUT; if r6 s< {l} goto OUT; " + index(6, 64), k=[55, 56, 57], l=[0, -1])
family("b_w32", R6 + "if w6 > {k} goto OUT; " + index(6), k=[10, 63])
family("b_w32z", R6 + "w6 = w6; if r6 > {k} goto OUT; " + index(6), k=[63, 64])
family("b_w32b", R6 + "if w6 > {k} goto OUT; w6 = w6; " + index(6), k=[63, 64])
family("b_w32s", R6 + "if w6 s> {k} goto OUT; if w6 s< {l} goto OUT; w6 = w6; " + index(6), k=[63, 64], l=[0, -1])
family("b_sext32", R6 + "w6 &= {m}; r6 <<= 32; r6 s>>= 32; " + index(6), m=[63, 64, 127])
family("b_movsx",
       R6 + "r6 = (s{n})r6; if r6 s< 0 goto OUT; if r6 s> {k} goto OUT; " + index(6), n=[8, 16, 32], k=[63, 64])
family("b_movsx2", R6 + "if r6 > {k} goto OUT; r6 = (s{n})r6; " + index(6), n=[8, 16, 32], k=[63, 64, 128, 255])
family("b_wmovsx", R6 + "w6 = (s{n})w6; if w6 > {k} goto OUT; " + index(6), n=[8, 16], k=[63, 64])
family("b_ldsx",
       "r2 = r10; r6 = *(u64 *)(r1 + 0); *(u64 *)(r10 - 8) = r6; r6 = *(s{n} *)(r10 - 8); "
       "if r6 s< 0 goto OUT; if r6 s> {k} goto OUT; " + index(6), n=[8, 16, 32], k=[63, 64])
family("b_ldsx_const",
       "*(u64 *)(r10 - 8) = {c}; r6 = *(s8 *)(r10 - 8); " + index(6), c=[63, 64, 127, 128, 255, 256])
family("b_xor", R6 + "r7 = r6; r6 &= 0x20; r7 &= 0x1f; r6 ^= r7; r6 ^= {x}; " + index(6), x=[0, 63, 64])
family("b_or",
       R6 + "r7 = *(u64 *)(r1 + 8); if r6 > {a} goto OUT; if r7 > {b} goto OUT; "
       "r6 |= r7; " + index(6), a=[32, 31], b=[31, 32])
family("b_mul", R6 + "r6 &= 7; r6 *= {c}; " + index(6, 64), c=[8, 9])
family("b_mulneg", R6 + "r6 &= 3; r6 *= -1; r6 += {c}; " + index(6), c=[3, 2, 66, 67])
family("b_sub",
       R6 + "r7 = *(u64 *)(r1 + 8); r6 &= 15; r7 &= 15; r6 -= r7; r6 += {c}; " + index(6), c=[14, 15, 48, 49])
family("b_neg", R6 + "r6 &= 31; r6 = -r6; r6 += {c}; " + index(6), c=[30, 31, 63, 64])
family("b_wneg", R6 + "w6 &= 31; w6 = -w6; w6 += {c}; " + index(6), c=[30, 31, 63, 64])
family("b_div", R6 + "r6 &= 0x1ff; r6 /= {d}; " + index(6), d=[7, 8])
family("b_wdiv", R6 + "w6 /= {d}; " + index(6), d=[0x4000000, 0x3ffffff])
family("b_mod", R6 + "r6 %= {d}; " + index(6), d=[63, 64, 65])
family("b_wmod", R6 + "w6 %= {d}; " + index(6), d=[64, 65])
family("b_smod", R6 + "r6 s%= {d}; if r6 s< 0 goto OUT; " + index(6), d=[64, 65])
family("b_sdiv", R6 + "r6 &= 0xff; r6 s/= {d}; " + index(6), d=[4, 3, -4])
family("b_modreg", R6 + "r7 = *(u64 *)(r1 + 8); r7 &= {m}; r6 &= 63; r6 %= r7; " + index(6), m=[63, 127])
family("b_divreg", R6 + "r7 = *(u64 *)(r1 + 8); r6 &= {m}; r6 /= r7; " + index(6), m=[63, 64])
family("b_shr", R6 + "r6 >>= {s}; " + index(6), s=[58, 57])
family("b_wshr", R6 + "w6 >>= {s}; " + index(6), s=[26, 25])
family("b_sar", R6 + "r6 s>>= {s}; if r6 s< 0 goto OUT; " + index(6), s=[57, 58, 56])
family("b_shlreg", R6 + "r6 &= 3; r7 = 8; r7 <<= r6; " + index(7))
family("b_shlreg2", R6 + "r6 &= 1; r7 = {c}; r7 <<= r6; " + index(7), c=[31, 32])
family("b_bswap", R6 + "r6 &= 0xff; r6 = bswap16 r6; r6 >>= 8; r6 &= {m}; " + index(6), m=[63, 64])
family("b_be16", R6 + "r6 = be16 r6; if r6 > {k} goto OUT; " + index(6), k=[63, 64])
family("b_le32", R6 + "r6 = le32 r6; if r6 > {k} goto OUT; " + index(6), k=[63, 64])
family("b_jset", R6 + "if r6 & -64 goto OUT; " + index(6))
family("b_jset2", R6 + "if r6 & {m} goto OUT; " + index(6), m=[-128, -32])
family("b_wjset", R6 + "w6 = w6; if w6 & -64 goto OUT; " + index(6))
family("b_eq", R6 + "r7 = *(u64 *)(r1 + 8); if r7 > {k} goto OUT; if r6 != r7 goto OUT; " + index(6), k=[63, 64])
family("b_weq",
       R6 + "r7 = *(u64 *)(r1 + 8); if r7 > {k} goto OUT; if w6 != w7 goto OUT; w6 = w6; " + index(6),
       k=[63, 64])
family("b_weq2", R6 + "r7 = *(u64 *)(r1 + 8); if r7 > {k} goto OUT; if w6 != w7 goto OUT; " + index(6), k=[63])
family("b_ltreg",
       R6 + "r7 = *(u64 *)(r1 + 8); if r7 > {k} goto OUT; if r6 >= r7 goto OUT; " + index(6), k=[64, 65])
family("b_sltreg",
       R6 + "r7 = *(u64 *)(r1 + 8); if r7 s> {k} goto OUT; if r6 s>= r7 goto OUT; "
       "if r6 s< 0 goto OUT; " + index(6), k=[64, 65])
family("b_ne0", R6 + "r6 &= 0x7f; if r6 == 0 goto OUT; r6 -= 1; if r6 > {k} goto OUT; " + index(6), k=[63, 64])
family("b_two", R6 + "if r6 < 100 goto OUT; if r6 > {k} goto OUT; r6 -= 100; " + index(6), k=[163, 164])
family("b_wsub", R6 + "w6 -= 100; if w6 > {k} goto OUT; " + index(6), k=[63, 64])
family("b_wadd_of", R6 + "if w6 < -64 goto OUT; w6 += 64; " + index(6))
family("b_add_of", R6 + "if r6 < -64 goto OUT; r6 += {c}; " + index(6), c=[64, 63, 65])
family("b_cross",
       R6 + "w7 = w6; if w7 s< {l} goto OUT; if w7 s> {k} goto OUT; "
       "if w7 s< 0 goto OUT; " + index(7), l=[-5, 5], k=[63, 64])
family("b_tnum", R6 + "r6 <<= 3; r6 &= {m}; " + index(6, 64), m=[63, 127])
family("b_arr8",
       R6 + "r6 &= 7; r6 <<= 3; r9 = mapval[0] + {o}; r9 += r6; r0 = *(u64 *)(r9 + 0); r0 = 0; exit",
       o=[0, 1, 8])

# ---- linked scalars ----

family("l_copy", R6 + "r7 = r6; if r7 > {k} goto OUT; " + index(6), k=[63, 64])
family("l_add", R6 + "r7 = r6; r7 += {a}; if r7 > {k} goto OUT; " + index(6), a=[5, -5, 64], k=[63, 68])
family("l_add2",
       R6 + "r6 &= 0xff; r7 = r6; r7 += {a}; if r7 > {k} goto OUT; " + index(6), a=[5, 100], k=[63, 68, 69, 163])
family("l_w", R6 + "w7 = w6; if w7 > {k} goto OUT; " + index(6), k=[63])
family("l_w2", R6 + "w6 = w6; w7 = w6; if w7 > {k} goto OUT; " + index(6), k=[63, 64])
family("l_w3", R6 + "r6 = r6; w7 = w6; if r7 > {k} goto OUT; w6 = w6; " + index(6), k=[63])
family("l_spill",
       R6 + "*(u64 *)(r10 - 8) = r6; if r6 > {k} goto OUT; r7 = *(u64 *)(r10 - 8); " + index(7), k=[63, 64])
family("l_spill2",
       R6 + "*(u64 *)(r10 - 8) = r6; r7 = *(u64 *)(r10 - 8); if r7 > {k} goto OUT; " + index(6), k=[63, 64])
family("l_spill32",
       R6 + "*(u32 *)(r10 - 8) = r6; if w6 > {k} goto OUT; r7 = *(u32 *)(r10 - 8); " + index(7), k=[63, 64])
family("l_spill32b",
       R6 + "w6 = w6; *(u32 *)(r10 - 8) = r6; if r6 > {k} goto OUT; r7 = *(u32 *)(r10 - 8); " + index(7),
       k=[63, 64])
family("l_spill32c",
       R6 + "w6 = w6; *(u32 *)(r10 - 4) = r6; if r6 > {k} goto OUT; r7 = *(u32 *)(r10 - 4); " + index(7),
       k=[63, 64])
family("l_fill8",
       R6 + "r6 &= 0xff; *(u64 *)(r10 - 8) = r6; r7 = *(u{n} *)(r10 - 8); "
       "if r7 > {k} goto OUT; " + index(6), n=[8, 16, 32], k=[63, 64])
family("l_range", R6 + "w6 = w6; w7 = w6; w7 += {a}; if w7 < {c} goto OUT; " + index(6),
       a=[-9, -63, -64, 9], c=[-8, -63, -64])
family("l_range_low", R6 + "r7 = r6; w7 += -9; if w7 < -8 goto OUT; " + index(6))
family("l_range_two",
       R6 + "w6 = w6; w7 = w6; w7 += 5; w8 = w7; w8 += -{a}; if w8 > {k} goto OUT; " + index(6), a=[5, 6], k=[62, 63])
family("l_ne", R6 + "r7 = r6; r7 += 1; if r6 != {k} goto OUT; " + index(7), k=[62, 63])

# ---- spill/fill partial ----

family("s_part",
       "r6 = r1; *(u64 *)(r10 - 8) = r6; *(u8 *)(r10 - {o}) = 1; r7 = *(u64 *)(r10 - 8); "
       "r0 = *(u64 *)(r7 + 0); exit", o=[8, 1])
family("s_const",
       "*(u64 *)(r10 - 8) = {c}; "
       "r6 = *(u{n} *)(r10 - {o}); " + index(6), c=[0x3f40, 0x4000003f], n=[8, 16, 32], o=[8, 7, 4])
family("s_zero",
       "*(u64 *)(r10 - 8) = 0; *(u8 *)(r10 - {o}) = {c}; r6 = *(u64 *)(r10 - 8); " + index(6), o=[8, 7],
       c=[0, 5])
family("s_zeroh",
       "r6 = 0; *(u64 *)(r10 - 8) = r6; *(u32 *)(r10 - 4) = r6; "
       "r6 = *(u{n} *)(r10 - {o}); " + index(6), n=[8, 16, 32], o=[8, 4])
family("s_var",
       R6 + "*(u64 *)(r10 - 16) = 0; *(u64 *)(r10 - 8) = 0; r6 &= 8; r7 = r10; r7 += {o}; r7 += r6; "
       "r6 = *(u64 *)(r7 + 0); " + index(6), o=[-16, -24, -8])
family("s_varw",
       R6 + "r6 &= 7; r7 = r10; r7 += {o}; r7 += r6; *(u8 *)(r7 + 0) = 5; r0 = 0; exit", o=[-8, -7, -512, -513])
family("s_varz",
       R6 + "*(u64 *)(r10 - 16) = 0; *(u64 *)(r10 - 8) = 0; r6 &= 15; r7 = r10; r7 += -16; r7 += r6; "
       "*(u8 *)(r7 + 0) = {c}; r6 = *(u64 *)(r10 - 8); " + index(6), c=[0, 1])
family("s_varptr",
       R6 + "*(u64 *)(r10 - 8) = r1; r6 &= {m}; r7 = r10; r7 += -16; r7 += r6; *(u64 *)(r7 + 0) = 0; "
       "r7 = *(u64 *)(r10 - 8); r0 = *(u64 *)(r7 + 0); exit", m=[0, 8])
family("s_deep", "*(u64 *)(r10 - {o}) = 1; r0 = *(u64 *)(r10 - {o}); exit", o=[504, 512, 513, 520])
family("s_above", "r0 = *(u64 *)(r10 + {o}); exit", o=[0, 8])
family("s_uninit", "r0 = *(u{n} *)(r10 - 8); exit", n=[8, 64])

# ---- helpers' memory ----

family("m_stack",
       "*(u64 *)(r10 - 8) = 0; r1 = r10; r1 += {o}; r2 = {n}; r3 = 0; call 113; r0 = 0; "
       "exit", o=[-8, -16, -512], n=[0, 1, 8, 9, 16, 512, 513, -1])
family("m_var",
       "r7 = *(u64 *)(r1 + 0); if r7 > {k} goto OUT; r1 = r10; r1 += -64; r2 = r7; r3 = 0; call 113",
       k=[63, 64, 65])
family("m_vars",
       "r7 = *(u64 *)(r1 + 0); if r7 s> {k} goto OUT; r1 = r10; r1 += -64; r2 = r7; r3 = 0; call 113", k=[64])
family("m_vars2",
       "r7 = *(u64 *)(r1 + 0); if r7 s> 64 goto OUT; if r7 s<= {l} goto OUT; r1 = r10; r1 += -64; r2 = r7; "
       "r3 = 0; call 113", l=[0, -1, -2])
family("m_varw",
       "r7 = *(u64 *)(r1 + 0); w7 &= {m}; r1 = r10; r1 += -64; r2 = r7; r3 = 0; call 113; r0 = 0; exit",
       m=[63, 64, 65, 127])
family("m_map",
       "r7 = *(u64 *)(r1 + 0); r7 &= 31; r1 = mapval[0] + {o}; r2 = r7; r3 = 0; call 113; r0 = 0; exit",
       o=[0, 32, 33, 34, 63])
family("m_mapvar",
       "r7 = *(u64 *)(r1 + 0); r8 = *(u64 *)(r1 + 8); r7 &= 31; r8 &= {m}; r1 = mapval[0] + 0; r1 += r8; "
       "r2 = r7; r2 += {a}; r3 = 0; call 113; r0 = 0; exit", m=[31, 63], a=[1, 2])
family("m_ctx", "r2 = 8; r3 = 0; call 113; r0 = 0; exit")
family("m_null", "r1 = 0; r2 = {n}; r3 = 0; call 113; r0 = 0; exit", n=[0, 8])
family("m_str",
       "r1 = r10; r1 += -16; r2 = 16; r3 = 0; call 115; if r0 s< 0 goto OUT; r0 += {a}; "
       "r6 = r0; " + index(6), a=[0, 47, 48])
family("m_strn",
       "r1 = mapval[0] + 0; r2 = 64; r3 = 0; call 115; if r0 s<= 0 goto OUT; if r0 s> {k} goto OUT; "
       "r0 -= 1; r6 = r0; " + index(6), k=[64, 1000])
family("m_strtol",
       "*(u64 *)(r10 - 8) = 0x31; r1 = r10; r1 += -8; r2 = 8; r3 = {b}; r4 = r10; r4 += {o}; call 105; "
       "r0 = 0; exit", b=[0, 10], o=[-16, -12, -8])
family("m_snprintf",
       "*(u64 *)(r10 - 8) = 7; r1 = r10; r1 += -32; r2 = 16; r3 = mapval[0] + 0; r4 = r10; r4 += -8; "
       "r5 = {n}; call 165; r0 = 0; exit", n=[0, 8])
family("m_stackid", "*(u64 *)(r10 - 8) = 0; r2 = map[6]; r3 = {f}; call 27; r0 = 0; exit", f=[0, 256])
family("m_getstack",
       "r2 = r10; r2 += -64; r3 = {n}; r4 = 0; call 67; if r0 s< 0 goto OUT; if r0 > {k} goto OUT; "
       "r6 = r0; " + index(6), n=[64, 48], k=[63, 64, 1000])
family("m_comm", "r1 = r10; r1 += -16; r2 = {n}; call 16; r0 = 0; exit", n=[16, 17, 0, 8])
family("m_perf", "r2 = map[{m}]; r3 = 0; r4 = r10; r4 += -8; r5 = 8; call 25; r0 = 0; exit", m=[0, 1, 4])

# ---- map values ----

LOOKUP = "*(u64 *)(r10 - 8) = 0; r2 = r10; r2 += -8; r1 = map[{m}]; call 1; "
family("v_null", LOOKUP + "r0 = *(u64 *)(r0 + 0); exit", m=[1, 3, 7, 4, 6])
family("v_chk", LOOKUP + "if r0 == 0 goto OUT; r6 = *(u64 *)(r0 + {o})", m=[1, 3], o=[0, 8, 56, 57, 64, -1])
family("v_chk2", LOOKUP + "if r0 != 0 goto L; r0 = 0; exit; L: r6 = *(u64 *)(r0 + 0); r0 = 0; exit", m=[1])
family("v_chkcopy", LOOKUP + "r7 = r0; if r7 == 0 goto OUT; r6 = *(u64 *)(r0 + 0)", m=[1])
family("v_chkspill",
       LOOKUP + "*(u64 *)(r10 - 16) = r0; if r0 == 0 goto OUT; r7 = *(u64 *)(r10 - 16); "
       "r6 = *(u64 *)(r7 + 0)", m=[1])
family("v_addnull", LOOKUP + "r0 += {a}; if r0 == 0 goto OUT; r6 = *(u8 *)(r0 + 0)", m=[1], a=[0, 8])
family("v_two",
       LOOKUP + "r7 = r0; r2 = r10; r2 += -8; r1 = map[1]; call 1; if r0 == 0 goto OUT; "
       "r6 = *(u64 *)(r{r} + 0)", m=[1], r=[0, 7])
family("v_eq",
       LOOKUP + "r7 = r0; r2 = r10; r2 += -8; r1 = map[1]; call 1; if r0 == 0 goto OUT; "
       "if r7 != r0 goto OUT; r6 = *(u64 *)(r7 + 0)", m=[1])
family("v_wchk", LOOKUP + "if w0 == 0 goto OUT; r6 = *(u64 *)(r0 + 0)", m=[1])
family("v_constkey",
       "*(u32 *)(r10 - 4) = {k}; r2 = r10; r2 += -4; r1 = map[3]; call 1; r0 = *(u64 *)(r0 + 0); exit",
       k=[0, 3, 4])
family("v_constkey2",
       "r6 = {k}; *(u32 *)(r10 - 4) = r6; r2 = r10; r2 += -4; r1 = map[3]; call 1; r0 = *(u64 *)(r0 + 0); "
       "exit", k=[0, 3, 4])
family("v_constkey3",
       "*(u64 *)(r10 - 8) = {k}; r2 = r10; r2 += -8; r1 = map[3]; call 1; r0 = *(u64 *)(r0 + 0); exit",
       k=[0, 3, 4])
family("v_neg", LOOKUP + "if r0 == 0 goto OUT; r7 = {a}; r0 -= r7; r6 = *(u8 *)(r0 + 8)", m=[1], a=[8, 9])
family("v_update",
       "*(u64 *)(r10 - 8) = 0; r1 = map[1]; r2 = r10; r2 += -8; r3 = r10; r3 += {o}; r4 = 0; call 2; "
       "r0 = 0; exit", o=[-72, -64, -80])
family("v_updval",
       LOOKUP + "if r0 == 0 goto OUT; r3 = r0; r3 += {a}; r1 = map[1]; r2 = r10; r2 += -8; r4 = 0; "
       "call 2", m=[1], a=[0, 1])
family("v_keyval", LOOKUP + "if r0 == 0 goto OUT; r2 = r0; r2 += {a}; r1 = map[1]; call 1", m=[1], a=[0, 56, 57])
family("v_inner",
       "*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map[{m}]; call 1; if r0 == 0 goto OUT; r1 = r0; "
       "*(u32 *)(r10 - 8) = {k}; r2 = r10; r2 += -8; call 1; "
       "{c} r6 = *(u64 *)(r0 + {o})", m=[5, 9], k=[0, 9], c=["", "if r0 == 0 goto OUT;"], o=[0, 8])
family("v_innernull",
       "*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map[5]; call 1; r1 = r0; r2 = r10; r2 += -4; "
       "call 1; r0 = 0; exit")
family("v_innerread",
       "*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map[5]; call 1; if r0 == 0 goto OUT; "
       "r6 = *(u32 *)(r0 + 0)")
family("v_mapptr",
       "r1 = map[1]; r1 += {a}; *(u64 *)(r10 - 8) = 0; r2 = r10; r2 += -8; call 1; r0 = 0; exit", a=[0, 8])
family("v_either",
       R6 + "*(u64 *)(r10 - 8) = 0; r2 = r10; r2 += -8; r1 = map[1]; if r6 == 0 goto L; r1 = map[{m}]; "
       "L: call 1; if r0 == 0 goto OUT; r7 = *(u64 *)(r0 + {o})", m=[1, 3], o=[0, 8])
family("v_queue", "r1 = map[7]; r2 = r10; r2 += {o}; call {h}; r0 = 0; exit", o=[-16, -8], h=[88, 89])
family("v_percpu",
       "*(u32 *)(r10 - 4) = 0; r2 = r10; r2 += -4; r1 = map[8]; call 1; if r0 == 0 goto OUT; call 8; "
       "r6 = r0; r6 &= {m}", m=[15])
family("v_cpu", "call 8; r6 = r0; if r6 > {k} goto OUT; " + index(6), k=[63, 64])

# ---- pointers ----

family("p_sub", LOOKUP + "if r0 == 0 goto OUT; r7 = r0; r7 += 8; r7 -= r0; " + index(7), m=[1])
family("p_cmp",
       "r6 = mapval[0] + 0; r7 = r6; r7 += 64; L: r0 = *(u8 *)(r6 + 0); r6 += 1; if r6 != r7 goto L; "
       "r0 = 0; exit")
family("p_off",
       R6 + "r7 = mapval[0] + 32; if r6 s> {k} goto OUT; if r6 s< {l} goto OUT; r7 += r6; "
       "r0 = *(u8 *)(r7 + 0)", k=[31, 32], l=[-32, -33])
family("p_bigoff",
       "r7 = mapval[0] + 0; r7 += {a}; r7 += {b}; r0 = *(u8 *)(r7 + 0); r0 = 0; "
       "exit", a=[0x1fffffff, 0x20000001], b=[-0x1fffffff, -0x20000001])
family("p_r10", "r10 += {a}; r0 = 0; exit", a=[0, 8])
family("p_and", "r6 = r10; r6 &= -8; r0 = *(u64 *)(r6 + 0); exit")
family("p_store", "r6 = mapval[0] + 0; *(u64 *)(r6 + 0) = r10; r0 = 0; exit")
family("p_leak", "r0 = r10; exit")
family("p_ctxoff", "r1 += {a}; r0 = *(u64 *)(r1 + {o}); exit", a=[0, 8, -8], o=[0, 8, 160, 168])
family("p_ctxw", "*(u64 *)(r1 + 0) = 1; r0 = 0; exit")
family("p_ctxsz", "r0 = *(u{n} *)(r1 + {o}); exit", n=[8, 16, 32, 64], o=[0, 4])
family("p_ctxvar", R6 + "r6 &= 8; r1 += r6; r0 = *(u64 *)(r1 + 0); exit")
family("p_xadd", "r6 = {c}; lock *(u{n} *)(r10 - {o}) add r6; r0 = 0; exit", c=[1], n=[32, 64], o=[8, 4, 12])
family("a_fetch",
       "*(u64 *)(r10 - 8) = {c}; r6 = 1; lock *(u64 *)(r10 - 8) {op} fetch r6; " + index(6), c=[5, 64],
       op=["add", "or", "and", "xor", "xchg"])
family("a_cmpx",
       "*(u64 *)(r10 - 8) = 5; r0 = {c}; r6 = 3; lock *(u64 *)(r10 - 8) cmpxchg r6; r6 = r0; " + index(6),
       c=[5, 6])
family("a_ptr", "*(u64 *)(r10 - 8) = r1; r6 = 1; lock *(u64 *)(r10 - 8) {op} r6; r0 = 0; exit", op=["add", "xchg"])
family("a_ptr2",
       "*(u64 *)(r10 - 8) = 0; r6 = r10; lock *(u64 *)(r10 - 8) {op} r6; r0 = 0; exit", op=["add", "xchg"])
family("a_map",
       "r7 = mapval[0] + {o}; r6 = 1; lock *(u64 *)(r7 + 0) {op} fetch r6; r0 = 0; exit", o=[0, 56, 60, 57],
       op=["add", "xor"])
family("a_acq", "*(u64 *)(r10 - 8) = {c}; lock *(u64 *)(r10 - 8) acq r6; " + index(6), c=[5, 64])
family("a_rel",
       "*(u64 *)(r10 - 8) = 0; r6 = {c}; lock *(u64 *)(r10 - 8) rel r6; r6 = *(u64 *)(r10 - 8); " + index(6),
       c=[5, 64])
family("a_ctx", "r6 = 1; lock *(u64 *)(r1 + 0) add r6; r0 = 0; exit")

# ---- references ----

RESERVE = "r1 = map[2]; r2 = {n}; r3 = 0; call 131; "
family("r_leak", RESERVE + "r0 = 0; exit", n=[8])
family("r_sub",
       RESERVE + "if r0 == 0 goto OUT; *(u64 *)(r0 + {o}) = 1; r1 = r0; r2 = 0; "
       "call {h}", n=[16], o=[0, 8, 9, 16], h=[132, 133])
family("r_null", RESERVE + "*(u64 *)(r0 + 0) = 1; r1 = r0; r2 = 0; call 132; r0 = 0; exit", n=[8])
family("r_twice",
       RESERVE + "if r0 == 0 goto OUT; r6 = r0; r1 = r0; r2 = 0; call 132; r1 = r6; r2 = 0; call 132", n=[8])
family("r_use", RESERVE + "if r0 == 0 goto OUT; r6 = r0; r1 = r0; r2 = 0; call 133; r0 = *(u64 *)(r6 + 0)", n=[8])
family("r_off", RESERVE + "if r0 == 0 goto OUT; r1 = r0; r1 += {a}; r2 = 0; call 132", n=[8], a=[0, 4])
family("r_var",
       R6 + RESERVE + "if r0 == 0 goto OUT; r1 = r0; r6 &= {m}; r1 += r6; r2 = 0; call 132", n=[8], m=[0, 1])
family("r_spill",
       RESERVE + "if r0 == 0 goto OUT; *(u64 *)(r10 - 8) = r0; r0 = 0; r1 = *(u64 *)(r10 - 8); r2 = 0; "
       "call 132", n=[8])
family("r_lost", RESERVE + "if r0 == 0 goto OUT; *(u64 *)(r10 - 8) = r0; *(u8 *)(r10 - 8) = 0", n=[8])
family("r_branch",
       R6 + RESERVE + "if r0 == 0 goto OUT; if r6 == 0 goto OUT2; r1 = r0; r2 = 0; call 132; OUT: r0 = 0; "
       "exit; OUT2: {x} r0 = 0; exit", n=[8], x=["", "r1 = r0; r2 = 0; call 133;"])
family("r_two",
       RESERVE + "if r0 == 0 goto OUT; r6 = r0; r1 = map[2]; r2 = 8; r3 = 0; call 131; if r0 == 0 goto O1; "
       "r1 = r{a}; r2 = 0; call 132; r1 = r{b}; r2 = 0; call 132; r0 = 0; exit; O1: r1 = r6; r2 = 0; "
       "call 133", n=[8], a=[0, 6], b=[6])
family("r_loop",
       "r7 = 0; L: " + RESERVE + "if r0 == 0 goto OUT; r1 = r0; r2 = 0; call 132; r7 += 1; "
       "if r7 < {k} goto L", n=[8], k=[3, 100])
family("r_exitnull",
       RESERVE + "if r0 != 0 goto L; r0 = 0; exit; L: r1 = r0; r2 = 0; call 132; r0 = 0; exit", n=[8])
family("r_mem",
       RESERVE + "if r0 == 0 goto OUT; r6 = r0; r1 = r6; r2 = {z}; r3 = 0; call 113; r1 = r6; r2 = 0; "
       "call 132", n=[8], z=[8, 9])
family("r_size", R6 + "r1 = map[2]; r2 = r6; r3 = 0; call 131; r0 = 0; exit")

# ---- subprograms ----

family("f_ret", R6 + "r1 = r6; callfn F; r6 = r0; " + index(6) + "; F: r0 = r1; r0 &= {m}; exit", m=[63, 64])
family("f_stack",
       "r1 = r10; r1 += -8; *(u64 *)(r10 - 8) = 0; callfn F; r6 = *(u64 *)(r10 - 8); " + index(6) + "; "
       "F: *(u64 *)(r1 + {o}) = {c}; r0 = 0; exit", o=[0, -8, 8], c=[5, 64])
family("f_callee",
       "*(u64 *)(r10 - 8) = 0; r6 = r10; callfn F; r6 = *(u64 *)(r0 + 0); r0 = 0; exit; F: r0 = r10; "
       "r0 += -8; *(u64 *)(r10 - 8) = 1; exit")
family("f_saved", R6 + "r6 &= 63; callfn F; " + index(6) + "; F: r6 = 1000; r0 = 0; exit")
family("f_clob", "r3 = 5; callfn F; r0 = r3; exit; F: r0 = 0; exit")
family("f_uninit", "callfn F; r0 = 0; exit; F: r0 = r{r}; exit", r=[1, 2, 6])
family("f_nor0", "callfn F; {x} r0 = 0; exit; F: exit", x=["", "r6 = r0;"])
family("f_prec",
       R6 + "r7 = {a}; if r6 == 0 goto L; r7 = {b}; L: r1 = r7; callfn F; r0 = 0; exit; "
       "F: r9 = mapval[0] + 0; r9 += r1; r0 = *(u8 *)(r9 + 0); exit", a=[0, 64], b=[63, 64])
family("f_prec2",
       R6 + "r7 = {a}; if r6 == 0 goto L; r7 = {b}; L: r1 = r7; callfn F; r6 = r0; " + index(6) + "; "
       "F: r0 = r1; r0 += 1; exit", a=[0, 63], b=[62, 63])
family("f_deep",
       "callfn A; r0 = 0; exit; A: *(u64 *)(r10 - {o}) = 0; callfn B; r0 = 0; exit; "
       "B: *(u64 *)(r10 - {o}) = 0; callfn C; r0 = 0; exit; C: *(u64 *)(r10 - 8) = 0; r0 = 0; exit",
       o=[8, 160, 256, 512])
family("f_loop",
       R6 + "r7 = 0; L: r1 = r7; callfn F; r7 = r0; if r7 < {k} goto L; r0 = 0; exit; F: r0 = r1; r0 += 1; "
       "exit", k=[10, 1000])
family("f_nullret",
       "callfn F; {c} r6 = *(u64 *)(r0 + 0); OUT: r0 = 0; exit; F: *(u64 *)(r10 - 8) = 0; r2 = r10; "
       "r2 += -8; r1 = map[1]; call 1; exit", c=["", "if r0 == 0 goto OUT;"])
family("f_ref",
       "callfn F; if r0 == 0 goto OUT; r1 = r0; r2 = 0; {h} OUT: r0 = 0; exit; F: r1 = map[2]; r2 = 8; "
       "r3 = 0; call 131; exit", h=["call 132;", ""])
family("f_callerstk",
       "*(u64 *)(r10 - 8) = 7; r1 = r10; callfn F; r6 = r0; " + index(6) + "; F: r2 = r1; "
       "r0 = *(u64 *)(r2 - {o}); exit", o=[8, 16, 520])

# ---- callbacks ----

BPF_LOOP = "r1 = {n}; r2 = fn F; r3 = r10; r3 += -8; r4 = 0; call 181; "
family("c_loop",
       "*(u64 *)(r10 - 8) = 0; " + BPF_LOOP + "r6 = *(u64 *)(r10 - 8); r6 &= 63; " + index(6) + "; "
       "F: r0 = *(u64 *)(r2 + 0); r0 += 1; *(u64 *)(r2 + {o}) = r0; r0 = {r}; exit", n=[1, 10], o=[0, 8],
       r=[0, 1, 2])
family("c_idx",
       BPF_LOOP + "r0 = 0; exit; F: r9 = mapval[0] + 0; r9 += r1; r0 = *(u8 *)(r9 + 0); r0 = 0; exit",
       n=[1, 64, 65, 0])
family("c_idxctr",
       "*(u64 *)(r10 - 8) = 0; " + BPF_LOOP + "r0 = 0; exit; F: r3 = *(u64 *)(r2 + 0); r9 = mapval[0] + 0; "
       "if r3 > {k} goto X; r9 += r3; r0 = *(u8 *)(r9 + 0); r3 += 1; *(u64 *)(r2 + 0) = r3; X: r0 = 0; "
       "exit", n=[10, 1000], k=[63, 64])
family("c_flag",
       "*(u64 *)(r10 - 8) = 0; " + BPF_LOOP + "r6 = *(u64 *)(r10 - 8); " + index(6) + "; "
       "F: *(u64 *)(r2 + 0) = {c}; r0 = 0; exit", n=[3], c=[63, 64])
family("c_nested",
       "*(u64 *)(r10 - 8) = 0; " + BPF_LOOP + "r0 = 0; exit; F: r1 = 2; r2 = fn H; r3 = 0; r4 = 0; "
       "call 181; r0 = 0; exit; H: r0 = 0; exit", n=[3])
family("c_each",
       "r1 = map[{m}]; r2 = fn F; r3 = r10; r3 += -8; r4 = {g}; call 164; r0 = 0; exit; "
       "F: r0 = *(u32 *)(r2 + {k}); r6 = *(u64 *)(r3 + {o}); r0 = 0; exit", m=[1, 3, 7], g=[0, 1], k=[0, 4],
       o=[0, 8])
family("c_eachw",
       "r1 = map[1]; r2 = fn F; r3 = r10; r3 += -8; *(u64 *)(r10 - 8) = 0; r4 = 0; call 164; "
       "r6 = *(u64 *)(r10 - 8); r0 = 0; exit; F: {x} r0 = 0; exit",
       x=["*(u32 *)(r2 + 0) = 1;", "*(u64 *)(r3 + 0) = 1;", "*(u64 *)(r4 + 0) = 1;", "*(u64 *)(r4 + 8) = 1;", "r0 = *(u64 *)(r4 - 8);", "*(u64 *)(r4 + 0) = r3;"])
family("c_rel",
       "r1 = map[2]; r2 = 8; r3 = 0; call 131; if r0 == 0 goto OUT; "
       "*(u64 *)(r10 - 8) = r0; " + BPF_LOOP + "{x} OUT: r0 = 0; exit; F: r1 = *(u64 *)(r2 + 0); r2 = 0; "
       "{y} r0 = 0; exit", n=[1], x=["", "r1 = *(u64 *)(r10 - 8); r2 = 0; call 132;"], y=["", "call 132;"])
family("c_null", "r1 = 1; r2 = 0; r3 = 0; r4 = 0; call 181; r0 = 0; exit")

# ---- loops, may_goto ----

family("o_cnt",
       R6 + "r7 = 0; L: r7 += 1; r9 = mapval[0] + 0; r9 += r7; r0 = *(u8 *)(r9 + 0); if r7 < {k} goto L; "
       "r0 = 0; exit", k=[10, 63, 64])
family("o_unk",
       R6 + "r6 &= {m}; r7 = 0; L: if r7 >= r6 goto OUT; r9 = mapval[0] + 0; r9 += r7; "
       "r0 = *(u8 *)(r9 + 0); r7 += 1; goto L", m=[63, 127])
family("o_down",
       R6 + "r6 &= 63; L: r9 = mapval[0] + 0; r9 += r6; r0 = *(u8 *)(r9 + 0); r6 -= 1; if r6 s>= 0 goto L; "
       "r0 = 0; exit")
family("o_may",
       "r7 = 0; L: may_goto OUT; r7 += 1; {x} goto L",
       x=["","r9 = mapval[0] + 0; r9 += r7; r0 = *(u8 *)(r9 + 0);","if r7 > 63 goto OUT; r9 = mapval[0] + 0; r9 += r7; r0 = *(u8 *)(r9 + 0);"])
family("o_maynest", "r7 = 0; r8 = 0; L: may_goto OUT; M: may_goto L; r8 += 1; goto M")
family("o_inf", "L: {x} goto L; r0 = 0; exit", x=["", "r2 = 0;"])
family("o_gotol", R6 + "if r6 == 0 goto L; gotol M; L: r0 = 1; exit; M: r0 = 0; exit")
family("o_nest",
       "r6 = 0; A: r7 = 0; B: r7 += 1; if r7 < {b} goto B; r6 += 1; if r6 < {a} goto A; r0 = 0; "
       "exit", a=[10, 100], b=[10, 100])
family("o_ptr",
       "r6 = mapval[0] + 0; r7 = 0; L: r0 = *(u64 *)(r6 + 0); r6 += 8; r7 += 1; if r7 < {k} goto L; r0 = 0; "
       "exit", k=[7, 8, 9])

# ---- search pruning ----

family("x_prune",
       R6 + "r7 = {a}; if r6 == 0 goto L; r7 = {b}; L: r8 = r7; if r6 == 5 goto M; r8 += {c}; "
       "M: r9 = mapval[0] + 0; r9 += r8; r0 = *(u8 *)(r9 + 0); r0 = 0; exit", a=[0, 60], b=[3, 63], c=[0, 1, 4])
family("x_uninit",
       R6 + "if r6 == 0 goto L; r7 = 1; L: if r6 == {k} goto M; r0 = r7; exit; M: r0 = 0; exit", k=[0, 1])
family("x_ptrnum",
       R6 + "r7 = r10; r7 += -8; *(u64 *)(r10 - 8) = 0; if r6 == 0 goto L; r7 = {c}; L: if r6 == 0 goto M; "
       "r0 = 0; exit; M: r0 = *(u64 *)(r7 + 0); exit", c=[0, 5])
family("x_spillp",
       R6 + "r7 = {a}; if r6 == 0 goto L; r7 = {b}; L: *(u64 *)(r10 - 8) = r7; if r6 == 9 goto M; "
       "M: r8 = *(u64 *)(r10 - 8); r9 = mapval[0] + 0; r9 += r8; r0 = *(u8 *)(r9 + 0); r0 = 0; "
       "exit", a=[0, 63], b=[1, 64])
family("x_sizep",
       R6 + "r2 = {a}; if r6 == 0 goto L; r2 = {b}; L: r1 = r10; r1 += -16; r3 = 0; call 113; r0 = 0; "
       "exit", a=[8, 16], b=[16, 17])

# ---- tail calls ----

family("t_tail", "r2 = map[{m}]; r3 = {k}; call 12; r0 = 0; exit", m=[4, 3], k=[0, 3, 4])
family("t_unk", R6 + "r2 = map[4]; r3 = r6; call 12; r0 = 0; exit")
family("t_ctx", "r1 = r10; r2 = map[4]; r3 = 0; call 12; r0 = 0; exit")
family("t_ref",
       "r6 = r1; r1 = map[2]; r2 = 8; r3 = 0; call 131; if r0 == 0 goto OUT; r7 = r0; r1 = r6; r2 = map[4]; "
       "r3 = 0; call 12; r1 = r7; r2 = 0; call 132")

# ---- dynptr ----

DYNPTR = "*(u64 *)(r10 - 8) = 0; r1 = map[2]; r2 = {n}; r3 = 0; r4 = r10; r4 += -24; call 198; "
family("d_res", DYNPTR + "r1 = r10; r1 += -24; r2 = 0; call {h}; r0 = 0; exit", n=[8], h=[199, 200])
family("d_leak", DYNPTR + "r0 = 0; exit", n=[8])
family("d_data",
       DYNPTR + "r1 = r10; r1 += -24; r2 = 0; r3 = {s}; call 203; if r0 == 0 goto O; "
       "*(u64 *)(r0 + {o}) = 1; O: r1 = r10; r1 += -24; r2 = 0; call 200; r0 = 0; "
       "exit", n=[16], s=[8, 16, 4], o=[0, 8, 1])
family("d_over", DYNPTR + "*(u64 *)(r10 - 24) = 0; r1 = r10; r1 += -24; r2 = 0; call 200; r0 = 0; exit", n=[8])
family("d_mem",
       "r1 = mapval[0] + 0; r2 = {n}; r3 = 0; r4 = r10; r4 += {o}; call 197; r1 = r10; r1 += -32; r2 = 8; "
       "r3 = r10; r3 += -16; r4 = 0; r5 = 0; call 201; r0 = 0; exit", n=[8, 64, 65], o=[-16, -12, -8])
family("d_stale",
       DYNPTR + "r1 = r10; r1 += -24; r2 = 0; r3 = 8; call 203; r6 = r0; r1 = r10; r1 += -24; r2 = 0; "
       "call 200; if r6 == 0 goto O; r0 = *(u64 *)(r6 + 0); O: r0 = 0; exit", n=[8])

# ---- misc ----

family("z_callx", "r6 = fn F; {x} callx r6; r0 = 0; exit; F: r0 = 0; exit", x=["", "r6 += 1;"])
family("z_ret", "r0 = {c} ll; exit", c=[0, 1, -1])
family("z_noret", "r1 = 0; exit")
family("z_dead", "r0 = 0; exit; r0 = 1; exit")
family("z_off", "r0 = 0; goto L; L: {x} exit", x=["", "r0 = 1;"])


def main():
    print("name\tmaps\tinsns")
    for name, insns in ROWS.items():
        print(f"{name}\t{MAPS}\t{insns}")


if __name__ == "__main__":
    main()
