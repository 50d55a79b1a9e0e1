/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the notes of USDT probes in inline assembly before it is assembled. Only directives that
 * carry the note's strings are understood, and the macros that sys/sdt.h of SystemTap 4.x uses for
 * sizes: everything else is passed over. An argument whose description is not understood has a
 * `problem` and is left to who reads it.
 *
 *	.note.stapsdt { address of the nop, base, semaphore; "provider", "name", "SIZE@VALUE ..." }
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pass/usdt.h"

enum { TEXT_MAX = 1024, OPERANDS_MAX = 64 };

struct reader {
	LLVMValueRef call;
	const char *p, *end;		/* the assembly */
	int operands[OPERANDS_MAX];	/* of the text: which of the call's, or -1 */
	bool is_indirect[OPERANDS_MAX];
	unsigned int nr_operands;
	char args[TEXT_MAX];		/* "SIZE@VALUE ..." with references as they are written */
	size_t nr_chars;
	bool is_too_long;
};

/* ---- operands ---- */

/* Outputs, then inputs, as $0, $1 ... count them; what is not indirect and an output has no value. */
static void number_operands(struct reader *r, const char *constraints, size_t bytes)
{
	const char *end = constraints + bytes;
	int next = 0;

	while (constraints < end && r->nr_operands < OPERANDS_MAX) {
		const char *comma = memchr(constraints, ',', (size_t)(end - constraints));
		size_t n = (size_t)((comma ? comma : end) - constraints);
		bool is_output = *constraints == '=', is_indirect = memchr(constraints, '*', n);

		if (*constraints == '~')
			break;
		r->is_indirect[r->nr_operands] = is_indirect;
		r->operands[r->nr_operands++] = is_output && !is_indirect ? -1 : next++;
		constraints += n + 1;
	}
}

/* "$3", "${3}" or "${3:n}"; returns what follows, or NULL. */
static const char *read_reference(const char *p, unsigned int *ret_operand, char *ret_modifier)
{
	bool is_braced;
	char *end;

	if (*p++ != '$')
		return NULL;
	is_braced = *p == '{';
	p += is_braced;
	if (!isdigit((unsigned char)*p))
		return NULL;
	*ret_operand = (unsigned int)strtoul(p, &end, 10);
	*ret_modifier = 0;
	if (!is_braced)
		return end;
	if (*end == ':' && end[1]) {
		*ret_modifier = end[1];
		end += 2;
	}
	return *end == '}' ? end + 1 : NULL;
}

/* ---- the text ---- */

static void add_char(struct reader *r, char c)
{
	if (r->nr_chars + 1 < TEXT_MAX)
		r->args[r->nr_chars++] = c;
	else
		r->is_too_long = true;
}

/* Lines end at newlines and semicolons; labels are skipped. False at the end. */
static bool next_line(struct reader *r, const char **ret_line, size_t *ret_bytes)
{
	const char *line, *p;

	while (r->p < r->end && strchr(" \t\n;", *r->p))
		r->p++;
	if (r->p >= r->end)
		return false;
	for (line = p = r->p; p < r->end && *p != '\n' && *p != ';'; p++)
		if (*p == '"')
			for (p++; p < r->end && *p != '"' && *p != '\n'; p++)
				p += *p == '\\' && p + 1 < r->end;
	r->p = p;
	for (p = line; p < r->p && (isalnum((unsigned char)*p) || *p == '_' || *p == '.'); p++)
		;
	if (p < r->p && *p == ':')
		for (line = p + 1; line < r->p && (*line == ' ' || *line == '\t'); line++)
			;
	*ret_line = line;
	*ret_bytes = (size_t)(r->p - line);
	return true;
}

/* What follows the directive on its line, or NULL. */
static const char *after(const char *line, size_t bytes, const char *directive)
{
	size_t n = strlen(directive);

	if (bytes < n || memcmp(line, directive, n) ||
	    (bytes > n && line[n] != ' ' && line[n] != '\t' && line[n] != '"'))
		return NULL;
	for (line += n; *line == ' ' || *line == '\t'; line++)
		;
	return line;
}

