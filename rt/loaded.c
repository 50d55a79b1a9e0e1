/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a loaded module's program headers and build id out of memory. Where the module may be
 * unloaded meanwhile, by reads that may fault; what is found may be nonsense then, and is bounded.
 */
#include <elf.h>
#include <link.h>

#include "rt/helpers.h"
#include "rt/inlay_rt_internal.h"
#include "rt/loaded.h"
#include "rt/probe_copy.h"
#include "rt/sys.h"

#define MAX_PHDRS 64u
#define MAX_NOTES 16u

bool __inlay_fetch(enum inlay_how how, void *dst, __u64 addr, __u64 bytes)
{
	char *to = dst;

	if (how == INLAY_HOW_CALL)
		return !__inlay_read_by_call(dst, addr, bytes);
	if (how == INLAY_HOW_GUARDED)
		return !__inlay_copy(dst, addr, bytes);
	for (__u64 i = 0; i < bytes; i++)
		to[i] = ((const char *)addr)[i];
	return true;
}

/* Headers may point anywhere; a plain read must not follow them there. */
static bool is_loaded(const struct inlay_loaded *loaded, __u64 at, __u64 bytes)
{
	for (__u64 i = 0; i < loaded->nr_parts; i++) {
		const struct inlay_loaded_part *part = &loaded->parts[i];

		if (at - part->start < part->bytes && bytes <= part->bytes - (at - part->start))
			return true;
	}
	return false;
}

/* False: it is not among these notes. */
static bool read_build_id(enum inlay_how how, const ElfW(Phdr) *phdr, __u64 at,
			  struct inlay_loaded *loaded)
{
	__u64 align = phdr->p_align == 8 ? 8 : 4, end = at + phdr->p_memsz, desc, bytes;
	char name[sizeof(ELF_NOTE_GNU)];
	ElfW(Nhdr) note;

	if (!is_loaded(loaded, at, phdr->p_memsz))
		return false;
	for (__u32 i = 0; i < MAX_NOTES && at < end && end - at > sizeof(note); i++) {
		if (!__inlay_fetch(how, &note, at, sizeof(note)))
			return false;
		desc = at + inlay_round_up(sizeof(note) + note.n_namesz, align);
		/* whole words, or it is none for kernels */
		if (desc > end || inlay_round_up(note.n_descsz, 4) > end - desc)
			return false;
		bytes = note.n_descsz < INLAY_BUILD_ID_BYTES ? note.n_descsz : INLAY_BUILD_ID_BYTES;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(name) && bytes &&
		    __inlay_fetch(how, name, at + sizeof(note), sizeof(name)) &&
		    bytes_equal(name, ELF_NOTE_GNU, sizeof(name)) &&
		    __inlay_fetch(how, loaded->mark, desc, bytes)) {
			loaded->mark_at = desc;
			loaded->mark_bytes = bytes;
			loaded->id_bytes = note.n_descsz;
			return true;
		}
		at = inlay_round_up(desc + note.n_descsz, align);
	}
	return false;
}

bool __inlay_loaded_sum(enum inlay_how how, __u64 at, __u64 bytes, __u64 *ret_sum)
{
	__u64 words[8], sum = 0;

	for (__u64 left = bytes / sizeof(*words); left;) {
		__u32 nr = left < 8 ? (__u32)left : 8;

		if (!__inlay_fetch(how, words, at, nr * sizeof(*words)))
			return false;
		for (__u32 i = 0; i < nr; i++)
			sum = (sum << 23 | sum >> 41) ^ words[i] * 0x9e3779b97f4a7c15ull;
		at += nr * sizeof(*words);
		left -= nr;
	}
	*ret_sum = sum;
	return true;
}

static void add_part(const ElfW(Phdr) *phdr, __u64 start, struct inlay_loaded *loaded)
{
	__u64 skew = start % INLAY_PAGE_BYTES;
	struct inlay_loaded_part *part = &loaded->parts[loaded->nr_parts];

	if (!phdr->p_filesz || phdr->p_offset < skew || loaded->nr_parts == INLAY_LOADED_PARTS)
		return;
	part->start = start - skew;
	part->bytes = inlay_round_up(phdr->p_filesz + skew, INLAY_PAGE_BYTES);
	part->off = phdr->p_offset - skew;
	loaded->nr_parts++;
}

static void clear(struct inlay_loaded *loaded)
{
	/* not by an initialiser, which would be a call of memset() */
	__u64 *words = (__u64 *)loaded;

	for (__u32 i = 0; i < sizeof(*loaded) / sizeof(*words); i++)
		*(volatile __u64 *)&words[i] = 0;
}

bool __inlay_loaded_read(enum inlay_how how, __u64 bias, __u64 phdrs, __u32 nr,
			 struct inlay_loaded *ret_loaded)
{
	ElfW(Phdr) phdr;

	clear(ret_loaded);
	ret_loaded->start = ~0ull;
	for (__u32 i = 0; i < nr && i < MAX_PHDRS; i++) {
		__u64 start, end;

		if (!__inlay_fetch(how, &phdr, phdrs + i * sizeof(phdr), sizeof(phdr)))
			return false;
		if (phdr.p_type != PT_LOAD)
			continue;
		start = bias + phdr.p_vaddr;
		end = start + phdr.p_memsz;
		ret_loaded->start = start < ret_loaded->start ? start : ret_loaded->start;
		ret_loaded->end = end > ret_loaded->end ? end : ret_loaded->end;
		add_part(&phdr, start, ret_loaded);
	}
	for (__u32 i = 0; i < nr && i < MAX_PHDRS && !ret_loaded->mark_bytes; i++) {
		if (!__inlay_fetch(how, &phdr, phdrs + i * sizeof(phdr), sizeof(phdr)))
			return false;
		if (phdr.p_type == PT_NOTE &&
		    read_build_id(how, &phdr, bias + phdr.p_vaddr, ret_loaded))
			break;
	}
	if (!ret_loaded->mark_bytes && nr <= MAX_PHDRS && is_loaded(ret_loaded, phdrs, nr * sizeof(phdr)) &&
	    __inlay_loaded_sum(how, phdrs, nr * sizeof(phdr), ret_loaded->mark)) {
		ret_loaded->mark_at = phdrs;
		ret_loaded->mark_bytes = nr * sizeof(phdr);
	}
	return ret_loaded->start < ret_loaded->end;
}
