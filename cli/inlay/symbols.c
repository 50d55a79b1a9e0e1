/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbol tables of a target's modules, read at first need. See symbols.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>

#include "cli/inlay/demangle.h"
#include "cli/inlay/symbols.h"

struct symbol {
	uint64_t start, bytes;	/* as in the file, without the load bias */
	const char *name;	/* in the module's ELF data */
	char *plain;		/* demangled; NULL: not looked for yet; `name` may not be mangled */
	bool is_plain;		/* it was looked for */
};

struct module {
	char *path, *shown;
	uint64_t start, end;	/* addresses in the target */
	uint64_t file_off;	/* of start; only until the file is read */
	uint64_t bias;
	uint64_t load_end;	/* as in the file, of what is loaded */
	bool has_bias, is_read;
	bool is_whole;		/* start and end are those of the file, and not of one mapping */
	uint8_t build_id[INLAY_BUILD_ID_BYTES];	/* that the file must have */
	uint32_t build_id_bytes;		/* 0: any */
	int fd;
	Elf *elf;
	struct symbol *symbols;
	size_t nr;
};

struct symbols {
	struct module *modules;	/* the first is the executable; of two that fit, the last counts */
	size_t nr;
	bool is_demangled;
};

bool process_is(uint32_t pid, uint64_t starttime)
{
	char path[64], text[1024], *at;
	unsigned long long start;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = 0;
	at = strrchr(text, ')'); /* the name before may hold anything */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, " %llu", &start) == 1 && start == starttime;
}

static int by_start(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	/* of aliases the shortest name, which is the one without a version or prefix */
	return (int)strlen(x->name) - (int)strlen(y->name);
}

static void read_table(struct module *module, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr, i;

	if (!data || !header->sh_entsize)
		return;
	nr = data->d_size / header->sh_entsize;
	for (i = 0; i < nr && i < INT_MAX; i++) {
		struct symbol *more;
		GElf_Sym sym;
		const char *name;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF ||
		    (GELF_ST_TYPE(sym.st_info) != STT_FUNC &&
		     GELF_ST_TYPE(sym.st_info) != STT_GNU_IFUNC))
			continue;
		name = elf_strptr(module->elf, header->sh_link, sym.st_name);
		if (!name || !*name)
			continue;
		if (!(module->nr & (module->nr - 1))) { /* full at each power of two */
			more = reallocarray(module->symbols, module->nr ? 2 * module->nr : 1,
					    sizeof(*more));
			if (!more)
				return;
			module->symbols = more;
		}
		memset(&module->symbols[module->nr], 0, sizeof(*more));
		module->symbols[module->nr].start = sym.st_value;
		module->symbols[module->nr].bytes = sym.st_size;
		module->symbols[module->nr++].name = name;
	}
}

static void find_end(struct module *module)
{
	GElf_Phdr header;
	size_t nr = 0;

	elf_getphdrnum(module->elf, &nr);
	for (size_t i = 0; i < nr && i < INT_MAX; i++)
		if (gelf_getphdr(module->elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    header.p_vaddr + header.p_memsz > module->load_end)
			module->load_end = header.p_vaddr + header.p_memsz;
}

/* A mapping's load bias: where it is, minus where its segment says that it should be. */
static void find_bias(struct module *module)
{
	size_t nr = 0;

	elf_getphdrnum(module->elf, &nr);
	for (size_t i = 0; i < nr && i < INT_MAX; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(module->elf, (int)i, &header) || header.p_type != PT_LOAD)
			continue;
		if (module->file_off < (header.p_offset & ~0xfffull) ||
		    module->file_off - (header.p_offset & ~0xfffull) >= header.p_filesz + 0xfff)
			continue;
		module->bias = module->start - (module->file_off - header.p_offset) -
			       header.p_vaddr;
		module->has_bias = true;
	}
}

static bool has_note_id(const struct module *module, Elf_Data *data)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while (data && (at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(bytes + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)))
			return note.n_descsz >= module->build_id_bytes &&
			       !memcmp(bytes + desc, module->build_id, module->build_id_bytes);
	}
	return false;
}

