/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_maps OBJECT MAP JSON: makes the object's maps in the kernel, fills MAP with the raw entries of a
 * dump in JSON and lets bpftool dump it to stdout. Exit code 77: the kernel lets us make no maps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <jansson.h>

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN && getenv("VERBOSE") ? vfprintf(stderr, format, args) : 0;
}

static void fill_bytes(unsigned char *to, const json_t *from)
{
	for (size_t i = 0; i < json_array_size(from); i++)
		to[i] = (unsigned char)strtoul(json_string_value(json_array_get(from, i)), NULL, 16);
}

static int fill(const struct bpf_map *map, const json_t *entries)
{
	size_t stride = (bpf_map__value_size(map) + 7) / 8 * 8;
	int nr_cpus = libbpf_num_possible_cpus();
	unsigned char *key = calloc(1, bpf_map__key_size(map));
	unsigned char *value = calloc((size_t)nr_cpus, stride);

	for (size_t i = 0; i < json_array_size(entries); i++) {
		json_t *entry = json_array_get(entries, i), *values = json_object_get(entry, "values");

		fill_bytes(key, json_object_get(entry, "key"));
		memset(value, 0, (size_t)nr_cpus * stride);
		if (!values)
			fill_bytes(value, json_object_get(entry, "value"));
		for (int k = 0; k < nr_cpus && k < (int)json_array_size(values); k++)
			fill_bytes(value + (size_t)k * stride,
				   json_object_get(json_array_get(values, (size_t)k), "value"));
		if (bpf_map_update_elem(bpf_map__fd(map), key, value, 0)) {
			perror("bpf_map_update_elem");
			return 1;
		}
	}
	free(key);
	free(value);
	return 0;
}

/* The map of this name, or the global section of this name. */
static struct bpf_map *find(struct bpf_object *object, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		const char *is = bpf_map__name(map);
		size_t n = strlen(is), m = strlen(name);

		if (!strcmp(is, name) || (*name == '.' && n > m && !strcmp(is + n - m, name)))
			return map;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct bpf_map_info info = { 0 };
	unsigned int bytes = sizeof(info);
	struct bpf_program *program;
	struct bpf_object *object;
	struct bpf_map *map;
	json_t *entries;
	char command[64];

	if (argc != 4)
		return 2;
	libbpf_set_print(silent);
	entries = json_load_file(argv[3], 0, NULL);
	object = bpf_object__open(argv[1]);
	if (!entries || !object)
		return 1;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, false);
	if (bpf_object__load(object)) {
		if (errno != EPERM)
			return 1;
		puts("the kernel lets us make no maps");
		return 77;
	}
	map = find(object, argv[2]);
	if (!map)
		return 1;
	/* .rodata is frozen; it already holds what the object says */
	if (!strstr(bpf_map__name(map), ".rodata") && fill(map, entries))
		return 1;
	if (bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &bytes))
		return 1;
	snprintf(command, sizeof(command), "exec bpftool map dump -j id %u", info.id);
	return system(command) ? 1 : 0;
}
