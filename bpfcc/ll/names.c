/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of a C header: see names.h. Names come from the object and may be anything; two that differ
 * only in what identifiers cannot have, or that C++ has for itself, must not spoil the header.
 */
#include "bpfcc/ll/names.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/ll/util.h"

#define NAME_BYTES 512

/* Of C23 and C++23, and macros that are likely names; in strcmp()'s order. */
static const char *const keywords[] = {
	"alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break",
	"case", "catch", "char", "char16_t", "char32_t", "char8_t", "class", "co_await",
	"co_return", "co_yield", "compl", "concept", "const", "const_cast", "consteval",
	"constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double",
	"dynamic_cast", "else", "enum", "errno", "explicit", "export", "extern", "false", "float",
	"for", "friend", "goto", "if", "inline", "int", "linux", "long", "mutable", "namespace",
	"new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private",
	"protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return",
	"short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch",
	"template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename",
	"typeof", "typeof_unqual", "union", "unix", "unsigned", "using", "virtual", "void",
	"volatile", "wchar_t", "while", "xor", "xor_eq",
};

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int compare_keyword(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

static bool is_free(const struct ll_names *names, const char *name)
{
	return !bsearch(name, keywords, sizeof(keywords) / sizeof(*keywords), sizeof(*keywords),
			compare_keyword) &&
	       !tfind(name, &names->tree, compare);
}

/* NULL: no memory */
static const char *take(struct ll_names *names, const char *name)
{
	char *copy = strdup(name);
	void *node = copy ? tsearch(copy, &names->tree, compare) : NULL;

	if (!node) {
		free(copy);
		names->is_out_of_memory = true;
		return NULL;
	}
	if (*(char **)node != copy)
		free(copy);
	return *(char **)node;
}

const char *ll_names_add(struct ll_names *names, const char *prefix, const char *name,
			 const char *suffix)
{
	char clean[NAME_BYTES], text[2 * NAME_BYTES], longer[2 * NAME_BYTES + 32];
	const char *taken;
	bool needs_letter;

	ll_symbol_part(name, clean, sizeof(clean));
	needs_letter = !*prefix && (!*clean || (*clean >= '0' && *clean <= '9'));
	snprintf(text, sizeof(text), "%s%s%s", prefix, needs_letter ? "_" : "", clean);
	for (unsigned int attempt = 0;; attempt++) {
		if (attempt == 1)
			strncat(text, "_", sizeof(text) - strlen(text) - 1);
		if (attempt < 2)
			snprintf(longer, sizeof(longer), "%s", text);
		else
			snprintf(longer, sizeof(longer), "%s%u", text, ++names->nr_again);
		if (!is_free(names, longer))
			continue;
		taken = take(names, longer);
		if (!suffix)
			return taken ? taken : "_";
		strncat(longer, suffix, sizeof(longer) - strlen(longer) - 1);
		if (!is_free(names, longer))
			continue;
		return take(names, longer) && taken ? taken : "_";
	}
}

void ll_names_fini(struct ll_names *names)
{
	tdestroy(names->tree, free);
	names->tree = NULL;
}
