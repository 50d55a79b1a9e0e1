/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader library on a sound segment, and on those that it must refuse with a reason. */
#include "reader_fixture.h"

#include <errno.h>
#include "skip.h"

static struct image image;

static int setup(void **state)
{
	(void)state;
	image_init(&image);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	image_fini(&image);
	return 0;
}

static struct inlay_reader *open_image(bool is_writable)
{
	struct inlay_segment_opts opts = image_opts(&image, NULL, 0);
	struct inlay_reader *reader = NULL;

	opts.is_writable = is_writable;
	assert_int_equal(inlay_segment_open("kv.4242.777", &opts, &reader), 0);
	return reader;
}

static struct inlay_map *open_map(struct inlay_reader *reader, uint32_t index)
{
	struct inlay_map *map = NULL;

	assert_int_equal(inlay_map_open(reader, index, &map), 0);
	return map;
}

static void test_info(void **state)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
	struct inlay_proc_info proc = INLAY_SIZED(inlay_proc_info);
	struct inlay_reader *reader = open_image(false);

	(void)state;
	assert_int_equal(inlay_segment_info(reader, &info), 0);
	assert_string_equal(info.path, image.path);
	assert_int_equal(info.pid, 4242);
	assert_string_equal(info.exe, "/usr/bin/kv");
	assert_int_equal(info.exe_base, 0x10000);
	assert_int_equal(info.nr_maps, NR_MAPS);
	assert_int_equal(info.nr_alive, 1);
	assert_int_equal(inlay_segment_proc(reader, 0, &proc), 0);
	assert_true(proc.is_alive);
	assert_int_equal(inlay_segment_proc(reader, 1, &proc), 0);
	assert_int_equal(proc.pid, 4300);
	assert_false(proc.is_alive);
	assert_int_equal(inlay_segment_proc(reader, 2, &proc), -ENOENT);
	assert_int_equal(inlay_segment_object(reader, 0, &object), 0);
	assert_string_equal(object.name, "conns");
	assert_string_equal(object.license, "GPL");
	assert_int_equal(object.hash[1], 0xcd);
	assert_int_equal(inlay_segment_object(reader, 1, &object), -ENOENT);
	inlay_segment_close(reader);
}

/* An old program's smaller structure is not written past its end. */
static void test_sized(void **state)
{
	struct {
		size_t sz;
		const char *path;
		uint64_t canary;
	} old = { .sz = 2 * sizeof(size_t), .canary = 99 };
	struct inlay_reader *reader = open_image(false);
	struct inlay_segment_info none = { 0 };

	(void)state;
	assert_int_equal(inlay_segment_info(reader, (struct inlay_segment_info *)(void *)&old), 0);
	assert_string_equal(old.path, image.path);
	assert_int_equal(old.canary, 99);
	assert_int_equal(inlay_segment_info(reader, &none), -EINVAL);
	inlay_segment_close(reader);
}

static void test_array(void **state)
{
	struct inlay_reader *reader = open_image(false);
	struct inlay_map *map = open_map(reader, MAP_COUNTS);
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	uint64_t value = 0;
	uint32_t key = 3, nr = 0;

	(void)state;
	assert_int_equal(inlay_map_get(map, &key, &value), 0);
	assert_true(value == ~0ull);
	key = 4;
	assert_int_equal(inlay_map_get(map, &key, &value), -ENOENT);
	assert_int_equal(inlay_map_iter_new(map, &iter), 0);
	while (!inlay_map_iter_next(iter, &entry)) {
		assert_int_equal(*(const uint32_t *)entry->key, nr);
		assert_int_equal(entry->nr_shards, 1);
		assert_null(entry->tids);
		nr++;
	}
	assert_int_equal(nr, 4);
	inlay_map_iter_free(iter);
	inlay_map_close(map);
	inlay_segment_close(reader);
}

/* Reads the keys of the hash map; they are ordered by their bytes: pid 37, 38, 39. */
static void check_conns(void)
{
	struct inlay_reader *reader = open_image(false);
	struct inlay_map *map = open_map(reader, MAP_CONNS);
	struct conn_key key = { .pid = 38, .comm = "worker2" };
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	struct conn_value value;
	uint32_t pid = 37;

	assert_int_equal(inlay_map_iter_new(map, &iter), 0);
	while (!inlay_map_iter_next(iter, &entry)) {
		assert_int_equal(((const struct conn_key *)entry->key)->pid, pid);
		memcpy(&value, entry->value, sizeof(value));
		assert_int_equal(value.last_fd, 40 - pid);
		assert_int_equal(value.slots[40 - pid], 10 * (40 - pid));
		pid++;
	}
	assert_int_equal(pid, 40);
	inlay_map_iter_free(iter);
	assert_int_equal(inlay_map_get(map, &key, &value), 0);
	assert_int_equal(value.last_fd, 2);
	key.pid = 36; /* the deleted node's */
	strcpy(key.comm, "worker4");
	assert_int_equal(inlay_map_get(map, &key, &value), -ENOENT);
	inlay_map_close(map);
	inlay_segment_close(reader);
}

