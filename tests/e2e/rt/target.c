/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target with hand-written probes for the runtime's end-to-end tests. It counts, and compares
 * what it counted with what a reader finds in the segment. Prints key=value lines; exit 0: all
 * equal.
 *
 *	check			count with threads, children and in place; print mode= and path=
 *	join			count in a segment that others use too
 *	joined			... and see it there under its name
 *	off			what holds under INLAY_DISABLE=1 or with another ABI
 *	wait			check, then wait for the end of the input and exit
 *	crash			check, then die by SIGKILL
 *	exec ARG...		run this program again as ARG...
 *	daemon			fork; the parent exits, the child closes every descriptor and counts
 *	dlopen LIB...		load libraries that carry probes, hit them, unload and load again
 *	dlmopen LIB		load it into a namespace of its own
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FIXTURE_PROGS                                                                            \
	{ .name = "named", .section = "uprobe/target:f", .path = TARGET_NAME,                    \
	  .kind = INLAY_PROG_ENTRY, .flags = INLAY_PROG_F_PATH },                                \
	{ .name = "other", .section = "uprobe//bin/other:f", .path = "/bin/other",               \
	  .kind = INLAY_PROG_ENTRY, .flags = INLAY_PROG_F_PATH }

#ifndef TARGET_NAME
#define TARGET_NAME "target"
#endif

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"

FIXTURE_ARRAY(0, counts, 8, 1000)
FIXTURE_PERCPU_ARRAY(1, per_thread, 8, 4)
FIXTURE_HUGE_ARRAY(2, huge, 8, 200000)
#ifdef TARGET_ABI_MAJOR
FIXTURE_OBJECT_ABI("target", 0x7a, TARGET_ABI_MAJOR, FIXTURE_MAP(counts), FIXTURE_MAP(per_thread),
		   FIXTURE_MAP(huge))
#else
FIXTURE_OBJECT("target", 0x7a, FIXTURE_MAP(counts), FIXTURE_MAP(per_thread), FIXTURE_MAP(huge))
#endif

__attribute__((constructor(100))) static void count_early(void)
{
	((volatile __u64 *)fixture_region_counts)[999] = 99;
}

static int failures;

static void expect(const char *what, unsigned long long is, unsigned long long wanted)
{
	if (is == wanted)
		return;
	printf("wrong=%s is %llu, not %llu\n", what, is, wanted);
	failures++;
}

/* ---- the segment as somebody else would find it ----------------------------------------- */

static char segment_path[600];

/* The n-th mapped segment of this process (0 is the first made); NULL if there is none. */
static const char *segment_find(void)
{
	char line[1024];
	FILE *f = fopen("/proc/self/maps", "r");

	segment_path[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		char *name = strchr(line, '/');

		if (!name || strstr(line, "rw-s") == NULL || !strstr(name, TARGET_NAME "."))
			continue;
		name[strcspn(name, "\n")] = '\0';
		snprintf(segment_path, sizeof(segment_path), "%s", name);
		break;
	}
	if (f)
		fclose(f);
	return segment_path[0] ? segment_path : NULL;
}

static int segment_fd(const char **ret_mode)
{
	const char *path = segment_find();
	int fd;

	*ret_mode = "private";
	if (!path)
		return -1;
	if (strncmp(path, "/memfd:", 7)) {
		*ret_mode = "file";
		return open(path, O_RDONLY);
	}
	*ret_mode = "memfd";
	for (fd = 3; fd < 4096; fd++) {
		char link[64], to[512];
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, to, sizeof(to) - 1);
		if (n > 0) {
			to[n] = '\0';
			if (!strcmp(to, path))
				return open(link, O_RDONLY);
		}
	}
	return -1;
}

/* ---- counting --------------------------------------------------------------------------- */

static void *thread_main(void *arg)
{
	int i;

	for (i = 0; i < 100; i++)
		expect("thread hit",
		       (unsigned int)fixture_percpu_add(&fixture_desc_per_thread, 1, 1), 1);
	return arg;
}

static void count(void)
{
	volatile __u64 *region = fixture_region_counts;
	pthread_t threads[3];
	int i, status;
	pid_t pid;

	region[1] += 10;
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, thread_main, NULL);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	pid = fork();
	if (!pid) {
		__atomic_fetch_add(&fixture_region_counts[2], 5, __ATOMIC_RELAXED);
		thread_main(NULL);
		_exit(failures != 0);
	}
	waitpid(pid, &status, 0);
	expect("child", (unsigned int)status, 0);
	if (fixture_base_huge)
		((volatile __u64 *)fixture_base_huge)[199999] = 3;
}

static void check(void)
{
	const char *mode;
	int fd;

	count();
	fd = segment_fd(&mode);
	printf("mode=%s\npath=%s\n", mode, segment_path);
	expect("kept", fixture_region_counts[999], 99);
	expect("counted", fixture_region_counts[1], 10);
	if (fd >= 0) {
		expect("state", segment_head(fd).state, INLAY_SEGMENT_LIVE);
		expect("kept, read", segment_value(fd, "counts", 999), 99);
		expect("counted, read", segment_value(fd, "counts", 1), 10);
		expect("child, read", segment_value(fd, "counts", 2), 5);
		expect("per thread, read", segment_value(fd, "per_thread", 1), 400);
		expect("huge, read", segment_value(fd, "huge", 199999), 3);
		close(fd);
	}
	expect("gate", fixture_gates[0], 1);
	expect("other gate", fixture_gates[1], 0);
}

