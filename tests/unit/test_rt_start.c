/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of the runtime: the segment's header and tables, what is kept, gates, switches,
 * environment.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define FIXTURE_PROGS                                                                            \
	{ .name = "here", .section = "uprobe/test_rt_start:f", .path = "test_rt_start",          \
	  .kind = INLAY_PROG_ENTRY, .flags = INLAY_PROG_F_PATH },                                \
	{ .name = "elsewhere", .section = "uprobe//bin/other:f", .path = "/bin/other",           \
	  .kind = INLAY_PROG_RETURN, .flags = INLAY_PROG_F_PATH },                               \
	{ .name = "off", .section = "uprobe", .kind = INLAY_PROG_ENTRY,                          \
	  .flags = INLAY_PROG_F_SWITCHED },                                                      \
	{ .name = "on", .section = "uprobe", .kind = INLAY_PROG_ENTRY,                           \
	  .flags = INLAY_PROG_F_SWITCHED | INLAY_PROG_F_SWITCHED_ON }

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"
#include "rt/inlay_rt_internal.h"

FIXTURE_ARRAY(0, counts, 4, 2000)
FIXTURE_HASH(1, hash, 8, 8, 100)
FIXTURE_PERCPU_ARRAY(2, per_thread, 8, 4)
FIXTURE_HUGE_ARRAY(3, huge, 8, 300000)
FIXTURE_RODATA(4, ro, "what the readers see")
FIXTURE_OBJECT("start", 0x57, FIXTURE_MAP(counts), FIXTURE_MAP(hash), FIXTURE_MAP(per_thread),
	       FIXTURE_MAP(huge), FIXTURE_MAP(ro))

/* Before the runtime's: what a probe counts there must not be lost. */
__attribute__((constructor(100))) static void count_early(void)
{
	volatile __u64 *region = fixture_region_counts;

	region[0] = 41;
	region[999] = 7;
}

static void test_header(void **state)
{
	struct inlay_segment seg = segment_head(__inlay_rt.fd);

	(void)state;
	assert_int_equal(__inlay_rt.mode, RT_FILE);
	assert_true(seg.magic == INLAY_SEGMENT_MAGIC);
	assert_int_equal(seg.abi_major, INLAY_ABI_MAJOR);
	assert_int_equal(seg.state, INLAY_SEGMENT_LIVE);
	assert_int_equal(seg.pid, getpid());
	assert_int_equal(seg.uid, geteuid());
	assert_true(seg.starttime > 0);
	assert_string_equal(strrchr(seg.exe, '/') + 1, "test_rt_start");
	assert_int_equal(seg.objects.nr, 1);
	assert_int_equal(seg.maps.nr, 5);
	assert_int_equal(seg.progs.nr, 4);
	assert_int_equal(seg.procs.nr, 1);
	assert_int_equal(seg.objects_refused, 0);
	assert_true(__inlay_trace_v1 && (char *)__inlay_trace_v1 ==
						(char *)__inlay_rt.head + seg.trace_off);
}

