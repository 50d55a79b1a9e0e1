/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions about a linked file, for the reasons that messages give. The file is somebody's output
 * and may be anything: what cannot be read is not there.
 */
#include "cli/driver/symtab.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inlay/abi.h"

struct file {
	int fd;
	Elf *elf;
};

static void file_open(struct file *file, const char *path)
{
	*file = (struct file){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (file->fd < 0)
		return;
	elf_version(EV_CURRENT);
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
}

static void file_close(struct file *file)
{
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
}

/* ---- similar names ---- */

enum { UNLIKE = 100, LONGEST = 64 };

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to change, add or drop; names of more than LONGEST letters are not compared. */
static size_t distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), row[LONGEST + 1], corner, above;

	if (na > LONGEST || nb > LONGEST)
		return UNLIKE;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++, corner = above) {
			above = row[j];
			row[j] = smallest(row[j - 1] + 1, above + 1,
					  corner + (a[i - 1] != b[j - 1]));
		}
	}
	return row[nb];
}

/* Whether a C++ symbol has the name as one of its parts: 4work in _ZN2ns4workEi. */
static bool is_mangled(const char *symbol, const char *function)
{
	char part[LONGEST + 8];

	if (strncmp(symbol, "_Z", 2) || strlen(function) > LONGEST)
		return false;
	snprintf(part, sizeof(part), "%zu%s", strlen(function), function);
	return strstr(symbol, part) != NULL;
}

/* 0: certainly meant; UNLIKE: not. */
static size_t unlikeness(const char *symbol, const char *function)
{
	size_t n = strlen(function), d;

	if (!strncmp(symbol, "__inlay_", 8))
		return UNLIKE;
	if (is_mangled(symbol, function))
		return 0;
	/* what the compiler made of it: name.part.0, name.llvm.123 */
	if (!strncmp(symbol, function, n) && symbol[n] == '.')
		return 1;
	if (strlen(symbol) > n + 2 || n > strlen(symbol) + 2)
		return UNLIKE;
	d = distance(symbol, function);
	return d <= (n < 5 ? 1 : 2) ? 1 + d : UNLIKE;
}

struct search {
	const char *function;
	bool is_defined;
	size_t best;
	char similar[512];
};

static void search_table(struct search *s, Elf *elf, const GElf_Shdr *header, Elf_Data *data)
{
	size_t nr = header->sh_entsize ? header->sh_size / header->sh_entsize : 0, d;

	for (size_t i = 0; i < nr && i < INT32_MAX && !s->is_defined; i++) {
		const char *name;
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol))
			return;
		if (symbol.st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol.st_info) != STT_FUNC)
			continue;
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (!name)
			continue;
		s->is_defined = !strcmp(name, s->function);
		d = unlikeness(name, s->function);
		if (d < s->best && strlen(name) < sizeof(s->similar)) {
			s->best = d;
			strcpy(s->similar, name);
		}
	}
}

void cc_find_function(struct bpfcc_arena *arena, const char *path, const char *function,
		      struct cc_functions *ret_functions)
{
	struct search s = { .function = function, .best = UNLIKE };
	Elf_Scn *section = NULL;
	struct file file;

	file_open(&file, path);
	while (file.elf && !s.is_defined && (section = elf_nextscn(file.elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) ||
		    (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM))
			continue;
		data = elf_getdata(section, NULL);
		if (data)
			search_table(&s, file.elf, &header, data);
	}
	file_close(&file);
	ret_functions->is_defined = s.is_defined;
	ret_functions->similar = s.best < UNLIKE ? bpfcc_arena_strdup(arena, s.similar) : NULL;
}

/* ---- what the pass left out ---- */

/* The text at *at, which moves behind it; NULL at the section's end. */
static const char *next_text(struct bpfcc_arena *arena, const char **at, const char *end)
{
	const char *nul = *at < end ? memchr(*at, 0, (size_t)(end - *at)) : NULL, *text = *at;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return bpfcc_arena_strndup(arena, text, (size_t)(nul - text));
}

static int read_skips(struct bpfcc_arena *arena, const Elf_Data *data, struct cc_skips *skips)
{
	const char *at = data->d_buf, *end = at + data->d_size;

	while (at < end) {
		struct cc_skip skip;

		skip.object = next_text(arena, &at, end);
		skip.program = next_text(arena, &at, end);
		skip.function = next_text(arena, &at, end);
		skip.reason = next_text(arena, &at, end);
		if (!skip.reason) /* the section ends in the middle of one */
			return 0;
		if (!(skips->nr & (skips->nr - 1))) { /* full at each power of two */
			size_t max = skips->nr ? 2 * skips->nr : 1;
			struct cc_skip *all = bpfcc_arena_array(arena, max, sizeof(*all));

			if (!all)
				return -ENOMEM;
			if (skips->nr)
				memcpy(all, skips->skips, skips->nr * sizeof(*all));
			skips->skips = all;
		}
		skips->skips[skips->nr++] = skip;
	}
	return 0;
}

int cc_skips_read(struct bpfcc_arena *arena, const char *path, struct cc_skips *ret_skips)
{
	Elf_Scn *section = NULL;
	struct file file;
	size_t names;
	int err = 0;

	*ret_skips = (struct cc_skips){ 0 };
	file_open(&file, path);
	while (file.elf && !err && (section = elf_nextscn(file.elf, section))) {
		GElf_Shdr header;
		const char *name;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || elf_getshdrstrndx(file.elf, &names))
			continue;
		name = elf_strptr(file.elf, names, header.sh_name);
		if (!name || strcmp(name, INLAY_SECTION_SKIPS) || header.sh_type == SHT_NOBITS)
			continue;
		data = elf_getdata(section, NULL);
		if (data && data->d_buf)
			err = read_skips(arena, data, ret_skips);
	}
	file_close(&file);
	return err;
}
