/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbpfcc as its users have it: the shared library with the public header alone.
 */
#include "bpfcc_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static struct messages messages;

static struct inlay_bpfcc_object *open_probe(size_t opts_bytes)
{
	struct inlay_bpfcc_opts opts = {.sz = opts_bytes,
					.on_message = keep_message,
					.on_message_arg = &messages};
	struct inlay_bpfcc_object *object;
	int err;

	memset(&messages, 0, sizeof(messages));
	err = inlay_bpfcc_object_open(BPFCC_PROBE, NULL, 0, &opts, &object);
	if (err)
		fail_msg("%d: %s", err, messages.text);
	return object;
}

static void test_emit(void **unused)
{
	static const struct {
		enum inlay_bpfcc_output output;
		const char *name, *magic;
	} rows[] = {
		{INLAY_BPFCC_OBJ, "api.o", "\177ELF"},
		{INLAY_BPFCC_ASM, "api.s", "\t"},
		{INLAY_BPFCC_BC, "api.bc", "BC"},
		{INLAY_BPFCC_LL, "api.ll", "; Mod"},
	};
	char folder[] = "/tmp/inlay-api-XXXXXX", path[64];
	struct inlay_bpfcc_object *object = open_probe(sizeof(struct inlay_bpfcc_opts));

	(void)unused;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char *data;
		size_t bytes;

		snprintf(path, sizeof(path), "%s/%s", folder, rows[i].name);
		assert_int_equal(inlay_bpfcc_object_emit(object, rows[i].output, path), 0);
		data = read_whole(path, &bytes);
		assert_true(bytes > 100);
		assert_memory_equal(data, rows[i].magic, strlen(rows[i].magic));
		free(data);
		assert_int_equal(unlink(path), 0);
	}
	/* a message, and nothing left behind, not even a temporary name */
	snprintf(path, sizeof(path), "%s/none/api.o", folder);
	assert_true(inlay_bpfcc_object_emit(object, INLAY_BPFCC_OBJ, path) < 0);
	assert_true(messages.nr_errors > 0);
	assert_int_equal(rmdir(folder), 0);
	inlay_bpfcc_object_free(object);
}

/* A caller that was built with an older header has a shorter struct. */
static void test_older_opts(void **unused)
{
	struct inlay_bpfcc_object *object = open_probe(offsetof(struct inlay_bpfcc_opts, sets));
	char hash[33];

	(void)unused;
	inlay_bpfcc_object_hash(object, hash);
	assert_int_equal(strlen(hash), 32);
	assert_true(strlen(inlay_bpfcc_version()) >= 5);
	inlay_bpfcc_object_free(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit),
		cmocka_unit_test(test_older_opts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
