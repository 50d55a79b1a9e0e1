/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON by jansson, with what it lacks: unsigned 64-bit numbers, and text of unknown bytes.
 *
 * jansson's integers are signed. A larger number travels as a string that starts with a private
 * mark (U+F8FF, which json_text() lets nobody else write) and loses mark and quotes when printed.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"
#include "cli/inlay/stop.h"
#include "cli/inlay/utf8.h"

#define MARK "\xef\xa3\xbf"

json_t *json_u64(uint64_t n)
{
	char text[32];

	if (n <= INT64_MAX)
		return json_integer((json_int_t)n);
	snprintf(text, sizeof(text), MARK "%llu", (unsigned long long)n);
	return json_string(text);
}

json_t *json_text(const char *text)
{
	size_t n = strlen(text), at = 0;
	char *copy = malloc(3 * n + 1);
	json_t *json;

	if (!copy)
		return NULL;
	while (n) {
		size_t bytes = utf8_bytes(text, n);

		if (bytes == 3 && !memcmp(text, MARK, 3))
			bytes = 0;
		memcpy(copy + at, bytes ? text : "\xef\xbf\xbd", bytes ? bytes : 3);
		at += bytes ? bytes : 3;
		text += bytes ? bytes : 1;
		n -= bytes ? bytes : 1;
	}
	copy[at] = 0;
	json = json_string(copy);
	free(copy);
	return json;
}

int json_print(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL, *at, *mark;

	json_decref(json);
	if (!text)
		return out_of_memory();
	stop_hold(); /* half of it would be no JSON */
	for (at = text; (mark = strstr(at, "\"" MARK)); at = strchr(mark + 4, '"') + 1)
		printf("%.*s%.*s", (int)(mark - at), at, (int)strspn(mark + 4, "0123456789"),
		       mark + 4);
	printf("%s\n", at);
	free(text);
	(void)out_flush();
	stop_release();
	return EXIT_DONE;
}
