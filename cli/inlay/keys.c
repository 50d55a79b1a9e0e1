/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys as text. See keys.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/keys.h"
#include "cli/inlay/out.h"
#include "cli/inlay/symbols.h"
#include "cli/inlay/typed.h"

struct keys {
	struct inlay_map_info info;
	const struct btf *btf;
	struct symbols *symbols;
	bool is_named;
	bool is_exact;	/* only starts of functions are named */
	bool is_guessed; /* whether to name them follows from the keys */
};

static bool may_be_address(const struct keys *keys)
{
	return keys->info.key_size == 8 && keys->info.type != INLAY_MAP_TYPE_ARRAY &&
	       keys->info.type != INLAY_MAP_TYPE_PERCPU_ARRAY;
}

static const char *find(const struct keys *keys, const void *key, uint64_t *ret_distance)
{
	uint64_t address;

	memcpy(&address, key, sizeof(address));
	return address ? symbols_find(keys->symbols, address, ret_distance) : NULL;
}

static int look_at_keys(struct keys *keys, struct inlay_map *map)
{
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	uint64_t distance;
	bool all = true;
	int err = inlay_map_iter_new(map, &iter), nr;

	if (err)
		return err;
	for (nr = 0; all && nr < 1024; nr++) {
		const char *name;

		err = inlay_map_iter_next(iter, &entry);
		if (err)
			break;
		name = find(keys, entry->key, &distance);
		all = name && !distance;
	}
	inlay_map_iter_free(iter);
	keys->is_named = all && nr;
	keys->is_exact = true;
	return err == -ENOENT ? 0 : err;
}

int keys_refresh(struct keys *keys, struct inlay_map *map)
{
	return keys->is_guessed && !keys->is_named ? look_at_keys(keys, map) : 0;
}

int keys_new(const struct args *args, struct inlay_reader *reader, struct inlay_map *map,
	     struct keys **ret_keys)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	int err;

	if (!keys)
		return -ENOMEM;
	keys->info.sz = sizeof(keys->info);
	err = inlay_map_info(map, &keys->info);
	if (!err) {
		(void)inlay_segment_btf(reader, keys->info.object, &keys->btf);
		if (args->sym >= 0 && may_be_address(keys)) {
			keys->symbols = symbols_new(reader, !args->is_mangled);
			keys->is_named = args->sym > 0;
			keys->is_guessed = !args->sym;
			err = keys_refresh(keys, map);
		}
	}
	if (err) {
		keys_free(keys);
		return err;
	}
	*ret_keys = keys;
	return 0;
}

void keys_free(struct keys *keys)
{
	if (keys)
		symbols_free(keys->symbols);
	free(keys);
}

bool keys_symbol(struct keys *keys, const void *key, char *buffer, size_t bytes)
{
	uint64_t distance;
	const char *name = keys->is_named ? find(keys, key, &distance) : NULL;

	if (!name || (distance && keys->is_exact))
		return false;
	if (distance)
		snprintf(buffer, bytes, "%.200s+0x%llx", name, (unsigned long long)distance);
	else
		snprintf(buffer, bytes, "%.200s", name);
	return true;
}

void keys_put(struct keys *keys, FILE *out, const void *key)
{
	const struct btf *btf = keys->btf;
	char raw[256], safe[512];
	uint64_t number = 0;

	if (keys_symbol(keys, key, raw, sizeof(raw))) {
		fputs(escape(raw, safe, sizeof(safe)), out);
		return;
	}
	memcpy(&number, key, keys->info.key_size < 8 ? keys->info.key_size : 8);
	if (keys->is_named)
		fprintf(out, "0x%llx", (unsigned long long)number);
	else
		typed_text(out, btf, keys->info.btf_key_type_id, key, keys->info.key_size, 0, 0);
}