static void test_file(void **state)
{
	char path[512], expected[128];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/%s", __inlay_rt.dir, __inlay_rt.name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* every page is reserved, the huge map's too */
	assert_true(st.st_blocks * 512 >= st.st_size);
	assert_true((__u64)st.st_size >= segment_head(__inlay_rt.fd).total_bytes);
	snprintf(expected, sizeof(expected), "test_rt_start.%d.%llu", getpid(),
		 (unsigned long long)__inlay_rt.starttime);
	assert_string_equal(__inlay_rt.name, expected);
	assert_int_equal(stat(__inlay_rt.dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_rows(void **state)
{
	struct inlay_segment seg = segment_head(__inlay_rt.fd);
	struct inlay_seg_object object;
	struct inlay_seg_map map;
	struct inlay_seg_prog prog;
	char text[64];

	(void)state;
	assert_true(segment_get(__inlay_rt.fd, seg.objects.off, &object, sizeof(object)));
	assert_memory_equal(object.hash, fixture_object.hash, INLAY_HASH_BYTES);
	assert_string_equal(object.name, "start");
	assert_string_equal(object.license, "GPL");
	assert_int_equal(object.nr_maps, 5);
	assert_int_equal(object.nr_progs, 4);
	assert_int_equal(object.btf_bytes, sizeof(fixture_btf));
	assert_true(segment_get(__inlay_rt.fd, object.btf_off, text, sizeof(fixture_btf)));
	assert_string_equal(text, fixture_btf);
	assert_int_equal(segment_map(__inlay_rt.fd, "hash", &map), 1);
	assert_int_equal(map.type, INLAY_MAP_TYPE_HASH);
	assert_int_equal(map.bytes, inlay_map_region_bytes(map.type, 8, 8, 100));
	assert_int_equal(segment_map(__inlay_rt.fd, "ro", &map), 4);
	assert_true(segment_get(__inlay_rt.fd, map.off, text, map.value_size));
	assert_string_equal(text, "what the readers see");
	assert_true(segment_get(__inlay_rt.fd, seg.progs.off + 3 * sizeof(prog), &prog,
				sizeof(prog)));
	assert_string_equal(prog.name, "on");
	assert_int_equal(prog.index, 3);
}

static void test_counts(void **state)
{
	volatile __u64 *region = fixture_region_counts;
	__u64 *huge = fixture_base_huge;

	(void)state;
	assert_int_equal(segment_value(__inlay_rt.fd, "counts", 0), 41);
	assert_int_equal(segment_value(__inlay_rt.fd, "counts", 999), 7);
	region[0]++;
	assert_int_equal(segment_value(__inlay_rt.fd, "counts", 0), 42);
	assert_non_null(huge);
	huge[299999] = 5;
	assert_int_equal(segment_value(__inlay_rt.fd, "huge", 299999), 5);
	assert_true(fixture_percpu_add(&fixture_desc_per_thread, 3, 9));
	assert_int_equal(segment_value(__inlay_rt.fd, "per_thread", 3), 9);
}

static void test_gates_and_switches(void **state)
{
	struct inlay_segment seg = segment_head(__inlay_rt.fd);
	struct inlay_seg_object object;
	struct inlay_prog_ctl ctl;

	(void)state;
	assert_int_equal(fixture_gates[0], 1);
	assert_int_equal(fixture_gates[1], 0);
	assert_int_equal(fixture_ctl[2].on, 0);
	assert_int_equal(fixture_ctl[3].on, 1);
	/* another process switches it off */
	assert_true(segment_get(__inlay_rt.fd, seg.objects.off, &object, sizeof(object)));
	memset(&ctl, 0, sizeof(ctl));
	assert_int_equal(pwrite(__inlay_rt.fd, &ctl.on, 1,
				(off_t)(object.ctl_off + 3 * sizeof(ctl))), 1);
	assert_int_equal(*(volatile __u8 *)&fixture_ctl[3].on, 0);
}

static void test_gate_rule(void **state)
{
	static const struct {
		const char *path, *unit;
		bool is_open;
	} rows[] = {
		{ "/usr/bin/redis-server", NULL, true },
		{ "redis-server", NULL, true },
		{ "/opt/build/redis-server", NULL, true },
		{ "/usr/bin/redis-serve", NULL, false },
		{ "/usr/bin/redis-server2", NULL, false },
		{ "*", NULL, true },
		{ "/lib/libfoo.so.1", NULL, false },
		{ "/lib/libfoo.so.1", "/tmp/libfoo.so.1", true },
		{ "/lib/libfoo.so.1", "/tmp/libfoo.so.2", false },
		{ "/lib/libfoo.so.1", "", false },
	};
	struct rt_identity id = { .exe = "/usr/local/bin/redis-server" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(__inlay_gate_is_open(&id, rows[i].path, rows[i].unit),
				 rows[i].is_open);
	/* the same file under another name */
	id = __inlay_rt.id;
	strcpy(id.exe, "/renamed");
	assert_true(__inlay_gate_is_open(&id, "/proc/self/exe", NULL));
	assert_false(__inlay_gate_is_open(&id, "/bin/sh", NULL));
}

static void test_environment(void **state)
{
	char *const envp[] = { "INLAY_DIRX=/wrong", "INLAY_DIR=/somewhere", "INLAY_KEEP=1",
			       "INLAY_DISABLE=1", "INLAY_SEGMENT=shared", NULL };
	char *const off[] = { "INLAY_DIR=", "INLAY_KEEP=0", "INLAY_DISABLE=", NULL };
	struct rt_env env;

	(void)state;
	__inlay_env_read(false, envp, &env);
	assert_string_equal(env.dir, "/somewhere");
	assert_string_equal(env.segment, "shared");
	assert_true(env.is_kept && env.is_disabled);
	__inlay_env_read(true, envp, &env);
	assert_null(env.dir);
	assert_null(env.segment);
	assert_false(env.is_kept || env.is_disabled);
	__inlay_env_read(false, off, &env);
	assert_null(env.dir);
	assert_false(env.is_kept || env.is_disabled);
}

/* Descriptors are the target's: one that closes them all loses nothing that is counted. */
static void test_closed_descriptors(void **state)
{
	volatile __u64 *region = fixture_region_counts;
	int copy = dup(__inlay_rt.fd), fd, status;
	__u64 before = segment_value(copy, "counts", 5);
	pid_t pid;

	(void)state;
	assert_true(__inlay_rt.fd >= 900);
	pid = fork();
	if (!pid) {
		for (fd = 3; fd < 4096; fd++)
			if (fd != copy)
				close(fd);
		/* something else takes the number: it must not be touched */
		fd = open("/dev/null", O_RDWR);
		dup2(fd, __inlay_rt.fd);
		region[5]++;
		_exit(fixture_percpu_add(&fixture_desc_per_thread, 2, 1) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(segment_value(copy, "counts", 5), before + 1);
	assert_int_equal(segment_value(copy, "per_thread", 2), 1);
	close(copy);
}

/* ... and nothing else that has the number is opened: a terminal would become the target's own. */
static void test_terminal_in_our_place(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		int master = posix_openpt(O_RDWR | O_NOCTTY);
		int terminal = -1, fd;

		if (setsid() < 0 || master < 0 || grantpt(master) || unlockpt(master))
			_exit(2);
		terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
		if (terminal < 0 || dup2(terminal, __inlay_rt.fd) < 0)
			_exit(3);
		fd = __inlay_backing_reopen();
		if (fd < 0)
			_exit(4);
		_exit(open("/dev/tty", O_RDWR) >= 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* An object that stays private runs on as it was meant to start. */
static void test_switch_of_a_refused_object(void **state)
{
	static struct inlay_prog_ctl ctl[sizeof(fixture_ctl) / sizeof(fixture_ctl[0])]
		__attribute__((aligned(INLAY_PAGE_BYTES)));
	struct inlay_object_desc other = fixture_object;
	__u64 refused = __inlay_rt.head->seg.objects_refused;

	(void)state;
	other.nr_maps = 1; /* of another layout than the one with this hash */
	other.ctl = ctl;
	__inlay_object_add(&other, NULL);
	assert_int_equal(__inlay_rt.head->seg.objects_refused, refused + 1);
	assert_int_equal(ctl[2].on, 0);
	assert_int_equal(ctl[3].on, 1);
}

static void test_errno(void **state)
{
	(void)state;
	errno = 12345;
	__inlay_rt_start_v1();
	fixture_percpu_add(&fixture_desc_per_thread, 0, 1);
	assert_int_equal(errno, 12345);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_gates_and_switches),
		cmocka_unit_test(test_gate_rule),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_closed_descriptors),
		cmocka_unit_test(test_terminal_in_our_place),
		cmocka_unit_test(test_switch_of_a_refused_object),
		cmocka_unit_test(test_errno),
	};

	(void)fixture_objref;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
