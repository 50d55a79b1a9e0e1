/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbol tables of a target's modules, read at first need. See symbols.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gelf.h>

#include "cli/inlay/demangle.h"
#include "cli/inlay/elf_file.h"
#include "cli/inlay/symbols.h"

struct symbol {
	uint64_t start, bytes;	/* as in the file, without the load bias */
	const char *name;	/* in the ELF data of the module or of its debug file */
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
	bool has_dwarf;		/* in `file` itself; once that is read */
	bool is_whole;		/* start and end are those of the file, and not of one mapping */
	uint8_t build_id[INLAY_BUILD_ID_BYTES];	/* that the file must have */
	uint32_t build_id_bytes;		/* 0: any */
	struct elf_file file;
	struct elf_file debug;	/* what was stripped off it */
	struct symbol *symbols;
	size_t nr;
};

struct symbols {
	struct module *modules;	/* the first is the executable; of two that fit, the last counts */
	size_t nr;
	bool is_demangled;
	char root[32];		/* of the target that lives, to go before its paths; else empty */
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

static void read_table(struct module *module, Elf *elf, Elf_Scn *section)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Shdr header;
	size_t nr, i;

	if (!data || !gelf_getshdr(section, &header) || !header.sh_entsize)
		return;
	nr = data->d_size / header.sh_entsize;
	for (i = 0; i < nr && i < INT_MAX; i++) {
		struct symbol *more;
		GElf_Sym sym;
		const char *name;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF ||
		    (GELF_ST_TYPE(sym.st_info) != STT_FUNC &&
		     GELF_ST_TYPE(sym.st_info) != STT_GNU_IFUNC))
			continue;
		name = elf_strptr(elf, header.sh_link, sym.st_name);
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

	elf_getphdrnum(module->file.elf, &nr);
	for (size_t i = 0; i < nr && i < INT_MAX; i++)
		if (gelf_getphdr(module->file.elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    header.p_vaddr + header.p_memsz > module->load_end)
			module->load_end = header.p_vaddr + header.p_memsz;
}

/* A mapping's load bias: where it is, minus where its segment says that it should be. */
static void find_bias(struct module *module)
{
	size_t nr = 0;

	elf_getphdrnum(module->file.elf, &nr);
	for (size_t i = 0; i < nr && i < INT_MAX; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(module->file.elf, (int)i, &header) || header.p_type != PT_LOAD)
			continue;
		if (module->file_off < (header.p_offset & ~0xfffull) ||
		    module->file_off - (header.p_offset & ~0xfffull) >= header.p_filesz + 0xfff)
			continue;
		module->bias = module->start - (module->file_off - header.p_offset) -
			       header.p_vaddr;
		module->has_bias = true;
	}
}

/* Whether it is the file that the target had: it may have been replaced since. */
static bool is_same_file(const struct module *module)
{
	const uint8_t *id;

	return !module->build_id_bytes ||
	       (elf_build_id(module->file.elf, &id) >= module->build_id_bytes &&
		!memcmp(id, module->build_id, module->build_id_bytes));
}

static bool read_tables(struct module *module, Elf *elf, uint32_t type)
{
	Elf_Scn *section = elf ? elf_section_find(elf, type, NULL) : NULL;

	if (section)
		read_table(module, elf, section);
	return section;
}

static void module_read(struct symbols *symbols, struct module *module)
{
	Elf *elf;

	module->is_read = true;
	if (elf_file_open(module->path, &module->file))
		return;
	if (!is_same_file(module)) {
		elf_file_close(&module->file);
		return;
	}
	elf = module->file.elf;
	if (!module->has_bias)
		find_bias(module);
	find_end(module);
	module->has_dwarf = elf_has_dwarf(elf);
	if (!elf_section_find(elf, SHT_SYMTAB, NULL) || !module->has_dwarf)
		elf_debug_file_open(elf, module->shown, symbols->root, &module->debug);
	if (!read_tables(module, elf, SHT_SYMTAB) &&
	    !read_tables(module, module->debug.elf, SHT_SYMTAB))
		read_tables(module, elf, SHT_DYNSYM);
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
	more->file.fd = more->debug.fd = -1;
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

static int by_turn(const void *a, const void *b)
{
	const struct inlay_module_info *x = a, *y = b;

	return x->turn == y->turn ? 0 : x->turn < y->turn ? -1 : 1;
}

static bool add_one(struct symbols *symbols, const struct inlay_module_info *info, uint64_t exe_base,
		    uint32_t live_pid)
{
	char path[sizeof(info->path) + 64];
	struct module *module;

	snprintf(path, sizeof(path), "%s", info->path);
	if (live_pid && *info->path == '/')
		snprintf(path, sizeof(path), "/proc/%u/root%s", live_pid, info->path);
	if (symbols->nr && info->bias == exe_base &&
	    is_same_path(info->path, symbols->modules->shown))
		module = symbols->modules;
	else
		module = add_module(symbols, path, info->path);
	if (!module)
		return false;
	module->start = info->start;
	module->end = info->end;
	module->bias = info->bias;
	module->has_bias = true;
	module->is_whole = true;
	memcpy(module->build_id, info->build_id, sizeof(module->build_id));
	module->build_id_bytes = info->build_id_bytes;
	return true;
}

/* What the target itself has written down: libraries that are unloaded, or of which no /proc tells. */
static void add_recorded(struct symbols *symbols, struct inlay_reader *reader, uint64_t exe_base,
			 uint32_t live_pid)
{
	struct inlay_module_info *infos = calloc(INLAY_SEGMENT_MAX_MODULES, sizeof(*infos));
	size_t nr = 0;
	int err = 0;

	for (uint32_t i = 0; infos && err != -ENOENT && i < INLAY_SEGMENT_MAX_MODULES; i++) {
		infos[nr].sz = sizeof(infos[nr]);
		err = inlay_segment_module(reader, i, &infos[nr]);
		nr += !err;
	}
	if (nr)
		qsort(infos, nr, sizeof(*infos), by_turn);
	for (size_t i = 0; i < nr && add_one(symbols, &infos[i], exe_base, live_pid); i++)
		;
	free(infos);
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
	if (is_live)
		snprintf(symbols->root, sizeof(symbols->root), "/proc/%u/root", info.pid);
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
		elf_file_close(&symbols->modules[i].debug);
		elf_file_close(&symbols->modules[i].file);
	}
	if (symbols)
		free(symbols->modules);
	free(symbols);
}

