/* SPDX-License-Identifier: BSD-2-Clause */
/* Inlined functions by libdw; files stay open until the end. See inlines.h. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/inlay/inlines.h"

struct file {
	char *path;
	int fd;
	Dwarf *dwarf;	/* NULL: none */
};

struct inlines {
	struct file *files;
	size_t nr;
};

struct inlines *inlines_new(void)
{
	return calloc(1, sizeof(struct inlines));
}

void inlines_free(struct inlines *inlines)
{
	for (size_t i = 0; inlines && i < inlines->nr; i++) {
		dwarf_end(inlines->files[i].dwarf);
		if (inlines->files[i].fd >= 0)
			close(inlines->files[i].fd);
		free(inlines->files[i].path);
	}
	if (inlines)
		free(inlines->files);
	free(inlines);
}

static struct file *file_of(struct inlines *inlines, const char *path)
{
	struct file *more;

	for (size_t i = 0; i < inlines->nr; i++)
		if (!strcmp(inlines->files[i].path, path))
			return &inlines->files[i];
	more = reallocarray(inlines->files, inlines->nr + 1, sizeof(*more));
	if (!more)
		return NULL;
	inlines->files = more;
	more = &more[inlines->nr];
	*more = (struct file){ .path = strdup(path), .fd = -1 };
	if (!more->path)
		return NULL;
	inlines->nr++;
	more->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (more->fd >= 0)
		more->dwarf = dwarf_begin(more->fd, DWARF_C_READ);
	return more;
}

/* Compilers do not always write the table of addresses, so the units are asked one by one. */
static bool find_unit(Dwarf *dwarf, uint64_t address, Dwarf_Die *ret_unit)
{
	Dwarf_CU *unit = NULL;
	uint8_t type;

	while (!dwarf_get_units(dwarf, unit, &unit, NULL, &type, ret_unit, NULL))
		if (type == DW_UT_compile && dwarf_haspc(ret_unit, address) > 0)
			return true;
	return false;
}

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = NULL;

	/* as in symbol tables, where there is such a name */
	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr))
		name = dwarf_formstring(&attr);
	return name ? name : dwarf_diename(die);
}

void inlines_find(struct inlines *inlines, const char *path, uint64_t address,
		  struct inline_frames *ret_frames)
{
	struct file *file = inlines && path ? file_of(inlines, path) : NULL;
	Dwarf_Die unit, *around = NULL, *scopes = NULL;
	int nr;

	ret_frames->nr = 0;
	if (!file || !file->dwarf || !find_unit(file->dwarf, address, &unit))
		return;
	/* the scopes of the inlined function's source come first; those of its place are wanted */
	nr = dwarf_getscopes(&unit, address, &around);
	if (nr > 0)
		nr = dwarf_getscopes_die(&around[0], &scopes);
	for (int i = 0; i < nr && ret_frames->nr < INLINES_MAX; i++) {
		const char *name;

		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		name = name_of(&scopes[i]);
		ret_frames->names[ret_frames->nr++] = name ? name : "?";
	}
	free(scopes);
	free(around);
}
