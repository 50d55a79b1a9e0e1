/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output for people: colours, escapes, tables and numbers. See out.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/inlay/out.h"
#include "cli/inlay/utf8.h"

static bool is_terminal, has_colours;
static int first_error;

/* A segment that is opened as descriptor 1 would be written to by printf(). */
static void fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		/* the lowest free one; reads and writes fail as on a closed one */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			_exit(70);
}

void out_init(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	fill_descriptors();
	signal(SIGPIPE, SIG_IGN); /* see out_flush() */
	is_terminal = isatty(STDOUT_FILENO);
	has_colours = is_terminal && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

bool out_is_terminal(void)
{
	return is_terminal;
}

bool out_is_gone(void)
{
	struct pollfd pollfd = { .fd = STDOUT_FILENO };

	return poll(&pollfd, 1, 0) > 0 && pollfd.revents & POLLERR;
}

int out_flush(void)
{
	errno = 0;
	if ((fflush(stdout) || ferror(stdout)) && !first_error)
		first_error = errno ? errno : out_is_gone() ? EPIPE : EIO;
	return -first_error;
}

unsigned int out_columns(void)
{
	struct winsize size;

	if (is_terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 40)
		return size.ws_col;
	return 100;
}

const char *paint(enum paint paint)
{
	static const char *const sequences[] = {
		[PAINT_NONE] = "\033[0m",   [PAINT_TITLE] = "\033[1m",   [PAINT_NAME] = "\033[36m",
		[PAINT_DIM] = "\033[2m",    [PAINT_BAR] = "\033[34m",    [PAINT_BAD] = "\033[1;31m",
		[PAINT_GOOD] = "\033[32m",
	};

	return has_colours ? sequences[paint] : "";
}

/* Bytes of the printable character at text; 0 if it must be escaped. */
static size_t printable(const char *text, size_t n)
{
	size_t bytes = utf8_bytes(text, n);

	if (bytes == 1)
		return *text >= 0x20 && *text < 0x7f;
	/* U+0080 .. U+009F are control characters too. */
	if (bytes == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0)
		return 0;
	/* So are the marks that reorder text: U+200E, U+200F, U+202A .. U+202E, U+2066 .. U+2069. */
	if (bytes == 3 && !memcmp(text, "\xe2\x80", 2)) {
		unsigned char last = (unsigned char)text[2];

		if (last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae))
			return 0;
	}
	if (bytes == 3 && !memcmp(text, "\xe2\x81", 2) && (unsigned char)text[2] >= 0xa6 &&
	    (unsigned char)text[2] <= 0xa9)
		return 0;
	return bytes;
}