static struct inlay_hash_node *conns_node(uint32_t nr)
{
	return (void *)(image.bytes + image.conns_off + inlay_hash_nodes_off(8) +
			(nr - 1) * (uint64_t)inlay_hash_node_bytes(sizeof(struct conn_key),
								   sizeof(struct conn_value), 0));
}

static void test_hash(void **state)
{
	(void)state;
	/* as the deleting process leaves it: taken off, then given back */
	conns_node(1)->next = 2;
	conns_node(4)->life = INLAY_NODE_FREE | 3ull << 32;
	conns_node(4)->next = 0;
	image_write(&image);
	check_conns();
}

/* A writer was killed with a node in its hands, not linked yet or not any more: no key. */
static void test_hash_killed_writer(void **state)
{
	(void)state;
	conns_node(1)->next = 2;
	conns_node(4)->life = INLAY_NODE_USED | 7 << INLAY_LIFE_OWNER_SHIFT | 3ull << 32;
	conns_node(4)->next = 0;
	image_write(&image);
	check_conns();
}

/* A deleted node that nobody has taken off yet leads on to the others. */
static void test_hash_marked(void **state)
{
	(void)state;
	check_conns();
}

/* A chain that bites its tail is refused, not followed for ever. */
static void test_hash_cycle(void **state)
{
	struct inlay_reader *reader;
	struct inlay_map_iter *iter;
	struct inlay_map *map;

	(void)state;
	conns_node(3)->next = 1;
	image_write(&image);
	reader = open_image(false);
	map = open_map(reader, MAP_CONNS);
	assert_int_equal(inlay_map_iter_new(map, &iter), -EBADMSG);
	inlay_map_close(map);
	inlay_segment_close(reader);
}

static void test_percpu(void **state)
{
	struct inlay_reader *reader = open_image(false);
	struct inlay_map *map = open_map(reader, MAP_PER_THREAD);
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	uint64_t value, func = 0x401000;
	uint32_t key = 3;

	(void)state;
	assert_int_equal(inlay_map_info(map, &info), 0);
	assert_int_equal(info.nr_shards, 2);
	assert_int_equal(inlay_map_get(map, &key, &value), 0);
	assert_int_equal(value, 2000);
	assert_int_equal(inlay_map_iter_new(map, &iter), 0);
	assert_int_equal(inlay_map_iter_next(iter, &entry), 0);
	assert_int_equal(*(const uint64_t *)entry->value, 15);
	assert_int_equal(entry->nr_shards, 2);
	assert_int_equal(entry->tids[0], 100);
	assert_int_equal(entry->tids[1], 101);
	assert_int_equal(((const uint64_t *)entry->shards)[1], 8);
	inlay_map_iter_free(iter);
	inlay_map_close(map);

	/* the second thread's value belongs to an earlier user of the node */
	map = open_map(reader, MAP_BY_FUNC);
	assert_int_equal(inlay_map_get(map, &func, &value), 0);
	assert_int_equal(value, 21);
	inlay_map_close(map);
	inlay_segment_close(reader);
}

static void test_other_maps(void **state)
{
	struct inlay_reader *reader = open_image(false);
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	struct inlay_map *map;

	(void)state;
	assert_int_equal(inlay_segment_map(reader, MAP_ODD, &info), 0);
	assert_int_equal(info.type, 77);
	assert_int_equal(inlay_map_open(reader, MAP_ODD, &map), -EOPNOTSUPP);
	assert_int_equal(inlay_map_open(reader, NR_MAPS, &map), -ENOENT);
	((struct inlay_seg_map *)image_row(&image, &image.head->maps, MAP_COUNTS))->off = 0;
	image_write(&image);
	assert_int_equal(inlay_map_open(reader, MAP_COUNTS, &map), -ENODATA);
	inlay_segment_close(reader);
}

