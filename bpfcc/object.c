/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens a probe object: the steps from a file to checked, relocated programs, in open_object().
 * What each step does is in its own file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bpfcc/btfcheck.h"
#include "bpfcc/helpers.h"
#include "bpfcc/loader.h"
#include "bpfcc/object_hash.h"
#include "bpfcc/prove.h"

#define MAX_FILE_BYTES (1u << 30)

static int read_file(struct bpfcc_loader *l, const char *path, void **ret_data, size_t *ret_size)
{
	FILE *f = fopen(path, "rbe");
	struct stat st;
	void *data;
	int err = 0;

	if (!f || fstat(fileno(f), &st)) {
		err = -errno;
		bpfcc_error(l->diag, NULL, NULL, "cannot read the file: %s", strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE_BYTES) {
		err = bpfcc_error(l->diag, NULL, NULL, "not a regular file of at most %u bytes",
				  MAX_FILE_BYTES);
		goto out;
	}
	data = bpfcc_arena_alloc(l->arena, (size_t)st.st_size);
	if (!data) {
		err = -ENOMEM;
		goto out;
	}
	*ret_size = fread(data, 1, (size_t)st.st_size, f);
	*ret_data = data;
	if (ferror(f)) {
		err = -EIO;
		bpfcc_error(l->diag, NULL, NULL, "cannot read the file: %s", strerror(EIO));
	}
out:
	if (f)
		fclose(f);
	return err;
}

static bool is_gpl_compatible(const char *license)
{
	/* the kernel's list, include/linux/license.h */
	static const char *const licenses[] = {"GPL", "GPL v2", "GPL and additional rights",
					       "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"};

	for (size_t i = 0; i < sizeof(licenses) / sizeof(licenses[0]); i++)
		if (!strcmp(licenses[i], license))
			return true;
	return false;
}

static int read_license(struct bpfcc_loader *l)
{
	const struct bpfcc_elf_section *s = bpfcc_elf_section(&l->elf, "license");

	l->object->license = s && s->data ? bpfcc_arena_strndup(l->arena, s->data,
								strnlen(s->data, s->bytes))
					  : "";
	if (!l->object->license)
		return -ENOMEM;
	l->object->is_gpl_compatible = is_gpl_compatible(l->object->license);
	return 0;
}

static int read_btf_ext(struct bpfcc_loader *l)
{
	const struct bpfcc_elf_section *s = bpfcc_elf_section(&l->elf, ".BTF.ext");
	const void *raw;
	void *copy;
	int err;

	if (!l->btf)
		return 0;
	raw = btf__raw_data(l->btf, &l->object->btf_bytes);
	if (!raw)
		return -ENOMEM;
	/* libbpf's bytes move when its BTF changes */
	l->object->btf_data = copy = bpfcc_arena_memdup(l->arena, raw, l->object->btf_bytes);
	l->object->btf = l->btf;
	if (!copy)
		return -ENOMEM;
	bpfcc_libbpf_restore(l, copy, l->object->btf_bytes);
	if (!s || !s->data)
		return 0;
	err = bpfcc_btfext_read(s->data, s->bytes, l->btf, l->arena, l->diag, &l->ext);
	l->object->relos = l->ext.relos;
	l->object->nr_relos = l->ext.nr_relos;
	return err;
}

static int check_btf(struct bpfcc_loader *l)
{
	const struct bpfcc_elf_section *s = bpfcc_elf_section(&l->elf, "maps");

	if (s && s->bytes)
		return bpfcc_error(
		    l->diag, NULL, "define them with BTF, in SEC(\".maps\"): __uint(type, ...)",
		    "section \"maps\" holds map definitions of before libbpf 1.0");
	s = bpfcc_elf_section(&l->elf, ".BTF");
	if (s && s->data)
		return bpfcc_btf_check(s->data, s->bytes, l->diag);
	if (bpfcc_elf_section(&l->elf, ".maps"))
		return bpfcc_error(
		    l->diag, NULL, "compile it with -g, and do not strip it",
		    "the object has no type information (BTF), which defines its maps");
	return 0;
}

static int make_progs(struct bpfcc_loader *l)
{
	struct bpfcc_object *o = l->object;
	int err = 0;

	/* programs are the first functions: funcs.c found them before any subprogram */
	while (o->nr_progs < o->nr_funcs && l->fns[l->order[o->nr_progs]].placed)
		o->nr_progs++;
	o->progs = bpfcc_arena_array(l->arena, o->nr_progs, sizeof(*o->progs));
	if (!o->progs)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->nr_progs && !err; i++) {
		const struct bpfcc_section *s = l->fns[l->order[i]].placed;

		o->progs[i] = (struct bpfcc_prog){
			.func = &o->funcs[i],
			.name = o->funcs[i].name,
			.section = o->funcs[i].section,
			.kind = s->prog_kind,
			.flags = s->is_multi ? BPFCC_PROG_MULTI : 0,
			.index = i,
			.path = s->path,
			.function = s->function,
		};
		err = bpfcc_tags_apply(l, &o->progs[i]);
	}
	return err ? err : bpfcc_tags_attach(l);
}