/* Whether it is the file that the target had: it may have been replaced since. */
static bool is_same_file(const struct module *module)
{
	size_t nr = 0;

	if (!module->build_id_bytes)
		return true;
	elf_getphdrnum(module->elf, &nr);
	for (size_t i = 0; i < nr && i < INT_MAX; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(module->elf, (int)i, &header) && header.p_type == PT_NOTE &&
		    has_note_id(module,
				elf_getdata_rawchunk(module->elf, (int64_t)header.p_offset,
						     header.p_filesz,
						     header.p_align == 8 ? ELF_T_NHDR8 :
									   ELF_T_NHDR)))
			return true;
	}
	return false;
}

/* The names of files come from the target: opening a device could have effects. */
static int open_file(const char *path)
{
	struct stat st;

	if (*path != '/' || stat(path, &st) || !S_ISREG(st.st_mode))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static void module_read(struct module *module)
{
	Elf_Scn *section = NULL;
	bool has_symtab = false;

	module->is_read = true;
	module->fd = open_file(module->path);
	if (module->fd < 0)
		return;
	module->elf = elf_begin(module->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!module->elf || elf_kind(module->elf) != ELF_K_ELF)
		return;
	if (!is_same_file(module)) {
		elf_end(module->elf);
		module->elf = NULL;
		return;
	}
	if (!module->has_bias)
		find_bias(module);
	find_end(module);
	while ((section = elf_nextscn(module->elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB) {
			read_table(module, section, &header);
			has_symtab = true;
		}
	}
	while (!has_symtab && (section = elf_nextscn(module->elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM)
			read_table(module, section, &header);
	}
	if (module->nr)
		qsort(module->symbols, module->nr, sizeof(*module->symbols), by_start);
}

static struct module *add_module(struct symbols *symbols, const char *path, const char *shown)
{
	struct module *more = reallocarray(symbols->modules, symbols->nr + 1, sizeof(*more));

	if (!more)
		return NULL;
	symbols->modules = more;
	more = &more[symbols->nr];
	memset(more, 0, sizeof(*more));
	more->fd = -1;
	more->path = strdup(path);
	more->shown = strdup(shown);
	if (!more->path || !more->shown) {
		free(more->path);
		free(more->shown);
		return NULL;
	}
	symbols->nr++;
	return more;
}

/* Executable mappings of the libraries of a process that lives. */
static void add_libraries(struct symbols *symbols, uint32_t pid, const char *exe)
{
	char name[64], *line = NULL;
	size_t max = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/maps", pid);
	file = fopen(name, "re");
	if (!file)
		return;
	while (getline(&line, &max, file) > 0) {
		unsigned long long start, end, off;
		char bits[8], *path = strchr(line, '/'), full[PATH_MAX + 64];
		struct module *module;

		if (!path || sscanf(line, "%llx-%llx %7s %llx", &start, &end, bits, &off) != 4 ||
		    !strchr(bits, 'x'))
			continue;
		path[strcspn(path, "\n")] = 0;
		if (!strcmp(path, exe))
			continue;
		/* through its own root: the target may run in a container */
		snprintf(full, sizeof(full), "/proc/%u/root%s", pid, path);
		module = add_module(symbols, full, path);
		if (!module)
			break;
		module->start = start;
		module->end = end;
		module->file_off = off;
	}
	free(line);
	fclose(file);
}

/* Either may be cut from the left. */
static bool is_same_path(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), tail = n < m ? n : m;

	return tail && !strcmp(a + n - tail, b + m - tail);
}

/* What the target itself has written down: libraries that are unloaded, or of which no /proc tells. */
static void add_recorded(struct symbols *symbols, struct inlay_reader *reader, uint64_t exe_base,
			 uint32_t live_pid)
{
	struct inlay_module_info info = INLAY_SIZED(inlay_module_info);
	int err = 0;

	for (uint32_t i = 0; err != -ENOENT && i < INLAY_SEGMENT_MAX_MODULES; i++) {
		char path[sizeof(info.path) + 64];
		struct module *module;

		err = inlay_segment_module(reader, i, &info);
		if (err)
			continue;
		snprintf(path, sizeof(path), "%s", info.path);
		if (live_pid && *info.path == '/')
			snprintf(path, sizeof(path), "/proc/%u/root%s", live_pid, info.path);
		if (symbols->nr && info.bias == exe_base &&
		    is_same_path(info.path, symbols->modules->shown))
			module = symbols->modules;
		else
			module = add_module(symbols, path, info.path);
		if (!module)
			break;
		module->start = info.start;
		module->end = info.end;
		module->bias = info.bias;
		module->has_bias = true;
		module->is_whole = true;
		memcpy(module->build_id, info.build_id, sizeof(module->build_id));
		module->build_id_bytes = info.build_id_bytes;
	}
}

struct symbols *symbols_new(struct inlay_reader *reader, bool is_demangled)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct symbols *symbols = calloc(1, sizeof(*symbols));
	bool is_live = false;
	char path[64];
	struct module *exe;

	if (!symbols || inlay_segment_info(reader, &info))
		return symbols;
	symbols->is_demangled = is_demangled;
	elf_version(EV_CURRENT);
	snprintf(path, sizeof(path), "/proc/%u/exe", info.pid);
	is_live = process_is(info.pid, info.starttime);
	exe = add_module(symbols, is_live ? path : info.exe, info.exe);
	if (exe) {
		exe->bias = info.exe_base;
		exe->has_bias = true;
		exe->end = UINT64_MAX;
	}
	add_recorded(symbols, reader, info.exe_base, is_live ? info.pid : 0);
	if (is_live)
		add_libraries(symbols, info.pid, info.exe);
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	for (size_t i = 0; symbols && i < symbols->nr; i++) {
		free(symbols->modules[i].path);
		free(symbols->modules[i].shown);
		for (size_t k = 0; k < symbols->modules[i].nr; k++)
			free(symbols->modules[i].symbols[k].plain);
		free(symbols->modules[i].symbols);
		elf_end(symbols->modules[i].elf);
		if (symbols->modules[i].fd >= 0)
			close(symbols->modules[i].fd);
	}
	if (symbols)
		free(symbols->modules);
	free(symbols);
}

static struct symbol *find_in(struct module *module, uint64_t address)
{
	size_t low = 0, high;
	struct symbol *symbol;

	if (!module->is_read)
		module_read(module);
	if (!module->has_bias || !module->nr || address < module->bias)
		return NULL;
	address -= module->bias;
	for (high = module->nr; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (module->symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	symbol = &module->symbols[low - 1];
	while (symbol > module->symbols && symbol[-1].start == symbol->start)
		symbol--; /* the first of the aliases */
	if (address - symbol->start >= (symbol->bytes ? symbol->bytes : 1))
		return NULL;
	return symbol;
}

static const char *name_of(const struct symbols *symbols, struct symbol *symbol)
{
	if (symbols->is_demangled && !symbol->is_plain) {
		symbol->is_plain = true;
		symbol->plain = demangle(symbol->name);
	}
	return symbol->plain ? symbol->plain : symbol->name;
}

const char *symbols_find(struct symbols *symbols, uint64_t address, uint64_t *ret_distance)
{
	for (size_t i = symbols ? symbols->nr : 0; i--;) {
		struct module *module = &symbols->modules[i];
		struct symbol *symbol;

		if (address < module->start || address >= module->end)
			continue;
		symbol = find_in(module, address);
		if (!symbol)
			continue;
		*ret_distance = address - module->bias - symbol->start;
		return name_of(symbols, symbol);
	}
	return NULL;
}

void symbols_module(struct symbols *symbols, uint64_t address, struct symbols_module *ret_module)
{
	memset(ret_module, 0, sizeof(*ret_module));
	for (size_t i = symbols ? symbols->nr : 0; i--;) {
		struct module *module = &symbols->modules[i];

		if (address < module->start || address >= module->end)
			continue;
		if (!module->is_read)
			module_read(module);
		if (!module->is_whole &&
		    (!module->has_bias || address - module->bias >= module->load_end))
			continue;
		ret_module->path = module->elf ? module->path : NULL;
		ret_module->shown = module->shown;
		ret_module->address = address - module->bias;
		return;
	}
}
