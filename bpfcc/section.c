/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section names of user probes: TYPE[.s][/[PATH:]FUNCTION[+OFFSET]], as libbpf reads them at attach
 * time; TYPE/FUNCTION without a path is ours, for any binary. Of usdt[.s]/[PATH:]PROVIDER:NAME, too;
 * usdt/LABEL is as good as a bare section.
 */
#include "bpfcc/section.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/arena.h"
#include "inlay/abi.h"

static const struct type {
	const char *name;
	uint32_t kind;
	bool is_multi;
} types[] = {
	{"uprobe", INLAY_PROG_ENTRY, false},
	{"uretprobe", INLAY_PROG_RETURN, false},
	{"uprobe.multi", INLAY_PROG_ENTRY, true},
	{"uretprobe.multi", INLAY_PROG_RETURN, true},
	{"uprobe.session", INLAY_PROG_SESSION, true},
	{"usdt", INLAY_PROG_USDT, false},
};

static const struct type *find_type(const char *name, size_t bytes)
{
	/* ".s": may sleep; in a process every program may be interrupted, so it says nothing here
	 */
	if (bytes > 2 && !memcmp(name + bytes - 2, ".s", 2))
		bytes -= 2;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].name) == bytes && !memcmp(types[i].name, name, bytes))
			return &types[i];
	return NULL;
}

/* Cuts "+OFFSET" off; only an offset of 0 is a place that Inlay has. */
static int cut_offset(char *function, const char **ret_problem)
{
	char *plus = strchr(function, '+'), *end;
	unsigned long long offset;

	if (!plus)
		return 0;
	errno = 0;
	offset = strtoull(plus + 1, &end, 0);
	if (end == plus + 1 || *end || errno || plus[1] == '-' || plus[1] == '+') {
		*ret_problem = "what follows '+' is not an offset";
		return -EINVAL;
	}
	if (offset) {
		*ret_problem = "an offset inside of a function is not a place that Inlay can probe";
		return -EINVAL;
	}
	*plus = '\0';
	return 0;
}

static int parse_rest(char *rest, struct bpfcc_section *s, const char **ret_problem)
{
	/* the last colon: a path may hold one, a function name cannot */
	char *colon = strrchr(rest, ':'), *function = rest;
	int err;

	if (strstr(rest, "::")) {
		*ret_problem = "a C++ function is named by its mangled name, as in \"_ZN1a1fEi\"";
		return -EINVAL;
	}
	if (colon) {
		*colon = '\0';
		function = colon + 1;
		if (!*rest) {
			*ret_problem = "the path before ':' is empty";
			return -EINVAL;
		}
		if (strcmp(rest, "*"))
			s->path = rest;
	}
	/* The kernel applies offsets of single probes only; in a glob '+' is an ordinary byte, but
	 * no symbol holds one. */
	err = cut_offset(function, ret_problem);
	if (err)
		return err;
	if (!*function) {
		*ret_problem = "no function is named after the path";
		return -EINVAL;
	}
	/* "tls.(*Conn).Write": tracers of Go label programs so, and no symbol or glob is meant */
	if (!s->is_multi && !strchr(function, '(') && strpbrk(function, "*?[")) {
		*ret_problem = "a pattern needs uprobe.multi, uretprobe.multi or uprobe.session";
		return -EINVAL;
	}
	s->function = function;
	return 0;
}

/* [PATH:]PROVIDER:NAME; the last two together are what Inlay calls the probe. */
static int parse_usdt(char *rest, struct bpfcc_section *s, const char **ret_problem)
{
	char *name = strrchr(rest, ':'), *provider = NULL;

	/* a label: libbpf loads the program and leaves its probe open */
	if (!name)
		return 0;
	if (name > rest)
		provider = memrchr(rest, ':', (size_t)(name - rest));
	provider = provider ? provider + 1 : rest;
	if (!name[1] || provider == name) {
		*ret_problem = "a USDT probe is named by provider and name";
		return -EINVAL;
	}
	if (provider > rest) {
		provider[-1] = '\0';
		if (!*rest) {
			*ret_problem = "the path before ':' is empty";
			return -EINVAL;
		}
		if (strcmp(rest, "*"))
			s->path = rest;
	}
	if (strpbrk(provider, "*?[")) {
		*ret_problem = "a USDT probe takes no pattern";
		return -EINVAL;
	}
	s->function = provider;
	return 0;
}

int bpfcc_section_parse(struct bpfcc_arena *arena, const char *name, struct bpfcc_section *s,
			const char **ret_problem)
{
	const char *slash = strchr(name, '/');
	size_t type_bytes = slash ? (size_t)(slash - name) : strlen(name);
	const struct type *type = find_type(name, type_bytes);
	char *rest;

	memset(s, 0, sizeof(*s));
	if (!type) {
		s->kind = BPFCC_SECTION_KERNEL;
		return 0;
	}
	s->kind = BPFCC_SECTION_PLACED;
	s->prog_kind = type->kind;
	s->is_multi = type->is_multi;
	if (!slash)
		return 0;
	rest = bpfcc_arena_strdup(arena, slash + 1);
	if (!rest)
		return -ENOMEM;
	if (!*rest) {
		*ret_problem = "nothing follows '/'";
		return -EINVAL;
	}
	return s->prog_kind == INLAY_PROG_USDT ? parse_usdt(rest, s, ret_problem) :
						 parse_rest(rest, s, ret_problem);
}

bool bpfcc_section_from_kprobe(const char *name, struct bpfcc_section *s)
{
	size_t type_bytes = strcspn(name, "/");
	bool is_return = type_bytes == 9 && !memcmp(name, "kretprobe", 9);

	if (!is_return && (type_bytes != 6 || memcmp(name, "kprobe", 6)))
		return false;
	*s = (struct bpfcc_section){.kind = BPFCC_SECTION_PLACED,
				    .prog_kind = is_return ? INLAY_PROG_RETURN : INLAY_PROG_ENTRY};
	return true;
}

bool bpfcc_path_is_library(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

	return strstr(base, ".so") || (!slash && !strncmp(base, "lib", 3) && !strchr(base, '.'));
}
