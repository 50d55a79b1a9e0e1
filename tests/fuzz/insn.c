/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One field of one instruction becomes another one that matters.
 */
#include <string.h>

#include <linux/bpf.h>

#include "tests/fuzz/dice.h"

void fuzz_change_insn(struct dice *d, uint8_t *insn)
{
	static const uint8_t codes[] = {
		0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x57, 0x5f, 0x67, 0x6f,
		0x77, 0x7f, 0x87, 0x97, 0x9f, 0xa7, 0xaf, 0xb7, 0xbf, 0xc7, 0xcf, 0xd7, 0x04, 0x0c,
		0x14, 0x1c, 0x54, 0x64, 0x74, 0x94, 0xb4, 0xbc, 0xc4, 0xd4, 0xdc, 0x61, 0x69, 0x71,
		0x79, 0x81, 0x89, 0x91, 0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b, 0xc3, 0xdb,
		0x05, 0x06, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x45, 0x4d, 0x55, 0x5d, 0x65, 0x6d, 0x75,
		0xa5, 0xad, 0xb5, 0xc5, 0xd5, 0xe5, 0x16, 0x1e, 0x26, 0x56, 0x66, 0xa6, 0xae, 0xc6,
		0x85, 0x95, 0x18,
	};
	static const int32_t atomics[] = {0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0,
					  0xa1, 0xe1, 0xf1, 0x100, 0x110};
	int32_t imm = odd_number(d);
	int16_t off = (int16_t)(roll(d, 2) ? imm : (int32_t)roll(d, 24) - 8);

	switch (roll(d, 7)) {
	case 0:
		insn[0] = codes[roll(d, sizeof(codes))];
		break;
	case 1:
		insn[1] = (uint8_t)((insn[1] & 0xf0) | roll(d, 11));
		break;
	case 2:
		insn[1] = (uint8_t)((insn[1] & 0x0f) | roll(d, 11) << 4);
		break;
	case 3:
		memcpy(insn + 2, &off, sizeof(off));
		break;
	case 4:
		if (insn[0] == 0xc3 || insn[0] == 0xdb)
			imm = atomics[roll(d, sizeof(atomics) / sizeof(atomics[0]))];
		else if (insn[0] == 0x85 && insn[1] >> 4 == BPF_PSEUDO_KFUNC_CALL)
			imm = (int32_t)roll(d, 40); /* of those that there are, and some more */
		else if (insn[0] == 0x85 || roll(d, 2))
			imm = (int32_t)roll(d, 230);
		memcpy(insn + 4, &imm, sizeof(imm));
		break;
	case 5: /* a little more or less */
		off = (int16_t)((int16_t)(insn[2] | insn[3] << 8) + (roll(d, 2) ? 1 : -1));
		memcpy(&imm, insn + 4, sizeof(imm));
		imm = (int32_t)((uint32_t)imm + (roll(d, 2) ? 1u : UINT32_MAX));
		if (roll(d, 2))
			memcpy(insn + 2, &off, sizeof(off));
		else
			memcpy(insn + 4, &imm, sizeof(imm));
		break;
	default:
		insn[roll(d, 8)] ^= (uint8_t)(1u << roll(d, 8));
		break;
	}
}