/* Rows as they were before members were appended to them. */
static void test_shorter_rows(void **state)
{
	const uint32_t bytes = offsetof(struct inlay_seg_map, extra);
	char *rows = image.bytes + image.head->maps.off;
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	struct inlay_reader *reader;
	struct inlay_map *map;
	uint64_t value;
	uint32_t key = 0;

	(void)state;
	for (uint32_t i = 1; i < NR_MAPS; i++)
		memmove(rows + i * bytes, rows + i * sizeof(struct inlay_seg_map), bytes);
	image.head->maps.entry_bytes = bytes;
	image_write(&image);
	reader = open_image(false);
	for (uint32_t i = 0; i < NR_MAPS; i++)
		assert_int_equal(inlay_segment_map(reader, i, &info), 0);
	assert_string_equal(info.name, "odd");
	map = open_map(reader, MAP_COUNTS);
	assert_int_equal(inlay_map_get(map, &key, &value), 0);
	assert_int_equal(value, 11);
	inlay_map_close(map);
	inlay_segment_close(reader);
}

static void test_programs(void **state)
{
	struct inlay_prog_info prog = INLAY_SIZED(inlay_prog_info);
	struct inlay_reader *reader = open_image(false);

	(void)state;
	assert_int_equal(inlay_segment_prog(reader, PROG_SWITCHED, &prog), 0);
	assert_string_equal(prog.name, "switched");
	assert_string_equal(prog.section, "uprobe/kv:get");
	assert_int_equal(prog.misses, 4);
	assert_int_equal(prog.drops, 1);
	assert_int_equal(prog.runs, 100);
	assert_int_equal(prog.time_ns, 5000);
	assert_false(prog.is_on);
	assert_int_equal(inlay_segment_prog_switch(reader, PROG_SWITCHED, true), -EBADF);
	inlay_segment_close(reader);

	reader = open_image(true);
	assert_int_equal(inlay_segment_prog_switch(reader, PROG_SWITCHED, true), 0);
	assert_int_equal(inlay_segment_prog(reader, PROG_SWITCHED, &prog), 0);
	assert_true(prog.is_on);
	assert_int_equal(prog.misses, 4); /* and nothing else was touched */
	assert_int_equal(inlay_segment_prog_switch(reader, PROG_SWITCHED, false), 0);
	assert_int_equal(inlay_segment_prog(reader, PROG_SWITCHED, &prog), 0);
	assert_false(prog.is_on);
	assert_int_equal(inlay_segment_prog_switch(reader, PROG_FIXED, true), -EOPNOTSUPP);
	assert_int_equal(inlay_segment_prog_switch(reader, 9, true), -ENOENT);
	inlay_segment_close(reader);
}

static void test_btf(void **state)
{
	struct inlay_reader *reader = open_image(false);
	const struct btf *btf = NULL;

	(void)state;
	assert_int_equal(inlay_segment_btf(reader, 0, &btf), 0);
	assert_true(btf__find_by_name_kind(btf, "conn_key", BTF_KIND_STRUCT) > 0);
	assert_int_equal(inlay_segment_btf(reader, 1, &btf), -ENOENT);
	assert_int_equal(inlay_segment_btf(reader, ~0u, &btf), -ENOENT);
	inlay_segment_close(reader);
}

static void test_trace(void **state)
{
	struct inlay_trace_line line = INLAY_SIZED(inlay_trace_line);
	struct inlay_reader *reader = open_image(false);
	struct inlay_trace *trace;
	uint64_t cursor = 0;

	(void)state;
	assert_int_equal(inlay_segment_trace(reader, &cursor, &line), 0);
	assert_string_equal(line.text, "line 0\n");
	assert_int_equal(line.tid, 7);
	assert_int_equal(line.lost, 0);
	/* the second is still being written: it is waited for */
	assert_int_equal(inlay_segment_trace(reader, &cursor, &line), -ENOENT);
	assert_int_equal(cursor, 1);
	/* a ring that has gone round: the oldest that is left, and how many are not */
	trace = (void *)(image.bytes + image.head->trace_off);
	trace->next_ticket = 1000;
	for (uint64_t i = 1000 - INLAY_TRACE_RECORDS; i < 1000; i++)
		trace->records[i % INLAY_TRACE_RECORDS].seq = 2 * i + 2;
	image_write(&image);
	assert_int_equal(inlay_segment_trace(reader, &cursor, &line), 0);
	assert_int_equal(line.lost, 1000 - INLAY_TRACE_RECORDS - 1);
	/* one that fits, and one that was cut */
	for (uint32_t bytes = 104; bytes <= 105; bytes++) {
		struct inlay_trace_record *r = &trace->records[999 % INLAY_TRACE_RECORDS];

		memset(r->text, 'x', sizeof(r->text));
		r->text_bytes = bytes;
		image_write(&image);
		cursor = 999;
		assert_int_equal(inlay_segment_trace(reader, &cursor, &line), 0);
		assert_int_equal(strlen(line.text), 104);
		assert_string_equal(line.text + 101, bytes > 104 ? "..." : "xxx");
	}
	inlay_segment_close(reader);
}

