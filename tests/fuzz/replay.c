/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives every file of a folder to a target, without libFuzzer: the corpus as a test of every build.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t max_bytes)
{
	(void)data;
	return bytes < max_bytes ? bytes : max_bytes;
}

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long bytes;

	if (!f || fseek(f, 0, SEEK_END) || (bytes = ftell(f)) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	rewind(f);
	data = malloc(bytes ? (size_t)bytes : 1);
	if (!data || fread(data, 1, (size_t)bytes, f) != (size_t)bytes) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return 1;
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)bytes);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent *entry;
	unsigned int nr = 0;
	char path[4096];
	DIR *dir;

	if (argc != 2 || !(dir = opendir(argv[1]))) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (replay(path))
			return 1;
		nr++;
	}
	closedir(dir);
	printf("%u inputs\n", nr);
	return nr ? 0 : 1;
}