static size_t escape_byte(unsigned char byte, char *to)
{
	static const char named[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
	const char *at = byte ? strchr(named, byte) : NULL;

	if (at)
		return (size_t)sprintf(to, "\\%c", letters[at - named]);
	return (size_t)sprintf(to, "\\x%02x", byte);
}

char *escape(const char *text, char *buffer, size_t bytes)
{
	size_t n = strlen(text), at = 0;

	while (n) {
		char piece[8];
		size_t step = printable(text, n), width;

		if (step) {
			memcpy(piece, text, step);
			width = step;
		} else {
			step = 1;
			width = escape_byte((unsigned char)*text, piece);
		}
		if (at + width + 4 > bytes) {
			memcpy(buffer + at, "...", 3);
			at += 3;
			break;
		}
		memcpy(buffer + at, piece, width);
		at += width;
		text += step;
		n -= step;
	}
	buffer[at] = 0;
	return buffer;
}

void escape_quoted(FILE *out, const char *text, size_t n)
{
	fputc('"', out);
	while (n) {
		char piece[8];
		size_t step = printable(text, n);

		if (*text == '"' || *text == '\\') {
			fprintf(out, "\\%c", *text);
			step = 1;
		} else if (step) {
			fwrite(text, 1, step, out);
		} else {
			fwrite(piece, 1, escape_byte((unsigned char)*text, piece), out);
			step = 1;
		}
		text += step;
		n -= step;
	}
	fputc('"', out);
}

/* ---- Tables ----------------------------------------------------------------------------- */

enum { MAX_COLUMNS = 16 };

struct cell {
	char *text;
	enum paint paint;
};

struct table {
	const char *titles[MAX_COLUMNS];
	bool is_right[MAX_COLUMNS];
	size_t nr_columns;
	struct cell *cells;
	size_t nr, max;
};

struct table *table_new(const char *const *titles)
{
	struct table *table = calloc(1, sizeof(*table));

	for (; table && *titles && table->nr_columns < MAX_COLUMNS; titles++) {
		table->is_right[table->nr_columns] = **titles == '>';
		table->titles[table->nr_columns++] = *titles + (**titles == '>');
	}
	return table;
}

void table_cell(struct table *table, enum paint style, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	if (!table)
		return;
	if (table->nr == table->max) {
		size_t max = table->max ? 2 * table->max : 64;
		struct cell *more = reallocarray(table->cells, max, sizeof(*more));

		if (!more)
			return;
		table->cells = more;
		table->max = max;
	}
	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		text = NULL;
	table->cells[table->nr].text = text;
	table->cells[table->nr++].paint = style;
}

static void put_cell(const char *text, size_t width, bool is_right, bool is_last, enum paint style)
{
	size_t n = utf8_columns(text), pad = width > n ? width - n : 0;

	if (is_right)
		printf("%*s", (int)pad, "");
	if (style == PAINT_NONE)
		fputs(text, stdout);
	else
		printf("%s%s%s", paint(style), text, paint(PAINT_NONE));
	if (!is_last)
		printf("%*s  ", is_right ? 0 : (int)pad, "");
}

void table_print(struct table *table)
{
	size_t width[MAX_COLUMNS], i, c;

	if (!table)
		return;
	for (c = 0; c < table->nr_columns; c++)
		width[c] = strlen(table->titles[c]);
	for (i = 0; i < table->nr; i++) {
		size_t n = utf8_columns(table->cells[i].text ? table->cells[i].text : "");

		c = i % table->nr_columns;
		if (n > width[c])
			width[c] = n;
	}
	for (c = 0; table->nr && c < table->nr_columns; c++) {
		put_cell(table->titles[c], width[c], table->is_right[c],
			 c + 1 == table->nr_columns, PAINT_TITLE);
		if (c + 1 == table->nr_columns)
			putchar('\n');
	}
	for (i = 0; i < table->nr; i++) {
		c = i % table->nr_columns;
		put_cell(table->cells[i].text ? table->cells[i].text : "", width[c],
			 table->is_right[c], c + 1 == table->nr_columns, table->cells[i].paint);
		if (c + 1 == table->nr_columns)
			putchar('\n');
		free(table->cells[i].text);
	}
	free(table->cells);
	free(table);
}

/* ---- Numbers ---------------------------------------------------------------------------- */

const char *format_count(uint64_t n, char *buffer, size_t bytes)
{
	char digits[24];
	size_t nr = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), at = 0;

	for (size_t i = 0; i < nr && at + 2 < bytes; i++) {
		if (i && (nr - i) % 3 == 0)
			buffer[at++] = ',';
		buffer[at++] = digits[i];
	}
	buffer[at] = 0;
	return buffer;
}

const char *format_ns(double ns, char *buffer, size_t bytes)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	size_t unit = 0;

	for (; ns >= 1000 && unit < 3; unit++)
		ns /= 1000;
	snprintf(buffer, bytes, unit ? "%.3g %s" : "%.0f %s", ns, units[unit]);
	if (unit && ns >= 999.5) /* %.3g would write 1e+03 */
		snprintf(buffer, bytes, "%.0f %s", ns, units[unit]);
	return buffer;
}

const char *format_bytes(uint64_t n, char *buffer, size_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)n;
	size_t unit = 0;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	snprintf(buffer, bytes, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buffer;
}
