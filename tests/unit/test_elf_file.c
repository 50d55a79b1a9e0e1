/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug files by .gnu_debuglink: which one is taken, and that none takes long to be refused. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <gelf.h>

#include "cli/inlay/elf_file.h"

static char dir[] = "/tmp/inlay-elf-file-XXXXXX";

static void add_section(Elf *elf, uint32_t type, uint32_t name, void *bytes, size_t nr)
{
	Elf_Scn *section = elf_newscn(elf);
	Elf_Data *data = elf_newdata(section);
	GElf_Shdr header;

	data->d_buf = bytes;
	data->d_size = nr;
	data->d_align = 8;
	data->d_type = type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE;
	gelf_getshdr(section, &header);
	header.sh_type = type;
	header.sh_name = name;
	header.sh_entsize = type == SHT_SYMTAB ? sizeof(Elf64_Sym) : 0;
	assert_true(gelf_update_shdr(section, &header));
}

/* With a .gnu_debuglink, or with symbols: what is NULL is left out. */
static void write_elf(const char *path, const char *link, uint32_t checksum, bool has_symbols)
{
	static char names[] = "\0.shstrtab\0.gnu_debuglink\0.symtab";
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char link_bytes[64] = "";
	Elf64_Sym symbols[1] = { { 0 } };
	GElf_Ehdr head;
	Elf *elf;

	assert_true(fd >= 0);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	assert_true(gelf_newehdr(elf, ELFCLASS64));
	if (link) {
		size_t at = (strlen(link) + 4) & ~(size_t)3;

		strcpy(link_bytes, link);
		memcpy(link_bytes + at, &checksum, sizeof(checksum));
		add_section(elf, SHT_PROGBITS, 11, link_bytes, at + sizeof(checksum));
	}
	if (has_symbols)
		add_section(elf, SHT_SYMTAB, 26, symbols, sizeof(symbols));
	add_section(elf, SHT_STRTAB, 1, names, sizeof(names));
	assert_true(gelf_getehdr(elf, &head));
	head.e_type = ET_DYN;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	head.e_shstrndx = (GElf_Half)(1 + !!link + has_symbols);
	assert_true(gelf_update_ehdr(elf, &head));
	assert_true(elf_update(elf, ELF_C_WRITE) > 0);
	elf_end(elf);
	close(fd);
}

/* A bit at a time, as the standard has it. */
static uint32_t checksum_of(const char *path)
{
	FILE *file = fopen(path, "re");
	uint32_t crc = ~0u;
	int c;

	assert_non_null(file);
	while ((c = getc(file)) != EOF) {
		crc ^= (uint32_t)c;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	fclose(file);
	return ~crc;
}

/* The debug file of DIR/NAME; "": none. */
static const char *debug_file(const char *name)
{
	static char found[128];
	struct elf_file file, debug;
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	found[0] = 0;
	assert_int_equal(elf_file_open(path, &file), 0);
	if (!elf_debug_file_open(file.elf, path, "", &debug))
		snprintf(found, sizeof(found), "%s", debug.path + strlen(dir) + 1);
	elf_file_close(&debug);
	elf_file_close(&file);
	return found;
}

static void test_checksum(void **state)
{
	uint32_t checksum;

	(void)state;
	write_elf("program.debug", NULL, 0, true);
	checksum = checksum_of("program.debug");
	write_elf("program", "program.debug", checksum, false);
	assert_string_equal(debug_file("program"), "program.debug");
	write_elf("program", "program.debug", checksum ^ 1, false);
	assert_string_equal(debug_file("program"), "");
	/* it has symbols itself */
	write_elf("program", "program.debug", checksum, true);
	assert_string_equal(debug_file("program"), "");
	/* which the debug file has not */
	write_elf("program.debug", NULL, 0, false);
	write_elf("program", "program.debug", checksum_of("program.debug"), false);
	assert_string_equal(debug_file("program"), "");
}

static void test_names(void **state)
{
	static const char *const names[] = {
		"", "..", "/program.debug", "a/program.debug", "fifo", "none",
	};
	uint32_t checksum;

	(void)state;
	write_elf("program.debug", NULL, 0, true);
	checksum = checksum_of("program.debug");
	mkfifo("fifo", 0600);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		write_elf("program", names[i], checksum, false);
		assert_string_equal(debug_file("program"), "");
	}
}

/* A file with a hole of eight gibibytes costs its maker nothing. */
static void test_large(void **state)
{
	clock_t start;

	(void)state;
	write_elf("program.debug", NULL, 0, true);
	write_elf("program", "program.debug", 1, false);
	if (truncate("program.debug", 8l << 30)) {
		print_message("skipped: no files of that size here\n");
		skip();
	}
	start = clock();
	assert_string_equal(debug_file("program"), "");
	assert_true(clock() - start < CLOCKS_PER_SEC);
}

static int enter(void **state)
{
	(void)state;
	elf_version(EV_CURRENT);
	return !mkdtemp(dir) || chdir(dir);
}

static int leave(void **state)
{
	(void)state;
	unlink("program");
	unlink("program.debug");
	unlink("fifo");
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