/* ---- Who and which ---------------------------------------------------------------------- */

static void test_reader_lock(void **state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			      .l_start = (off_t)INLAY_READER_LOCK, .l_len = 1 };
	struct inlay_reader *reader = open_image(false);

	(void)state;
	assert_int_equal(fcntl(image.lock_fd, F_OFD_GETLK, &lock), 0);
	assert_int_equal(lock.l_type, F_RDLCK);
	inlay_segment_close(reader);
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET,
			       .l_start = (off_t)INLAY_READER_LOCK, .l_len = 1 };
	assert_int_equal(fcntl(image.lock_fd, F_OFD_GETLK, &lock), 0);
	assert_int_equal(lock.l_type, F_UNLCK);
}

static void test_open_pid(void **state)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	char reason[256] = "";
	struct inlay_segment_opts opts = image_opts(&image, reason, sizeof(reason));
	struct inlay_reader *reader = NULL;

	(void)state;
	assert_int_equal(inlay_segment_open_pid(4242, &opts, &reader), 0);
	assert_int_equal(inlay_segment_info(reader, &info), 0);
	assert_string_equal(info.path, image.path);
	inlay_segment_close(reader);
	/* this test's own process has no segment */
	assert_int_equal(inlay_segment_open_pid(getpid(), &opts, &reader), -ENOENT);
	assert_non_null(strstr(reason, "no segment"));
}

static int count_files(void *arg, const char *path, struct inlay_reader *reader, int error,
		       const char *reason)
{
	int *counts = arg;

	assert_non_null(path);
	assert_true(reader ? !error : error && *reason);
	counts[!reader]++;
	return 0;
}

static void test_list(void **state)
{
	struct inlay_segment_opts opts = image_opts(&image, NULL, 0);
	int counts[2] = { 0 }, fd;
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/short", image.dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(inlay_segment_list(&opts, count_files, counts), 0);
	unlink(path);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 1);
	opts.dir = "/nonexistent/inlay";
	assert_int_equal(inlay_segment_list(&opts, count_files, counts), 0);
}

static void check_refused(int error, const char *why)
{
	char reason[256] = "";
	struct inlay_segment_opts opts = image_opts(&image, reason, sizeof(reason));
	struct inlay_reader *reader = NULL;

	assert_int_equal(inlay_segment_open("kv.4242.777", &opts, &reader), error);
	assert_null(reader);
	if (!strstr(reason, why))
		fail_msg("'%s' does not say '%s'", reason, why);
}

static void test_refused_header(void **state)
{
	(void)state;
	image.head->abi_major = INLAY_ABI_MAJOR + 1;
	image_write(&image);
	check_refused(-EPROTO, "ABI version");
	image.head->abi_major = INLAY_ABI_MAJOR;
	image.head->state = INLAY_SEGMENT_MAKING;
	image_write(&image);
	check_refused(-EAGAIN, "still making");
	image.head->state = INLAY_SEGMENT_LIVE;
	image.head->magic++;
	image_write(&image);
	check_refused(-EBADMSG, "magic");
	image.head->magic--;
	image.head->maps.off = ~0ull - 7;
	image_write(&image);
	check_refused(-EBADMSG, "table");
	/* a newer minor version is read */
	image.head->maps.off = image.head->objects.off + 2 * sizeof(struct inlay_seg_object);
	image.head->abi_minor++;
	image_write(&image);
	inlay_segment_close(open_image(false));
}

static void test_refused_file(void **state)
{
	char real[160];

	(void)state;
	snprintf(real, sizeof(real), "%s/real", image.dir);
	assert_int_equal(rename(image.path, real), 0);
	assert_int_equal(symlink(real, image.path), 0);
	check_refused(-EPERM, "symbolic link");
	unlink(image.path);
	assert_int_equal(mkfifo(image.path, 0600), 0);
	check_refused(-EBADMSG, "regular file");
	unlink(image.path);
	assert_int_equal(rename(real, image.path), 0);
	assert_int_equal(chmod(image.dir, 0755), 0);
	check_refused(-EPERM, "mode 755");
	assert_int_equal(chmod(image.dir, 0700), 0);
	inlay_segment_close(open_image(false));
}

