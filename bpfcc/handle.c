/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public handle: made before there is anything in it, so that messages have a place to go.
 */
#include "bpfcc/handle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

/* File name without directory, ".bpf.o" and ".o". */
static const char *object_name(struct bpfcc_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t bytes = strlen(name);

	if (bytes > 6 && !strcmp(name + bytes - 6, ".bpf.o"))
		bytes -= 6;
	else if (bytes > 2 && !strcmp(name + bytes - 2, ".o"))
		bytes -= 2;
	return bpfcc_arena_strndup(arena, name, bytes);
}

/* What is used after opening, too. */
static int copy_opts(struct inlay_bpfcc_object *h, const struct inlay_bpfcc_opts *opts)
{
	if (opts) {
		size_t bytes = opts->sz < sizeof(h->opts) ? opts->sz : sizeof(h->opts);

		/* of a newer header: what is not set there is no matter */
		for (size_t i = sizeof(h->opts); i < opts->sz; i++)
			if (((const char *)opts)[i])
				return -E2BIG;
		memcpy(&h->opts, opts, bytes);
	}
	h->opts.sz = sizeof(h->opts);
	if (h->opts.target) {
		h->opts.target = bpfcc_arena_strdup(h->data.arena, h->opts.target);
		if (!h->opts.target)
			return -ENOMEM;
	}
	return 0;
}

int bpfcc_handle_new(const char *path, const struct inlay_bpfcc_opts *opts,
		     struct inlay_bpfcc_opts *ret_lists, struct inlay_bpfcc_object **ret_handle)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct inlay_bpfcc_object *h;
	int err;

	*ret_handle = NULL;
	if (!arena)
		return -ENOMEM;
	h = bpfcc_arena_alloc(arena, sizeof(*h));
	if (!h) {
		bpfcc_arena_free(arena);
		return -ENOMEM;
	}
	h->data.arena = arena;
	h->data.path = bpfcc_arena_strdup(arena, path);
	h->data.name = object_name(arena, path);
	err = h->data.path && h->data.name ? copy_opts(h, opts) : -ENOMEM;
	if (err) {
		bpfcc_arena_free(arena);
		return err;
	}
	h->diag = (struct bpfcc_diag){.fn = h->opts.on_message,
				      .arg = h->opts.on_message_arg,
				      .path = h->data.path,
				      .object = &h->data};
	*ret_lists = h->opts;
	h->opts.sets = h->opts.maps = h->opts.attaches = h->opts.skips = NULL;
	h->opts.nr_sets = h->opts.nr_maps = h->opts.nr_attaches = h->opts.nr_skips = 0;
	h->opts.program = NULL;
	h->opts.target_btf = NULL;
	h->opts.on_target_btf = NULL;
	*ret_handle = h;
	return 0;
}

void inlay_bpfcc_object_free(struct inlay_bpfcc_object *object)
{
	if (!object)
		return;
	bpf_object__close(object->data.impl);
	bpfcc_arena_free(object->data.arena);
}

void inlay_bpfcc_object_hash(const struct inlay_bpfcc_object *object, char ret_hex[33])
{
	for (int i = 0; i < 16; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", object->data.hash[i]);
}

const char *inlay_bpfcc_version(void)
{
	return INLAY_VERSION;
}

const struct bpfcc_object *inlay_bpfcc_object_data(const struct inlay_bpfcc_object *object)
{
	return &object->data;
}
