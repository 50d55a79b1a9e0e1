/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking UTF-8, by the table of RFC 3629, section 4. */
#include <string.h>

#include "cli/inlay/utf8.h"

size_t utf8_bytes(const char *text, size_t n)
{
	static const struct {
		unsigned char first_low, first_high, second_low, second_high;
		size_t bytes;
	} rows[] = {
		{ 0x00, 0x7f, 0, 0, 1 },	   { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *c = (const unsigned char *)text;

	for (size_t i = 0; n && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (c[0] < rows[i].first_low || c[0] > rows[i].first_high)
			continue;
		if (rows[i].bytes > n)
			return 0;
		if (rows[i].bytes > 1 &&
		    (c[1] < rows[i].second_low || c[1] > rows[i].second_high))
			return 0;
		for (size_t k = 2; k < rows[i].bytes; k++)
			if ((c[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].bytes;
	}
	return 0;
}

size_t utf8_columns(const char *text)
{
	size_t columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}
