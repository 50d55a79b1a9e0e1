/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of libbpf's usdt.bpf.h. That header is compiled into each object and looks probes
 * up in maps that libbpf's loader fills from the notes of a running binary. A program that is inlaid
 * gets its arguments from the pass, so calls of these functions become calls of helpers of ours, and
 * the bodies and their maps are not used.
 */
#include <stddef.h>
#include <string.h>

#include "bpfcc/helpers.h"
#include "bpfcc/loader.h"

int32_t bpfcc_usdt_helper(const struct bpfcc_loader *l, const struct bpfcc_fn *fn)
{
	const struct bpfcc_helper *h;

	/* a function of the same name that the object's author wrote is static or a program */
	if (!fn->is_global || fn->placed || strncmp(fn->name, "bpf_usdt_", 9) ||
	    strcmp(l->elf.sections[fn->section].name, ".text"))
		return 0;
	for (uint32_t row = 0; (h = bpfcc_helper_row(row)) && h->id; row++)
		if (!strcmp(h->name, fn->name + strlen("bpf_")))
			return h->id;
	return 0;
}
