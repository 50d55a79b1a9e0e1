/* SPDX-License-Identifier: BSD-2-Clause */
/* See elf_file.h. Names and bytes are the target's: nothing in them is believed but what was compared. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>

#include "cli/inlay/elf_file.h"

#define DEBUG_DIR "/usr/lib/debug"

/* A target may name a file of any size, which costs it nothing: this much takes some seconds. */
#define CHECKSUM_MAX_BYTES (1l << 30)

enum { BUILD_ID_MAX = 64 };

int elf_file_open(const char *path, struct elf_file *ret_file)
{
	struct stat st;

	*ret_file = (struct elf_file){ .fd = -1 };
	/* opening a device could have effects */
	if (*path != '/' || stat(path, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	ret_file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (ret_file->fd < 0)
		return -errno;
	ret_file->path = strdup(path);
	ret_file->elf = elf_begin(ret_file->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!ret_file->path || !ret_file->elf || elf_kind(ret_file->elf) != ELF_K_ELF) {
		elf_file_close(ret_file);
		return -ENOEXEC;
	}
	return 0;
}

void elf_file_close(struct elf_file *file)
{
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	*file = (struct elf_file){ .fd = -1 };
}

static size_t id_in_notes(Elf_Data *data, const uint8_t **ret_id)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while (data && (at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const uint8_t *bytes = data->d_buf;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(bytes + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU))) {
			*ret_id = bytes + desc;
			return note.n_descsz;
		}
	}
	return 0;
}

/* By sections first: the program headers of a debug file are those of the file that it belongs to. */
size_t elf_build_id(Elf *elf, const uint8_t **ret_id)
{
	Elf_Scn *section = NULL;
	size_t bytes = 0, nr = 0;
	GElf_Shdr sh;
	GElf_Phdr ph;

	while (!bytes && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) && sh.sh_type == SHT_NOTE)
			bytes = id_in_notes(elf_getdata(section, NULL), ret_id);
	elf_getphdrnum(elf, &nr);
	for (size_t i = 0; !bytes && i < nr && i < INT_MAX; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_NOTE)
			bytes = id_in_notes(
			    elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz,
						 ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR),
			    ret_id);
	return bytes;
}

Elf_Scn *elf_section_find(Elf *elf, uint32_t type, const char *name)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr sh;
		const char *own;

		if (!gelf_getshdr(section, &sh) || sh.sh_type != type)
			continue;
		own = name ? elf_strptr(elf, names, sh.sh_name) : NULL;
		if (!name || (own && !strcmp(own, name)))
			return section;
	}
	return NULL;
}

bool elf_has_dwarf(Elf *elf)
{
	return elf_section_find(elf, SHT_PROGBITS, ".debug_info") ||
	       elf_section_find(elf, SHT_PROGBITS, ".zdebug_info");
}

/* ---- Whether a debug file belongs to a file ------------------------------------------------ */

struct wanted {
	const uint8_t *id;
	size_t id_bytes;	/* 0: none, the checksum counts */
	uint32_t checksum;
	bool has_checksum;
	bool has_symbols, has_dwarf;	/* the file itself */
};

/* Of .gnu_debuglink: CRC-32, reflected, as in IEEE 802.3. */
static bool has_checksum(const struct elf_file *file, uint32_t checksum)
{
	uint32_t table[16], crc = ~0u;
	const unsigned char *bytes;
	struct stat st;
	size_t nr;

	if (fstat(file->fd, &st) || st.st_size > CHECKSUM_MAX_BYTES)
		return false;
	bytes = (const unsigned char *)elf_rawfile(file->elf, &nr);
	if (!bytes)
		return false;
	for (uint32_t i = 0; i < 16; i++) {
		table[i] = i;
		for (int bit = 0; bit < 4; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
	}
	for (size_t i = 0; i < nr; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc == checksum;
}

/* A debug file often has the name of its file: where that is looked for, the file itself may be found. */
static bool adds(const struct elf_file *file, const struct wanted *wanted)
{
	return (!wanted->has_symbols && elf_section_find(file->elf, SHT_SYMTAB, NULL)) ||
	       (!wanted->has_dwarf && elf_has_dwarf(file->elf));
}

static bool belongs(const struct elf_file *file, const struct wanted *wanted)
{
	const uint8_t *id;

	if (!adds(file, wanted))
		return false;
	if (wanted->id_bytes)
		return elf_build_id(file->elf, &id) == wanted->id_bytes &&
		       !memcmp(id, wanted->id, wanted->id_bytes);
	return wanted->has_checksum && has_checksum(file, wanted->checksum);
}

static __attribute__((format(printf, 3, 4))) int try_file(const struct wanted *wanted,
							  struct elf_file *ret_file,
							  const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(path) || elf_file_open(path, ret_file))
		return -ENOENT;
	if (belongs(ret_file, wanted))
		return 0;
	elf_file_close(ret_file);
	return -ENOENT;
}

/* The name in .gnu_debuglink, and the checksum behind it; NULL: none. */
static const char *read_link(Elf *elf, struct wanted *wanted)
{
	Elf_Scn *section = elf_section_find(elf, SHT_PROGBITS, ".gnu_debuglink");
	Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
	const char *name = data ? data->d_buf : NULL;
	size_t at;

	if (!name || !memchr(name, 0, data->d_size) || !*name || strchr(name, '/'))
		return NULL;
	at = (strlen(name) + 4) & ~(size_t)3;
	if (at + sizeof(wanted->checksum) > data->d_size)
		return NULL;
	memcpy(&wanted->checksum, name + at, sizeof(wanted->checksum));
	wanted->has_checksum = true;
	return name;
}

int elf_debug_file_open(Elf *elf, const char *shown, const char *root, struct elf_file *ret_file)
{
	const char *roots[] = { root, "" }, *slash = strrchr(shown, '/'), *name;
	struct wanted wanted = { 0 };
	char hex[2 * BUILD_ID_MAX + 1];
	int dir = *shown == '/' ? (int)(slash - shown) : -1;

	*ret_file = (struct elf_file){ .fd = -1 };
	wanted.id_bytes = elf_build_id(elf, &wanted.id);
	wanted.has_symbols = elf_section_find(elf, SHT_SYMTAB, NULL);
	wanted.has_dwarf = elf_has_dwarf(elf);
	name = read_link(elf, &wanted);
	for (size_t i = 0; i < wanted.id_bytes && wanted.id_bytes <= BUILD_ID_MAX; i++)
		snprintf(hex + 2 * i, 3, "%02x", wanted.id[i]);
	/* a target in a container may have its debug files there or here */
	for (int i = 0; i < (*root ? 2 : 1); i++) {
		if (wanted.id_bytes > 1 && wanted.id_bytes <= BUILD_ID_MAX &&
		    !try_file(&wanted, ret_file, "%s" DEBUG_DIR "/.build-id/%.2s/%s.debug", roots[i],
			      hex, hex + 2))
			return 0;
		if (!name || dir < 0)
			continue;
		if (!try_file(&wanted, ret_file, "%s%.*s/%s", roots[i], dir, shown, name) ||
		    !try_file(&wanted, ret_file, "%s%.*s/.debug/%s", roots[i], dir, shown, name) ||
		    !try_file(&wanted, ret_file, "%s" DEBUG_DIR "%.*s/%s", roots[i], dir, shown,
			      name))
			return 0;
	}
	return -ENOENT;
}