static void test_refused_user(void **state)
{
	struct inlay_segment_opts opts = image_opts(&image, NULL, 0);
	struct inlay_reader *reader = NULL;

	(void)state;
	if (geteuid())
		skip_because("only root can give a file to another user");
	assert_int_equal(chown(image.path, 65534, 65534), 0);
	check_refused(-EPERM, "belongs to user 65534");
	assert_int_equal(chown(image.dir, 65534, 65534), 0);
	check_refused(-EPERM, "belongs to user 65534");
	opts.is_owner_given = true;
	opts.owner = 65534;
	assert_int_equal(inlay_segment_open("kv.4242.777", &opts, &reader), 0);
	inlay_segment_close(reader);
	assert_int_equal(chown(image.dir, 0, 0), 0);
}

/* ---- Truncation ------------------------------------------------------------------------- */

static void test_cut_before(void **state)
{
	(void)state;
	for (uint64_t bytes = 0; bytes < image.used; bytes += 509) {
		struct inlay_segment_opts opts = image_opts(&image, NULL, 0);
		struct inlay_reader *reader = NULL;

		image_write(&image);
		assert_int_equal(truncate(image.path, (off_t)bytes), 0);
		assert_int_equal(inlay_segment_open("kv.4242.777", &opts, &reader), -EBADMSG);
	}
}

static void test_cut_under_reader(void **state)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct inlay_reader *reader = open_image(false);
	struct inlay_map *map = open_map(reader, MAP_COUNTS);
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	uint32_t key = 0;
	uint64_t value;

	(void)state;
	assert_int_equal(inlay_map_iter_new(map, &iter), 0);
	assert_int_equal(truncate(image.path, (off_t)image.counts_off + 3), 0);
	assert_int_equal(inlay_map_get(map, &key, &value), -ESTALE);
	assert_int_equal(inlay_map_iter_next(iter, &entry), -ESTALE);
	inlay_map_iter_free(iter);
	assert_int_equal(inlay_segment_info(reader, &info), 0);
	assert_int_equal(truncate(image.path, 0), 0);
	assert_int_equal(inlay_segment_info(reader, &info), -ESTALE);
	inlay_map_close(map);
	inlay_segment_close(reader);
}

/* ---- Sums ------------------------------------------------------------------------------- */

static void test_sum_typed(void **state)
{
	struct conn_value sum = { 0 }, a = { .last_fd = 3, .is_open = 1 };
	struct conn_value b = { .last_fd = 0xffffffff, .is_open = 1 };
	struct types ids;
	struct btf *btf = fixture_types(&ids);

	(void)state;
	a.slots[7] = 5;
	b.slots[7] = ~0ull;
	inlay_value_sum(btf, (uint32_t)ids.hist, &sum, &a, sizeof(sum));
	inlay_value_sum(btf, (uint32_t)ids.hist, &sum, &b, sizeof(sum));
	assert_int_equal(sum.slots[7], 4);
	assert_int_equal(sum.last_fd, 2);	/* carries stay in the member */
	assert_int_equal(sum.is_open, 1);	/* two truths are one */
	btf__free(btf);
}

static void test_sum_untyped(void **state)
{
	uint32_t sum[3] = { 1, 2, 0xffffffff }, add[3] = { 1, 1, 1 };
	uint64_t wide = 0xffffffff, one = 1;

	(void)state;
	inlay_value_sum(NULL, 0, sum, add, sizeof(sum));
	assert_int_equal(sum[0], 2);
	assert_int_equal(sum[1], 3);
	assert_int_equal(sum[2], 0);
	inlay_value_sum(NULL, 0, &wide, &one, sizeof(wide));
	assert_true(wide == 0x100000000ull);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_info), TEST(test_sized), TEST(test_array), TEST(test_hash),
		TEST(test_hash_killed_writer), TEST(test_hash_marked), TEST(test_hash_cycle),
		TEST(test_percpu), TEST(test_other_maps), TEST(test_shorter_rows), TEST(test_programs), TEST(test_btf),
		TEST(test_trace), TEST(test_reader_lock), TEST(test_open_pid), TEST(test_list),
		TEST(test_refused_header), TEST(test_refused_file), TEST(test_refused_user),
		TEST(test_cut_before), TEST(test_cut_under_reader),
		cmocka_unit_test(test_sum_typed), cmocka_unit_test(test_sum_untyped),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