/* The text between the first quotes of a line; false: none. */
static bool quoted(const char *p, const char *end, const char **ret_text, size_t *ret_bytes)
{
	const char *close;

	p = memchr(p, '"', (size_t)(end - p));
	if (!p)
		return false;
	for (close = ++p; close < end && *close != '"'; close++)
		close += *close == '\\' && close + 1 < end;
	*ret_text = p;
	*ret_bytes = (size_t)(close - p);
	return close < end;
}

static void add_string(struct reader *r, const char *text, size_t bytes)
{
	for (const char *end = text + bytes; text < end; text++) {
		char *after_number;

		if (*text != '\\' || text + 1 == end) {
			add_char(r, *text);
			continue;
		}
		text++;
		if (*text == 'x') {
			add_char(r, (char)strtoul(text + 1, &after_number, 16));
			text = after_number - 1;
		} else if (isdigit((unsigned char)*text)) {
			add_char(r, (char)strtoul(text, &after_number, 8));
			text = after_number - 1;
		} else {
			add_char(r, *text);
		}
	}
}

/* ---- arguments ---- */

/* -4, 8f, or what sys/sdt.h 5 makes of both: sign, size << 8, type of the compiler's counting. */
static void set_size(struct usdt_arg *arg, long long size, bool is_float)
{
	enum { TYPE_REAL = 8 };

	arg->is_signed = size < 0;
	if (size < 0)
		size = -size;
	if (size > 0xff) {
		is_float |= (size & 0xff) == TYPE_REAL;
		size >>= 8;
	}
	arg->bytes = (unsigned int)size;
	if (is_float)
		arg->problem = "it is a floating-point number";
	else if (size != 1 && size != 2 && size != 4 && size != 8)
		arg->problem = "it is no number of 1, 2, 4 or 8 bytes";
}

static void read_size(const struct reader *r, const char *text, struct usdt_arg *arg)
{
	LLVMValueRef v;
	unsigned int n;
	long long size;
	char modifier, *end;

	if (read_reference(text, &n, &modifier)) {
		if (n >= r->nr_operands || r->operands[n] < 0) {
			arg->problem = "its size is not understood";
			return;
		}
		v = LLVMGetOperand(r->call, (unsigned int)r->operands[n]);
		if (!LLVMIsAConstantInt(v)) {
			arg->problem = "its size is not understood";
			return;
		}
		size = LLVMConstIntGetSExtValue(v);
		set_size(arg, modifier == 'n' ? -size : size, false);
		return;
	}
	size = strtoll(text, &end, 10);
	if (end == text)
		arg->problem = "its size is not understood";
	else
		set_size(arg, size, *end == 'f');
}

/* An operand, or a constant as assemblers write it: $$5 (the text has each $ twice), 5. */
static void read_value(const struct reader *r, const char *text, struct usdt_arg *arg)
{
	unsigned int n;
	char modifier, *end;
	const char *rest = read_reference(text, &n, &modifier);

	arg->operand = -1;
	if (rest && !*rest && n < r->nr_operands && r->operands[n] >= 0) {
		arg->operand = r->operands[n];
		arg->is_indirect = r->is_indirect[n];
		return;
	}
	text += strncmp(text, "$$", 2) ? 0 : 2;
	arg->constant = strtoll(text, &end, 0);
	if (end == text || *end)
		arg->problem = "its place is written by hand";
}

