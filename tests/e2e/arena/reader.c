/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader PID: follows the list in a living target's arena from outside: prints how many nodes it has,
 * their sum, and the variable in the arena that counts them from 1000.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <inlay/inlay.h>

struct node {
	uint64_t next, value;
	char text[32];
};

static struct inlay_map *open_map(struct inlay_reader *reader, const char *name)
{
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	struct inlay_map *map = NULL;

	for (uint32_t i = 0; !inlay_segment_map(reader, i, &info); i++)
		if (!strcmp(info.name, name) && !inlay_map_open(reader, i, &map))
			return map;
	fprintf(stderr, "there is no map %s\n", name);
	exit(1);
}

static uint64_t info_address(struct inlay_map *map)
{
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);

	return inlay_map_info(map, &info) ? 0 : info.address;
}

int main(int argc, char **argv)
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	struct inlay_reader *reader;
	struct inlay_map *arena, *bss;
	uint64_t nr = 0, sum = 0, added, at;
	struct node node;
	char values[4096];
	uint32_t zero = 0;

	opts.dir = getenv("INLAY_DIR");
	if (argc != 2 || inlay_segment_open_pid(atoi(argv[1]), &opts, &reader))
		return 1;
	arena = open_map(reader, "arena");
	bss = open_map(reader, ".bss");
	if (!info_address(arena) || inlay_map_info(bss, &info) ||
	    info.value_size > sizeof(values) || inlay_map_get(bss, &zero, values))
		return 1;
	/* `head` is the first address in there that leads anywhere */
	for (uint32_t i = 0; i < info.value_size; i += 8) {
		memcpy(&at, values + i, sizeof(at));
		if (at >> 40 && !inlay_map_read_arena(arena, at, &node, sizeof(node)) &&
		    node.value)
			break;
		at = 0;
	}
	for (; at; at = node.next) {
		if (inlay_map_read_arena(arena, at, &node, sizeof(node)) ||
		    node.text[node.value % 32] != 1)
			return 3;
		nr++;
		sum += node.value;
	}
	/* what is not there */
	if (inlay_map_read_arena(arena, info_address(arena) + 19999ull * 4096, &node, sizeof(node)) != -14 ||
	    inlay_map_read_arena(bss, 8, &node, sizeof(node)) != -22)
		return 4;
	if (inlay_map_read_arena(arena, info_address(arena), &added, sizeof(added)))
		return 5;
	printf("%llu nodes, sum %llu, %llu\n", (unsigned long long)nr, (unsigned long long)sum,
	       (unsigned long long)added);
	inlay_map_close(arena);
	inlay_map_close(bss);
	inlay_segment_close(reader);
	return 0;
}
