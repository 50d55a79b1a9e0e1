/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutations of ELF files that stay ELF files: one field of one header, symbol, relocation,
 * instruction or of the type information changes, or a section gets another length. Bytes that
 * change anywhere would mostly be refused at the first look.
 */
#include <elf.h>
#include <string.h>

#include "tests/fuzz/dice.h"
#include "tests/fuzz/fuzz.h"

/* A section whose contents lie in the file; index 0: none was found. */
static uint32_t pick_section(struct dice *d, const uint8_t *data, size_t bytes, Elf64_Shdr *ret)
{
	Elf64_Ehdr header;

	memcpy(&header, data, sizeof(header));
	if (!header.e_shnum || header.e_shoff > bytes ||
	    (bytes - header.e_shoff) / sizeof(*ret) < header.e_shnum)
		return 0;
	for (int tries = 0; tries < 8; tries++) {
		uint32_t i = roll(d, header.e_shnum);

		memcpy(ret, data + header.e_shoff + i * sizeof(*ret), sizeof(*ret));
		if (i && ret->sh_offset < bytes && ret->sh_size &&
		    ret->sh_size <= bytes - ret->sh_offset)
			return i;
	}
	return 0;
}

static void put_section(uint8_t *data, uint32_t index, const Elf64_Shdr *section)
{
	Elf64_Ehdr header;

	memcpy(&header, data, sizeof(header));
	memcpy(data + header.e_shoff + index * sizeof(*section), section, sizeof(*section));
}

/* A number of `bytes` bytes becomes a little more or less, an odd one, or gets another bit. */
static void change_number(struct dice *d, uint8_t *at, size_t bytes)
{
	uint64_t n = 0;

	memcpy(&n, at, bytes);
	switch (roll(d, 4)) {
	case 0:
		n += roll(d, 2) ? 1 : UINT64_MAX;
		break;
	case 1:
		n = (uint64_t)(int64_t)odd_number(d);
		break;
	case 2:
		n = roll(d, 64);
		break;
	default:
		n ^= (uint64_t)1 << roll(d, (uint32_t)(8 * bytes));
		break;
	}
	memcpy(at, &n, bytes);
}

/* One field of a record of `sizes`, ended by 0. */
static void change_record(struct dice *d, uint8_t *at, const uint8_t *sizes)
{
	uint32_t nr = 0, field;

	while (sizes[nr])
		nr++;
	field = roll(d, nr);
	for (uint32_t i = 0; i < field; i++)
		at += sizes[i];
	change_number(d, at, sizes[field]);
}

static void change_contents(struct dice *d, uint8_t *data, const Elf64_Shdr *s)
{
	static const uint8_t symbol[] = {4, 1, 1, 2, 8, 8, 0}, rel[] = {8, 4, 4, 0};
	uint8_t *start = data + s->sh_offset;
	size_t unit = s->sh_type == SHT_SYMTAB ? 24 : s->sh_type == SHT_REL ? 16
				: s->sh_flags & SHF_EXECINSTR ? 8 : 4;
	uint32_t nr = (uint32_t)(s->sh_size / unit);
	uint8_t *at, *other;

	if (!nr || !roll(d, 8)) {
		LLVMFuzzerMutate(start, s->sh_size, s->sh_size);
		return;
	}
	at = start + unit * roll(d, nr);
	other = start + unit * roll(d, nr);
	if (!roll(d, 6))
		memmove(at, other, unit);
	else if (s->sh_type == SHT_SYMTAB)
		change_record(d, at, symbol);
	else if (s->sh_type == SHT_REL)
		change_record(d, at, rel);
	else if (s->sh_flags & SHF_EXECINSTR)
		fuzz_change_insn(d, at);
	else if (s->sh_type == SHT_STRTAB)
		at[roll(d, 4)] = (uint8_t)(roll(d, 3) ? 32 + roll(d, 96) : 0);
	else
		change_number(d, at, roll(d, 4) ? 4 : 1);
}

/* Another length, at the end of the file. */
static size_t change_length(struct dice *d, uint8_t *data, size_t bytes, size_t max_bytes,
			    uint32_t index, Elf64_Shdr *s)
{
	size_t more = 8 * (size_t)(1 + roll(d, 8)), at = (bytes + 7) & ~(size_t)7;

	if (roll(d, 2)) {
		s->sh_size -= s->sh_size > more ? more : s->sh_size;
		put_section(data, index, s);
		return bytes;
	}
	if (at + s->sh_size + more > max_bytes)
		return bytes;
	memset(data + bytes, 0, at - bytes);
	memcpy(data + at, data + s->sh_offset, s->sh_size);
	/* more of the same */
	for (size_t i = 0; i < more; i++)
		data[at + s->sh_size + i] = data[at + roll(d, (uint32_t)s->sh_size)];
	s->sh_offset = at;
	s->sh_size += more;
	put_section(data, index, s);
	return at + s->sh_size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t max_bytes, unsigned int seed)
{
	static const uint8_t header[] = {4, 4, 8, 8, 8, 8, 4, 4, 8, 8, 0};
	struct dice d = {seed};
	Elf64_Shdr s;
	uint32_t index;

	if (bytes < sizeof(Elf64_Ehdr) || memcmp(data, ELFMAG, SELFMAG) || !roll(&d, 32))
		return LLVMFuzzerMutate(data, bytes, max_bytes);
	index = pick_section(&d, data, bytes, &s);
	if (!index)
		return LLVMFuzzerMutate(data, bytes, max_bytes);
	switch (roll(&d, 12)) {
	case 0:
		change_record(&d, (uint8_t *)&s, header);
		put_section(data, index, &s);
		return bytes;
	case 1:
		return change_length(&d, data, bytes, max_bytes, index, &s);
	default:
		break;
	}
	do
		change_contents(&d, data, &s);
	while (!roll(&d, 3));
	return bytes;
}
