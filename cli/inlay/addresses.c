/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks as addresses. See addresses.h. */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/addresses.h"
#include "cli/inlay/symbols.h"

struct addresses {
	const struct inlay_map_info *info;
	struct symbols *symbols;	/* NULL: numbers only */
};

static bool has_build_ids(const struct inlay_map_info *info)
{
	return info->map_flags & BPF_F_STACK_BUILD_ID;
}

uint32_t addresses_max(const struct inlay_map_info *info)
{
	return info->value_size / (has_build_ids(info) ? sizeof(struct bpf_stack_build_id) : 8);
}

uint64_t address_at(const struct inlay_map_info *info, const void *value, uint32_t i)
{
	struct bpf_stack_build_id id;
	uint64_t ip;

	if (has_build_ids(info)) {
		memcpy(&id, (const char *)value + i * sizeof(id), sizeof(id));
		return id.status == BPF_STACK_BUILD_ID_IP ? id.ip : 0;
	}
	memcpy(&ip, (const char *)value + i * sizeof(ip), sizeof(ip));
	return ip;
}

int addresses_new(const struct args *args, struct inlay_reader *reader,
		  const struct inlay_map_info *info, struct addresses **ret_addresses)
{
	struct addresses *addresses = calloc(1, sizeof(*addresses));

	if (!addresses)
		return -ENOMEM;
	addresses->info = info;
	if (args->sym > 0)
		addresses->symbols = symbols_new(reader, !args->is_mangled);
	*ret_addresses = addresses;
	return 0;
}

void addresses_free(struct addresses *addresses)
{
	if (addresses)
		symbols_free(addresses->symbols);
	free(addresses);
}

/* " work+0x1c (libfoo.so)", or nothing. Return addresses are named as they are, not their calls. */
static void put_name(struct addresses *addresses, FILE *out, uint64_t ip)
{
	struct symbols_module module;
	char safe[1024];
	uint64_t off;
	const char *name = symbols_find(addresses->symbols, ip, &off);

	symbols_module(addresses->symbols, ip, &module);
	if (name && off)
		fprintf(out, " %s+0x%" PRIx64, escape(name, safe, sizeof(safe)), off);
	else if (name)
		fprintf(out, " %s", escape(name, safe, sizeof(safe)));
	if (module.shown) {
		const char *slash = strrchr(module.shown, '/');

		fprintf(out, " %s(%s)%s", paint(PAINT_DIM),
			escape(slash ? slash + 1 : module.shown, safe, sizeof(safe)),
			paint(PAINT_NONE));
	}
}

void addresses_put(struct addresses *addresses, FILE *out, const void *value)
{
	uint32_t max = addresses_max(addresses->info), i;
	uint64_t ip;

	for (i = 0; i < max && (ip = address_at(addresses->info, value, i)); i++) {
		fputs(addresses->symbols ? "\n    " : i ? " " : "", out);
		fprintf(out, "0x%" PRIx64, ip);
		if (addresses->symbols)
			put_name(addresses, out, ip);
	}
	fputc('\n', out);
}

json_t *addresses_json(struct addresses *addresses, const void *value)
{
	uint32_t max = addresses_max(addresses->info);
	json_t *array = json_array();
	uint64_t ip, off;

	for (uint32_t i = 0; i < max && (ip = address_at(addresses->info, value, i)); i++) {
		struct symbols_module module;
		json_t *frame = json_object();
		char text[24];
		const char *name;

		snprintf(text, sizeof(text), "0x%" PRIx64, ip);
		if (!addresses->symbols) {
			json_decref(frame);
			json_array_append_new(array, json_string(text));
			continue;
		}
		json_object_set_new(frame, "address", json_string(text));
		name = symbols_find(addresses->symbols, ip, &off);
		if (name) {
			json_object_set_new(frame, "symbol", json_text(name));
			json_object_set_new(frame, "offset", json_u64(off));
		}
		symbols_module(addresses->symbols, ip, &module);
		if (module.shown)
			json_object_set_new(frame, "module", json_text(module.shown));
		json_array_append_new(array, frame);
	}
	return array;
}