/* r->args holds "SIZE@VALUE SIZE@VALUE", and a NUL. */
static bool read_args(struct reader *r, struct usdt_probe *probe)
{
	char *save = NULL;

	for (char *p = strtok_r(r->args, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		struct usdt_arg *arg = &probe->args[probe->nr_args];
		char *at = strchr(p, '@');

		if (probe->nr_args == INLAY_USDT_MAX_ARGS)
			return false;
		memset(arg, 0, sizeof(*arg));
		probe->nr_args++;
		if (!at) {
			arg->operand = -1;
			arg->problem = "its description is not understood";
			continue;
		}
		*at = '\0';
		read_value(r, at + 1, arg);
		read_size(r, p, arg);
	}
	return true;
}

/* ---- the note ---- */

static void read_semaphore(const struct reader *r, const char *text, size_t bytes,
			   struct usdt_probe *probe)
{
	unsigned int n;
	char modifier;

	while (bytes && strchr(" \t", text[bytes - 1]))
		bytes--;
	if (read_reference(text, &n, &modifier)) {
		if (n < r->nr_operands)
			probe->semaphore_operand = r->operands[n];
	} else if (bytes && !isdigit((unsigned char)*text)) {
		probe->semaphore = text;
		probe->semaphore_bytes = bytes;
	}
}

/* A line behind the two names: a piece of the arguments. False: the note ends here. */
static bool read_piece(struct reader *r, const char *line, size_t bytes)
{
	const char *p, *text;
	size_t n;

	p = after(line, bytes, "_SDT_SIZE");
	if (p) { /* which prints the size and is followed by what prints "@" */
		add_string(r, p, (size_t)(line + bytes - p));
		add_char(r, '@');
		return true;
	}
	if (after(line, bytes, "_SDT_SIGN") || after(line, bytes, "_SDT_TYPE"))
		return true;
	p = after(line, bytes, ".ascii");
	if (p && quoted(p, line + bytes, &text, &n)) {
		add_string(r, text, n);
		return true;
	}
	p = after(line, bytes, ".asciz");
	if (!p)
		p = after(line, bytes, ".string");
	if (p && quoted(p, line + bytes, &text, &n))
		add_string(r, text, n);
	return false;
}

/* From behind the section's name on. */
static bool read_note(struct reader *r, struct usdt_probe *probe)
{
	static const char *const words[] = { ".8byte", ".quad", ".xword", ".dc.a", ".4byte" };
	const char *line, *p, *text;
	unsigned int nr_strings = 0, nr_words = 0;
	size_t bytes, n;

	while (next_line(r, &line, &bytes)) {
		if (nr_strings == 3) {
			if (!read_piece(r, line, bytes))
				break;
			continue;
		}
		for (size_t i = 0; nr_strings == 1 && i < sizeof(words) / sizeof(words[0]); i++) {
			p = after(line, bytes, words[i]);
			if (p && ++nr_words == 3)
				read_semaphore(r, p, (size_t)(line + bytes - p), probe);
		}
		p = after(line, bytes, ".asciz");
		if (!p)
			p = after(line, bytes, ".string");
		if (!p)
			continue;
		if (!quoted(p, line + bytes, &text, &n))
			return false;
		if (nr_strings == 0 && (n != 7 || memcmp(text, "stapsdt", n)))
			return false;
		if (nr_strings == 1) {
			probe->provider = text;
			probe->provider_bytes = n;
		} else if (nr_strings == 2) {
			probe->name = text;
			probe->name_bytes = n;
		}
		nr_strings++;
	}
	r->args[r->nr_chars] = '\0';
	return nr_strings == 3 && !r->is_too_long && read_args(r, probe);
}

bool usdt_next(LLVMValueRef call, const char **at, struct usdt_probe *probe)
{
	static const char section[] = ".note.stapsdt";
	LLVMValueRef v_asm = LLVMGetCalledValue(call);
	struct reader r = { .call = call };
	const char *text, *constraints;
	size_t bytes;

	if (!v_asm || !LLVMIsAInlineAsm(v_asm))
		return false;
	text = LLVMGetInlineAsmAsmString(v_asm, &bytes);
	r.end = text + bytes;
	r.p = memmem(*at ? *at : text, (size_t)(r.end - (*at ? *at : text)), section,
		     sizeof(section) - 1);
	if (!r.p)
		return false;
	while (r.p < r.end && *r.p != '\n' && *r.p != ';')
		r.p++;
	constraints = LLVMGetInlineAsmConstraintString(v_asm, &bytes);
	number_operands(&r, constraints, bytes);
	memset(probe, 0, sizeof(*probe));
	probe->semaphore_operand = -1;
	if (read_note(&r, probe)) {
		*at = r.p;
		return true;
	}
	/* no note that is understood: the next one may be */
	*at = r.p;
	return r.p < r.end && usdt_next(call, at, probe);
}
