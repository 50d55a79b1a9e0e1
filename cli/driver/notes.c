/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads section .note.stapsdt: three addresses, then provider and name as strings. What is cut short
 * is passed over.
 */
#include "cli/driver/notes.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

#include "bpfcc/arena.h"

enum { NOTE_TYPE = 3, ADDRESSES_BYTES = 3 * 8 };

/* "PROVIDER:NAME" of a note's descriptor, or NULL. */
static const char *probe_name(struct bpfcc_arena *arena, const char *desc, size_t bytes)
{
	const char *provider = desc + ADDRESSES_BYTES, *end = desc + bytes, *name;

	if (bytes <= ADDRESSES_BYTES)
		return NULL;
	name = memchr(provider, 0, (size_t)(end - provider));
	if (!name || !memchr(name + 1, 0, (size_t)(end - name - 1)))
		return NULL;
	return bpfcc_arena_printf(arena, "%s:%s", provider, name + 1);
}

static void look_at(const char *wanted, const char *found, struct cc_probes *probes)
{
	size_t provider = strcspn(wanted, ":") + 1;

	if (!strcmp(wanted, found))
		probes->is_here = true;
	else if (!strcmp(strchr(wanted, ':') + 1, strchr(found, ':') + 1) ||
		 (!probes->similar && !strncmp(wanted, found, provider)))
		probes->similar = found;
}

static void read_notes(struct bpfcc_arena *arena, Elf_Data *data, const char *wanted,
		       struct cc_probes *probes)
{
	size_t at = 0, name_at, desc_at;
	GElf_Nhdr note;

	while ((at = gelf_getnote(data, at, &note, &name_at, &desc_at)) > 0) {
		const char *bytes = data->d_buf, *found;

		if (note.n_type != NOTE_TYPE || note.n_namesz != sizeof("stapsdt") ||
		    memcmp(bytes + name_at, "stapsdt", sizeof("stapsdt")))
			continue;
		found = probe_name(arena, bytes + desc_at, note.n_descsz);
		if (found)
			look_at(wanted, found, probes);
	}
}

void cc_find_probe(struct bpfcc_arena *arena, const char *path, const char *name,
		   struct cc_probes *ret_probes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	Elf_Data *data;
	Elf *elf;

	memset(ret_probes, 0, sizeof(*ret_probes));
	if (fd < 0 || !strchr(name, ':'))
		goto out;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	while (elf && (section = elf_nextscn(elf, section))) {
		data = gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE ?
			       elf_getdata(section, NULL) : NULL;
		if (data)
			read_notes(arena, data, name, ret_probes);
	}
	elf_end(elf);
out:
	if (fd >= 0)
		close(fd);
}