/*
 * Under INLAY_DISABLE=1, and for an object of another ABI: runs on, counts for itself, gates
 * shut.
 */
static void check_off(void)
{
	volatile __u64 *region = fixture_region_counts;
	const char *mode;
	int fd = segment_fd(&mode);

	region[1] += 10;
	printf("mode=%s\npath=%s\n", mode, segment_path);
	expect("kept", fixture_region_counts[999], 99);
	expect("counted", fixture_region_counts[1], 10);
	expect("dropped", (unsigned int)fixture_percpu_add(&fixture_desc_per_thread, 1, 1), 0);
	expect("gate", fixture_gates[0], 0);
	if (fd >= 0) {
		printf("refused=%llu\n", (unsigned long long)segment_head(fd).objects_refused);
		close(fd);
	}
}

/* Adds to what other processes of a joined segment count; the caller checks the sums. */
static void join(void)
{
	__atomic_fetch_add(&fixture_region_counts[1], 10, __ATOMIC_RELAXED);
	thread_main(NULL);
}

/* What this process counts can be read under the segment's name for as long as it lives. */
static void joined(void)
{
	__u64 before = __atomic_fetch_add(&fixture_region_counts[4], 1, __ATOMIC_RELAXED);
	char path[1200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", getenv("INLAY_DIR"), getenv("INLAY_SEGMENT"));
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		printf("wrong=no %s\n", path);
		failures++;
		return;
	}
	expect("seen by others", segment_value(fd, "counts", 4) > before, 1);
	close(fd);
}

static void as_daemon(void)
{
	volatile __u64 *region = fixture_region_counts;
	const char *mode;
	char byte;
	int fd = segment_fd(&mode);

	printf("path=%s\n", segment_path);
	fflush(stdout);
	if (fd >= 0)
		close(fd);
	if (fork())
		exit(0);
	for (fd = 1; fd < 4096; fd++)
		close(fd);
	region[3] = 33;
	fixture_percpu_add(&fixture_desc_per_thread, 3, 33);
	while (read(0, &byte, 1) > 0)
		;
}

#ifndef TARGET_STATIC
static void lib_check(const char *path, void *ns, unsigned long long *ret_count)
{
	void *lib = ns ? ns : dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void (*hit)(void);
	unsigned long long (*get)(void);
	const char *mode;
	int fd;

	if (!lib) {
		printf("wrong=%s\n", dlerror());
		failures++;
		return;
	}
	hit = (void (*)(void))dlsym(lib, "lib_hit");
	get = (unsigned long long (*)(void))dlsym(lib, "lib_count");
	if (!hit || !get) {
		printf("wrong=%s\n", dlerror());
		failures++;
		return;
	}
	hit();
	*ret_count += 1;
	/* two libraries with one object see one count */
	expect("library's count", get(), *ret_count);
	fd = segment_fd(&mode);
	if (fd >= 0 && !ns) {
		expect("library, read", segment_value(fd, "lib_counts", 0), *ret_count);
		expect("library per thread, read", segment_value(fd, "lib_per_thread", 0),
		       *ret_count);
	}
	if (fd >= 0)
		close(fd);
	if (!ns)
		dlclose(lib);
}

static void *lib_thread(void *arg)
{
	unsigned long long *total = arg;

	lib_check(getenv("TARGET_LIB"), NULL, total);
	return NULL;
}

static int nr_mappings(void)
{
	char line[1024];
	FILE *f = fopen("/proc/self/maps", "r");
	int nr = 0;

	while (f && fgets(line, sizeof(line), f))
		nr += strstr(line, "rw-s") != NULL;
	if (f)
		fclose(f);
	return nr;
}

static void with_libraries(int argc, char **argv)
{
	unsigned long long total = 0;
	int round, i, before = 0;
	pthread_t thread;

	for (round = 0; round < 3; round++)
		for (i = 0; i < argc; i++)
			lib_check(argv[i], NULL, &total);
	/* a thread that ends after its library is gone */
	setenv("TARGET_LIB", argv[0], 1);
	for (i = 0; i < 10; i++) {
		pthread_create(&thread, NULL, lib_thread, &total);
		pthread_join(thread, NULL);
		if (!i)
			before = nr_mappings();
	}
	expect("mappings after many loads", (unsigned int)nr_mappings(), (unsigned int)before);
	check();
}

static void with_namespace(const char *path)
{
	unsigned long long total = 0;
	void *lib = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);

	if (!lib) {
		printf("wrong=%s\n", dlerror());
		failures++;
		return;
	}
	lib_check(path, lib, &total);
	check();
}
#endif

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "check";
	char byte;

	(void)fixture_objref;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "check")) {
		check();
	} else if (!strcmp(what, "off")) {
		check_off();
	} else if (!strcmp(what, "join")) {
		join();
	} else if (!strcmp(what, "joined")) {
		joined();
	} else if (!strcmp(what, "wait")) {
		check();
		while (read(0, &byte, 1) > 0)
			;
	} else if (!strcmp(what, "crash")) {
		check();
		raise(SIGKILL);
	} else if (!strcmp(what, "exec")) {
		check();
		execv("/proc/self/exe", argv + 1);
	} else if (!strcmp(what, "daemon")) {
		as_daemon();
#ifndef TARGET_STATIC
	} else if (!strcmp(what, "dlopen")) {
		with_libraries(argc - 2, argv + 2);
	} else if (!strcmp(what, "dlmopen")) {
		with_namespace(argv[2]);
#endif
	} else {
		return 2;
	}
	return failures != 0;
}
