/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's string functions, by libc's: strings are copied first, from the program's memory or from
 * the target's.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bpfcc/helpers.h"
#include "bpfcc/run/interp_int.h"

#define MAX_BYTES 65536

/* A copy with a NUL; `err`: why it ends where it does, 0: there was a NUL. */
struct text {
	char data[MAX_BYTES + 1];
	size_t length;
	int err;
};

static bool byte_at(struct bpfcc_interp *it, const struct value *address, uint64_t i, char *ret)
{
	const struct thing *t = &it->things[address->thing];
	uint64_t at = address->num + i - t->base, off = address->num + i - it->opts.target_address;

	if (address->thing && at < t->bytes && t->data && !t->is_gone) {
		*ret = (char)t->data[at];
		return true;
	}
	if (it->opts.target && off < it->opts.target_bytes) {
		*ret = ((const char *)it->opts.target)[off];
		return true;
	}
	return false;
}

static struct text *text_at(struct bpfcc_interp *it, const struct value *address)
{
	struct text *t = malloc(sizeof(*t));

	if (!t) {
		interp_trap(it, BPFCC_TRAP_MEMORY, "out of memory");
		return NULL;
	}
	t->err = -E2BIG;
	for (t->length = 0; t->length < MAX_BYTES; t->length++) {
		if (!byte_at(it, address, t->length, &t->data[t->length])) {
			t->err = (address->num + t->length) >> 47 == 0x1ffff ? -EFAULT : -ERANGE;
			break;
		}
		if (!t->data[t->length]) {
			t->err = 0;
			break;
		}
	}
	t->data[t->length] = '\0';
	return t;
}

static int64_t sign(int n)
{
	return n < 0 ? -1 : n > 0;
}

static int64_t found(const struct text *t, const char *at, int64_t none)
{
	return at ? at - t->data : t->err ? t->err : none;
}

static int64_t counted(const struct text *t, uint64_t count)
{
	if (count <= t->length && count < MAX_BYTES)
		return (int64_t)count;
	return t->err ? t->err : (int64_t)t->length;
}

static int64_t named(const struct text *t, uint64_t count, char c)
{
	size_t n = count < t->length ? (size_t)count : t->length;
	const char *at = memchr(t->data, c, n + (!t->err && !c && count > t->length));

	if (at)
		return at - t->data;
	return count <= t->length && count < MAX_BYTES ? -ENOENT : t->err ? t->err : -ENOENT;
}

static int64_t last_of(const struct text *t, int c)
{
	const char *at = c >= 0 && c < 256 ? strrchr(t->data, c) : NULL;

	return t->err ? t->err : at ? at - t->data : -ENOENT;
}

static int64_t part(const struct text *t, const struct text *want, uint64_t count)
{
	const char *at = strstr(t->data, want->data);

	if (want->err)
		return want->err;
	if (at && (uint64_t)(at - t->data) + want->length <= count)
		return at - t->data;
	return count < t->length ? -ENOENT : t->err ? t->err : -ENOENT;
}

/* Where one of them has no end that is told by its first bytes, only its error is known. */
static int64_t answer(enum bpfcc_kfunc which, const struct text *a, const struct text *b,
		      const struct arg args[5])
{
	uint64_t n1 = args[1].v.num, n2 = args[2].v.num;

	switch (which) {
	case BPFCC_KFUNC_bpf_strcmp:
		return a->err || b->err ? (a->err ? a->err : b->err) : sign(strcmp(a->data, b->data));
	case BPFCC_KFUNC_bpf_strcasecmp:
		return a->err || b->err ? (a->err ? a->err : b->err)
					: sign(strcasecmp(a->data, b->data));
	case BPFCC_KFUNC_bpf_strlen:
		return counted(a, UINT64_MAX);
	case BPFCC_KFUNC_bpf_strnlen:
		return counted(a, n1);
	case BPFCC_KFUNC_bpf_strchr:
		return named(a, UINT64_MAX, (char)n1);
	case BPFCC_KFUNC_bpf_strnchr:
		return named(a, n1, (char)n2);
	case BPFCC_KFUNC_bpf_strchrnul:
		return found(a, strchr(a->data, (char)n1), (int64_t)a->length);
	case BPFCC_KFUNC_bpf_strrchr:
		return last_of(a, (int32_t)n1);
	case BPFCC_KFUNC_bpf_strspn:
		return a->err || b->err ? (a->err ? a->err : b->err)
					: (int64_t)strspn(a->data, b->data);
	case BPFCC_KFUNC_bpf_strcspn:
		return a->err || b->err ? (a->err ? a->err : b->err)
					: (int64_t)strcspn(a->data, b->data);
	case BPFCC_KFUNC_bpf_strstr:
		return part(a, b, UINT64_MAX);
	default:
		return part(a, b, n2);
	}
}

int interp_string(struct bpfcc_interp *it, const struct bpfcc_helper *kfunc, struct arg args[5])
{
	struct text *a = text_at(it, &args[0].v), *b = NULL;

	if (a && kfunc->args[1] == BPFCC_ARG_ADDR)
		b = text_at(it, &args[1].v);
	if (!it->trap.kind)
		it->frame->regs[0] =
		    interp_number((uint64_t)answer(kfunc->kfunc, a, b, args));
	free(a);
	free(b);
	return it->trap.kind ? -EFAULT : 0;
}
