/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the target's types come from: a file that the user names, with BTF or DWARF, or whoever opens
 * the object (the plugin, from the debug information of the file that it compiles). Read when the
 * first relocation asks for one.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bpfcc/btfcheck.h"
#include "bpfcc/dwarf_types.h"
#include "bpfcc/libbpf_print.h"
#include "bpfcc/loader.h"

static int read_file(struct bpfcc_loader *l, const char *path)
{
	struct bpfcc_diag quiet = {0};
	const char *why = NULL;
	const void *data = NULL;
	uint32_t bytes;
	int err;

	bpfcc_libbpf_begin(&quiet); /* a file without BTF is no news: DWARF comes next */
	l->target = btf__parse(path, NULL);
	err = l->target ? 0 : -errno;
	bpfcc_libbpf_end();
	if (err && err != -ENOMEM)
		err = access(path, R_OK) ? -errno : bpfcc_dwarf_types(path, &l->target, &why);
	if (!err)
		data = btf__raw_data(l->target, &bytes);
	if (!err && (!data || bpfcc_btf_check(data, bytes, &quiet))) {
		err = -EINVAL;
		why = "its BTF is damaged";
	}
	if (!err || err == -ENOMEM)
		return err;
	return bpfcc_error(l->diag, NULL,
			   "give it BTF, or an ELF file with section .BTF or compiled with -g",
			   "cannot read types from %s: %s", path, why ? why : strerror(-err));
}

static int ask(struct bpfcc_loader *l)
{
	const void *data;
	size_t bytes = 0;

	data = l->opts->on_target_btf(l->opts->on_target_btf_arg, &bytes);
	if (!data)
		return 0;
	l->target = btf__new(data, (uint32_t)bytes);
	return l->target ? 0 : -errno;
}

int bpfcc_target_types(struct bpfcc_loader *l)
{
	int err = 0;

	if (l->is_target_read)
		return 0;
	l->is_target_read = true;
	if (l->opts->target_btf)
		err = read_file(l, l->opts->target_btf);
	else if (l->opts->on_target_btf)
		err = ask(l);
	return err;
}
