/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading site records from an ELF file. The file is copied, not mapped, so that it may be replaced
 * meanwhile; libelf checks its structure, every reference of a record is checked here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>

#include "cli/inlay/sites.h"

struct elf_file {
	Elf *elf;
	struct sites *out;
	size_t nr_sections;
	GElf_Shdr *sections;
};

static int refuse(char *reason, size_t bytes, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, bytes, format, args);
	va_end(args);
	return error;
}

static int slurp(const char *path, struct sites *sites, char *reason, size_t reason_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = 0;
	struct stat st;
	size_t n = 0;

	if (fd < 0)
		return refuse(reason, reason_bytes, -errno, "%s", strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse(reason, reason_bytes, -EINVAL, "not a regular file");
	}
	sites->image = malloc((size_t)st.st_size + 1);
	while (sites->image && n < (size_t)st.st_size) {
		ssize_t got = read(fd, sites->image + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	close(fd);
	if (!sites->image)
		return refuse(reason, reason_bytes, -ENOMEM, "out of memory");
	if (err)
		return refuse(reason, reason_bytes, err, "%s", strerror(-err));
	sites->image_bytes = n;
	return 0;
}

/* The bytes of a loaded section, checked against the file; NULL if it has none. */
static const char *section_bytes(const struct elf_file *file, const GElf_Shdr *section)
{
	if (section->sh_type == SHT_NOBITS || !(section->sh_flags & SHF_ALLOC) ||
	    section->sh_offset > file->out->image_bytes ||
	    section->sh_size > file->out->image_bytes - section->sh_offset)
		return NULL;
	return file->out->image + section->sh_offset;
}

/* The string at an address of the program, "" if there is none. */
static const char *string_at(const struct elf_file *file, uint64_t address)
{
	for (size_t i = 0; i < file->nr_sections; i++) {
		const GElf_Shdr *section = &file->sections[i];
		const char *bytes;
		uint64_t off;

		if (address < section->sh_addr || address - section->sh_addr >= section->sh_size)
			continue;
		bytes = section_bytes(file, section);
		off = address - section->sh_addr;
		if (bytes && memchr(bytes + off, 0, section->sh_size - off))
			return bytes + off;
	}
	return "";
}

/* A self-relative reference: the field's address plus its value. */
static const char *reference(const struct elf_file *file, uint64_t record, size_t field,
			     int32_t value)
{
	return value ? string_at(file, record + field + (uint64_t)(int64_t)value) : "";
}

static int add_site(const struct elf_file *file, const struct inlay_site *record, uint64_t address)
{
	struct sites *out = file->out;
	struct site *site;

	if (!(out->nr & (out->nr - 1))) { /* full at each power of two */
		site = reallocarray(out->sites, out->nr ? 2 * out->nr : 1, sizeof(*site));
		if (!site)
			return -ENOMEM;
		out->sites = site;
	}
	site = &out->sites[out->nr++];
#define REFERENCE(field) \
	reference(file, address, offsetof(struct inlay_site, field), record->field)
	*site = (struct site){
		.kind = record->kind,
		.flags = record->flags,
		.line = record->line,
		.prog_index = record->prog_index,
		.function = REFERENCE(function),
		.caller = REFERENCE(caller),
		.file = REFERENCE(file),
		.program = REFERENCE(program),
		.object = REFERENCE(object),
		.section = REFERENCE(section),
		.types = REFERENCE(types),
	};
#undef REFERENCE
	memcpy(site->hash, record->hash, sizeof(site->hash));
	return 0;
}

static int read_section(const struct elf_file *file, const GElf_Shdr *section)
{
	const char *bytes = section_bytes(file, section);
	uint64_t off = 0;
	int err;

	if (!bytes)
		return -EBADMSG;
	while (section->sh_size - off >= sizeof(struct inlay_site)) {
		struct inlay_site record;

		memcpy(&record, bytes + off, sizeof(record));
		if (!record.site_bytes) { /* padding between two files' records */
			off += 8;
			continue;
		}
		if (record.site_bytes < sizeof(record) || record.site_bytes % 8 ||
		    record.version < INLAY_SITE_VERSION)
			return -EBADMSG;
		err = add_site(file, &record, section->sh_addr + off);
		if (err)
			return err;
		if (record.site_bytes > section->sh_size - off)
			break;
		off += record.site_bytes;
	}
	return 0;
}

static bool same_program(const struct site *a, const struct site *b)
{
	return a->prog_index == b->prog_index && !memcmp(a->hash, b->hash, sizeof(a->hash));
}

static int by_function(const void *a, const void *b)
{
	return strcmp((*(const struct site *const *)a)->function,
		      (*(const struct site *const *)b)->function);
}

/*
 * A call site of a function that another unit of the target defines never runs: the definition
 * carries the program (DESIGN section 12). Such records are left out.
 */
static int drop_defined(struct sites *sites)
{
	const struct site **defined = calloc(sites->nr + 1, sizeof(*defined));
	size_t nr = 0, kept = 0, i;

	if (!defined)
		return -ENOMEM;
	for (i = 0; i < sites->nr; i++)
		if (sites->sites[i].kind != INLAY_SITE_CALL &&
		    sites->sites[i].kind != INLAY_SITE_USDT &&
		    !(sites->sites[i].flags & INLAY_SITE_F_LOCAL))
			defined[nr++] = &sites->sites[i];
	qsort(defined, nr, sizeof(*defined), by_function);
	/* mark first: the sorted pointers go stale when records move */
	for (i = 0; i < sites->nr; i++) {
		const struct site *site = &sites->sites[i];

		if (site->kind == INLAY_SITE_CALL &&
		    bsearch(&site, defined, nr, sizeof(*defined), by_function))
			sites->sites[i].kind = 0;
	}
	free(defined);
	for (i = 0; i < sites->nr; i++)
		if (sites->sites[i].kind)
			sites->sites[kept++] = sites->sites[i];
	sites->nr_dropped = sites->nr - kept;
	sites->nr = kept;
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct site *x = a, *y = b;
	int order = strcmp(x->object, y->object);

	if (!order)
		order = strcmp(x->function, y->function);
	if (!order)
		order = strcmp(x->file, y->file);
	if (!order && x->line != y->line)
		order = x->line < y->line ? -1 : 1;
	if (!order)
		order = (int)x->prog_index - (int)y->prog_index;
	if (!order)
		order = strcmp(x->caller, y->caller);
	return order ? order : (int)x->kind - (int)y->kind;
}

/*
 * An inline function of C++ is compiled in many units; the linker keeps one body, yet early records
 * of the others may stay. The same program at the same place is one site.
 */
static void drop_duplicates(struct sites *sites)
{
	size_t kept = 0;

	if (!sites->nr)
		return;
	qsort(sites->sites, sites->nr, sizeof(*sites->sites), by_place);
	for (size_t i = 0; i < sites->nr; i++) {
		const struct site *last = kept ? &sites->sites[kept - 1] : NULL,
				  *site = &sites->sites[i];

		if (last && site->line && same_program(last, site) && last->kind == site->kind &&
		    last->kind != INLAY_SITE_CALL && last->kind != INLAY_SITE_RETURN &&
		    last->line == site->line && !strcmp(last->function, site->function) &&
		    !strcmp(last->caller, site->caller) &&
		    !strcmp(last->file, site->file))
			continue;
		sites->sites[kept++] = *site;
	}
	sites->nr = kept;
}

static int read_elf(struct elf_file *file, char *reason, size_t reason_bytes)
{
	GElf_Ehdr header;
	size_t names;
	int err = 0;

	if (elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header))
		return refuse(reason, reason_bytes, -EINVAL, "not an ELF file");
	if (header.e_type == ET_REL)
		return refuse(reason, reason_bytes, -EINVAL,
			      "an object file, whose sites have no addresses yet: link it first");
	/* libelf takes headers outside the file for none. */
	if (header.e_shoff &&
	    (header.e_shoff > file->out->image_bytes || !header.e_shentsize ||
	     (file->out->image_bytes - header.e_shoff) / header.e_shentsize < header.e_shnum))
		return refuse(reason, reason_bytes, -EBADMSG, "cut short: no section headers");
	if (elf_getshdrnum(file->elf, &file->nr_sections) ||
	    elf_getshdrstrndx(file->elf, &names))
		return refuse(reason, reason_bytes, -EBADMSG, "damaged section headers");
	file->sections = calloc(file->nr_sections + 1, sizeof(*file->sections));
	if (!file->sections)
		return -ENOMEM;
	for (size_t i = 0; i < file->nr_sections; i++) {
		Elf_Scn *section = elf_getscn(file->elf, i);

		if (!section || !gelf_getshdr(section, &file->sections[i]))
			return refuse(reason, reason_bytes, -EBADMSG, "damaged section headers");
	}
	for (size_t i = 0; i < file->nr_sections && !err; i++) {
		const char *name = elf_strptr(file->elf, names, file->sections[i].sh_name);

		if (name && !strcmp(name, INLAY_SECTION_SITES))
			err = read_section(file, &file->sections[i]);
	}
	if (err == -EBADMSG)
		return refuse(reason, reason_bytes, err,
			      "damaged site records, or records of another version");
	return err;
}

int sites_read(const char *path, struct sites *ret_sites, char *reason, size_t reason_bytes)
{
	struct elf_file file = { .out = ret_sites };
	int err;

	memset(ret_sites, 0, sizeof(*ret_sites));
	elf_version(EV_CURRENT);
	err = slurp(path, ret_sites, reason, reason_bytes);
	if (!err && ret_sites->image_bytes)
		file.elf = elf_memory(ret_sites->image, ret_sites->image_bytes);
	if (!err && !file.elf)
		err = refuse(reason, reason_bytes, -EINVAL, "not an ELF file");
	if (!err)
		err = read_elf(&file, reason, reason_bytes);
	if (!err)
		err = drop_defined(ret_sites);
	if (!err)
		drop_duplicates(ret_sites);
	elf_end(file.elf);
	free(file.sections);
	if (err)
		sites_fini(ret_sites);
	return err;
}

void sites_fini(struct sites *sites)
{
	free(sites->sites);
	free(sites->image);
	memset(sites, 0, sizeof(*sites));
}
