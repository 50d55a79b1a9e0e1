/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashes what the command line does not show: the contents of the probe objects and which build of
 * the plugin runs. Paths and options are on the command line already.
 */
#include "cli/driver/hash.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpfcc/sha256.h"

static bool add_build_id_note(struct bpfcc_sha256 *hash, Elf_Data *notes)
{
	size_t at = 0, name_at, desc_at;
	GElf_Nhdr note;

	while ((at = gelf_getnote(notes, at, &note, &name_at, &desc_at)) > 0) {
		const char *bytes = notes->d_buf;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
		    memcmp(bytes + name_at, "GNU", 4) != 0)
			continue;
		bpfcc_sha256_update(hash, bytes + desc_at, note.n_descsz);
		return true;
	}
	return false;
}

/* False: the file has none. Reading it whole would cost more than a small compilation. */
static bool add_build_id(struct bpfcc_sha256 *hash, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_done = false;
	Elf_Scn *section = NULL;
	Elf *elf;

	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	while (elf && !is_done && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
			continue;
		data = elf_getdata(section, NULL);
		is_done = data && add_build_id_note(hash, data);
	}
	elf_end(elf);
	close(fd);
	return is_done;
}

static int add_file(struct bpfcc_arena *arena, struct bpfcc_sha256 *hash, const char *path)
{
	size_t bytes;
	char *data;
	int err = cc_file_read(arena, path, &data, &bytes);

	if (!err) {
		bpfcc_sha256_update(hash, &bytes, sizeof(bytes));
		bpfcc_sha256_update(hash, data, bytes);
	}
	return err;
}

int cc_hash(struct bpfcc_arena *arena, const struct cc_options *options,
	    const struct cc_paths *paths, char ret_text[CC_HASH_TEXT_BYTES], const char **ret_path)
{
	uint8_t digest[BPFCC_SHA256_BYTES];
	struct bpfcc_sha256 hash;
	int err = 0;

	bpfcc_sha256_init(&hash);
	bpfcc_sha256_update(&hash, INLAY_VERSION, sizeof(INLAY_VERSION));
	*ret_path = paths->plugin;
	if (!add_build_id(&hash, paths->plugin))
		err = add_file(arena, &hash, paths->plugin);
	for (size_t i = 0; i < options->probes.nr && !err; i++) {
		*ret_path = options->probes.items[i];
		err = add_file(arena, &hash, options->probes.items[i]);
	}
	if (options->target_btf && !err) {
		*ret_path = options->target_btf;
		err = add_file(arena, &hash, options->target_btf);
	}
	if (err)
		return err;
	bpfcc_sha256_final(&hash, digest);
	for (size_t i = 0; i < (CC_HASH_TEXT_BYTES - 1) / 2; i++)
		snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
	return 0;
}