/* The list of functions grows while it is worked on: calls add what they reach. */
static int relocate(struct bpfcc_loader *l)
{
	int err = 0;

	for (uint32_t i = 0; i < l->object->nr_funcs && !err; i++)
		err = bpfcc_reloc_func(l, i);
	return err;
}

static int open_object(struct bpfcc_loader *l, const void *data, size_t size)
{
	struct inlay_bpfcc_object *h = l->handle;
	int err;

	if (!data)
		err = read_file(l, l->object->path, (void **)&data, &size);
	else
		err = 0;
	if (!err)
		err = bpfcc_elf_read(data, size, l->arena, l->diag, &l->elf);
	if (!err)
		err = check_btf(l);
	if (!err)
		err = bpfcc_libbpf_copy(l, &data, size);
	if (!err)
		err = bpfcc_libbpf_open(l, data, size);
	h->data.impl = l->bpf;
	if (!err)
		err = read_license(l);
	if (!err)
		err = read_btf_ext(l);
	if (!err)
		err = bpfcc_maps_find(l);
	if (!err)
		err = bpfcc_config_maps(l);
	if (!err)
		err = bpfcc_config_kernel(l);
	if (!err)
		err = bpfcc_config_sets(l);
	if (!err)
		err = bpfcc_funcs_find(l);
	if (!err)
		err = make_progs(l);
	if (!err)
		err = relocate(l);
	if (!err)
		err = bpfcc_prove(h, l->is_arm64 ? 34 * 8 : 21 * 8);
	if (err == -EINVAL && l->object->nr_progs > 1)
		bpfcc_report(l->diag, INLAY_BPFCC_NOTE, NULL, NULL,
			     "one refused program refuses the object, which has %u: --skip PROGRAM "
			     "leaves one out (inlay-cc: -finlay-skip=PROGRAM)",
			     l->object->nr_progs);
	if (!err)
		err = bpfcc_object_hash(l->object, &h->opts);
	if (!err && !l->object->nr_progs)
		bpfcc_report(l->diag, INLAY_BPFCC_WARNING, NULL,
			     "programs for Inlay are in sections like SEC(\"uprobe/FUNCTION\")",
			     "the object has no user probe program: nothing comes of it");
	return err;
}

static bool targets_arm64(const char *target)
{
#ifdef __aarch64__
	if (!target)
		return true;
#endif
	return target && (!strncmp(target, "aarch64", 7) || !strncmp(target, "arm64", 5));
}

int inlay_bpfcc_object_open(const char *path, const void *data, size_t size,
			    const struct inlay_bpfcc_opts *opts,
			    struct inlay_bpfcc_object **ret_object)
{
	struct inlay_bpfcc_object *h;
	struct inlay_bpfcc_opts lists;
	struct bpfcc_loader l;
	int err;

	*ret_object = NULL;
	err = bpfcc_handle_new(path, opts, &lists, &h);
	if (err)
		return err;
	l = (struct bpfcc_loader){.handle = h, .object = &h->data, .arena = h->data.arena,
				  .diag = &h->diag, .opts = &lists,
				  .is_arm64 = targets_arm64(h->opts.target)};
	err = open_object(&l, data, size);
	btf__free(l.target);
	btf__free(l.tasks);
	if (err) {
		inlay_bpfcc_object_free(h);
		return err;
	}
	*ret_object = h;
	return 0;
}