static struct symbol *find_in(struct symbols *symbols, struct module *module, uint64_t address)
{
	size_t low = 0, high;
	struct symbol *symbol;

	if (!module->is_read)
		module_read(symbols, module);
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

static bool holds(const struct symbols *symbols, size_t i, struct symbols_place place)
{
	const struct module *module = &symbols->modules[i];

	return place.file ? place.file == i + 1 :
			    place.address >= module->start && place.address < module->end;
}

const char *symbols_find_at(struct symbols *symbols, struct symbols_place place,
			    uint64_t *ret_distance)
{
	for (size_t i = symbols ? symbols->nr : 0; i--;) {
		struct module *module = &symbols->modules[i];
		struct symbol *symbol;

		if (!holds(symbols, i, place))
			continue;
		symbol = find_in(symbols, module, place.address);
		if (!symbol)
			continue;
		*ret_distance = place.address - module->bias - symbol->start;
		return name_of(symbols, symbol);
	}
	return NULL;
}

const char *symbols_find(struct symbols *symbols, uint64_t address, uint64_t *ret_distance)
{
	return symbols_find_at(symbols, (struct symbols_place){ .address = address }, ret_distance);
}

void symbols_module_at(struct symbols *symbols, struct symbols_place place,
		       struct symbols_module *ret_module)
{
	memset(ret_module, 0, sizeof(*ret_module));
	for (size_t i = symbols ? symbols->nr : 0; i--;) {
		struct module *module = &symbols->modules[i];

		if (!holds(symbols, i, place))
			continue;
		if (!module->is_read)
			module_read(symbols, module);
		if (!module->is_whole &&
		    (!module->has_bias || place.address - module->bias >= module->load_end))
			continue;
		/* where the DWARF is */
		ret_module->path = module->has_dwarf ? module->path : module->debug.path;
		ret_module->shown = module->shown;
		ret_module->address = place.address - module->bias;
		return;
	}
}

void symbols_module(struct symbols *symbols, uint64_t address, struct symbols_module *ret_module)
{
	symbols_module_at(symbols, (struct symbols_place){ .address = address }, ret_module);
}

static bool has_build_id(const struct module *module, const uint8_t *build_id)
{
	static const uint8_t zeros[INLAY_BUILD_ID_BYTES];
	size_t bytes = module->build_id_bytes;

	return bytes && bytes <= INLAY_BUILD_ID_BYTES && !memcmp(module->build_id, build_id, bytes) &&
	       !memcmp(build_id + bytes, zeros, INLAY_BUILD_ID_BYTES - bytes);
}

/* Where the file's program headers load that byte; 0: nowhere. */
static uint64_t loaded_at(const struct module *module, uint64_t file_off)
{
	size_t nr = 0;

	elf_getphdrnum(module->file.elf, &nr);
	for (size_t i = 0; i < nr && i < INT_MAX; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(module->file.elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    file_off >= header.p_offset && file_off - header.p_offset < header.p_filesz)
			return module->bias + header.p_vaddr + (file_off - header.p_offset);
	}
	return 0;
}

struct symbols_place symbols_place(struct symbols *symbols, const uint8_t *build_id, uint64_t file_off)
{
	struct symbols_place place = { 0 };

	for (size_t i = symbols ? symbols->nr : 0; i--;) {
		struct module *module = &symbols->modules[i];

		if (!module->is_whole || !has_build_id(module, build_id))
			continue;
		if (!module->is_read)
			module_read(symbols, module);
		place.address = module->file.elf ? loaded_at(module, file_off) : 0;
		/* a frame's call is looked for in front of its address */
		place.address = place.address ? place.address : module->start + 1;
		place.file = i + 1;
		break;
	}
	return place;
}
