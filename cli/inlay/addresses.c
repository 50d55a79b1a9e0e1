/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks as addresses. See addresses.h. */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/addresses.h"

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

bool frame_at(const struct inlay_map_info *info, const void *value, uint32_t i,
	      struct frame *ret_frame)
{
	struct bpf_stack_build_id id;

	memset(ret_frame, 0, sizeof(*ret_frame));
	if (!has_build_ids(info)) {
		memcpy(&ret_frame->address, (const char *)value + i * sizeof(ret_frame->address),
		       sizeof(ret_frame->address));
		return ret_frame->address;
	}
	memcpy(&id, (const char *)value + i * sizeof(id), sizeof(id));
	ret_frame->has_id = id.status == BPF_STACK_BUILD_ID_VALID;
	if (ret_frame->has_id) {
		ret_frame->file_off = id.offset;
		memcpy(ret_frame->build_id, id.build_id, sizeof(ret_frame->build_id));
	} else {
		ret_frame->address = id.status == BPF_STACK_BUILD_ID_IP ? id.ip : 0;
	}
	return ret_frame->has_id || ret_frame->address;
}

struct symbols_place frame_place(const struct frame *frame, struct symbols *symbols)
{
	if (frame->has_id)
		return symbols_place(symbols, frame->build_id, frame->file_off);
	return (struct symbols_place){ .address = frame->address };
}

static const char *id_text(const struct frame *frame, char *buffer)
{
	for (size_t i = 0; i < sizeof(frame->build_id); i++)
		sprintf(buffer + 2 * i, "%02x", frame->build_id[i]);
	return buffer;
}

const char *frame_text(const struct frame *frame, char *buffer)
{
	size_t at = frame->has_id ? strlen(id_text(frame, buffer)) : 0;

	snprintf(buffer + at, FRAME_TEXT_BYTES - at, "%s0x%" PRIx64, at ? "+" : "",
		 frame->has_id ? frame->file_off : frame->address);
	return buffer;
}

void frame_json(const struct frame *frame, json_t *json)
{
	char text[FRAME_TEXT_BYTES];

	if (frame->has_id) {
		json_object_set_new(json, "build_id", json_string(id_text(frame, text)));
		snprintf(text, sizeof(text), "0x%" PRIx64, frame->file_off);
		json_object_set_new(json, "file_offset", json_string(text));
	} else {
		json_object_set_new(json, "address", json_string(frame_text(frame, text)));
	}
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
static void put_name(struct addresses *addresses, FILE *out, struct symbols_place place)
{
	struct symbols_module module;
	char safe[1024];
	uint64_t off;
	const char *name = symbols_find_at(addresses->symbols, place, &off);

	symbols_module_at(addresses->symbols, place, &module);
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
	uint32_t max = addresses_max(addresses->info);
	char text[FRAME_TEXT_BYTES];
	struct frame frame;

	for (uint32_t i = 0; i < max && frame_at(addresses->info, value, i, &frame); i++) {
		fputs(addresses->symbols ? "\n    " : i ? " " : "", out);
		fputs(frame_text(&frame, text), out);
		if (addresses->symbols)
			put_name(addresses, out, frame_place(&frame, addresses->symbols));
	}
	fputc('\n', out);
}

static json_t *named_json(struct addresses *addresses, const struct frame *frame)
{
	struct symbols_place place = frame_place(frame, addresses->symbols);
	struct symbols_module module;
	json_t *json = json_object();
	const char *name;
	uint64_t off;

	frame_json(frame, json);
	name = symbols_find_at(addresses->symbols, place, &off);
	if (name) {
		json_object_set_new(json, "symbol", json_text(name));
		json_object_set_new(json, "offset", json_u64(off));
	}
	symbols_module_at(addresses->symbols, place, &module);
	if (module.shown)
		json_object_set_new(json, "module", json_text(module.shown));
	return json;
}

/* Without names an address is a string; a place in a file has two parts. */
json_t *addresses_json(struct addresses *addresses, const void *value)
{
	uint32_t max = addresses_max(addresses->info);
	json_t *array = json_array(), *json;
	char text[FRAME_TEXT_BYTES];
	struct frame frame;

	for (uint32_t i = 0; i < max && frame_at(addresses->info, value, i, &frame); i++) {
		if (addresses->symbols) {
			json = named_json(addresses, &frame);
		} else if (frame.has_id) {
			json = json_object();
			frame_json(&frame, json);
		} else {
			json = json_string(frame_text(&frame, text));
		}
		json_array_append_new(array, json);
	}
	return array;
}
