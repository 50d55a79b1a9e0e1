/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash map that is larger than the file system its segment is in. Prints key=value lines; exit 0:
 * what is in the map is what was inserted, and nothing was a SIGBUS.
 *
 *	start		a handful of entries; kbytes= is what the segment takes
 *	all		as many as the map may have
 *	fill		until there is no room; then entries that are deleted make room, and children
 *			go on in it
 *	room FILE	the same, and FILE is removed when there is no room
 *	threads		several threads fill it, interrupted by handlers that do the same
 *	kills		children that fill it are killed; it is filled up after them
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fixture_object.h"
#include "rt/inline/map_each.h"
#include "rt/inlay_rt_internal.h"

enum { VALUE_BYTES = 256, ENTRIES = 100000, NR_THREADS = 4 };
#define REGION_BYTES                                                                             \
	FIXTURE_PAGES(sizeof(struct inlay_hash_header) + 8ull * FIXTURE_BUCKETS(ENTRIES) +       \
		      (sizeof(struct inlay_hash_node) + 8 + VALUE_BYTES) *                       \
			      ((__u64)ENTRIES + INLAY_HASH_SPARES) +                             \
		      16 * (((ENTRIES + INLAY_HASH_SPARES + 63) / 64) +                          \
			    ((ENTRIES + INLAY_HASH_SPARES + 63) / 64 + 63) / 64))

static void *base;
static const struct inlay_map_desc desc = {
	.desc_bytes = sizeof(desc),
	.type = INLAY_MAP_TYPE_HASH,
	.key_size = 8,
	.value_size = VALUE_BYTES,
	.value_stride = VALUE_BYTES,
	.max_entries = ENTRIES,
	.flags = INLAY_MAP_HASH | INLAY_MAP_HUGE,
	.region_bytes = REGION_BYTES,
	.base = &base,
	.name = "large",
	.object = &fixture_object,
};
FIXTURE_OBJECT("huge", 0x7e, &desc)

static int failures;

static void expect(const char *what, long long is, long long wanted)
{
	if (is == wanted)
		return;
	if (failures++ < 10)
		printf("FAIL %s: %lld, not %lld\n", what, is, wanted);
}

static __s64 insert(__u64 key)
{
	__u64 value[VALUE_BYTES / 8];

	for (unsigned int i = 0; i < VALUE_BYTES / 8; i++)
		value[i] = key + i;
	return __inlay_map_update_elem_v1(&desc, &key, value, 0);
}

static int has(__u64 key)
{
	const __u64 *value = __inlay_map_lookup_elem(&desc, &key);

	return value && value[0] == key && value[VALUE_BYTES / 8 - 1] == key + VALUE_BYTES / 8 - 1;
}

static __u64 nr_present(__u64 from, __u64 to)
{
	__u64 n = 0;

	for (; from < to; from++)
		n += (__u64)has(from);
	return n;
}

/* What bpf_for_each_map_elem() sees. */
static __u64 nr_each(void)
{
	struct inlay_map_each each = { 0 };
	__u32 index = 0;
	__u64 n = 0;

	while (__inlay_map_each(&desc, &each, &index))
		n++;
	return n;
}

static void print_segment(void)
{
	char path[sizeof(__inlay_rt.dir) + sizeof(__inlay_rt.name) + 1];
	struct stat st = { 0 };

	snprintf(path, sizeof(path), "%s/%s", __inlay_rt.dir, __inlay_rt.name);
	printf("mode=%s\n", __inlay_rt.mode == RT_FILE ? "file" : "other");
	if (!stat(path, &st))
		printf("kbytes=%lld\n", (long long)st.st_blocks / 2);
}

static __u64 fill(__u64 key)
{
	while (key < ENTRIES && !insert(key))
		key++;
	return key;
}

static void delete_some(__u64 nr)
{
	for (__u64 key = 0; key < nr; key++)
		expect("delete", __inlay_map_delete_elem_v1(&desc, &key), 0);
}

static void in_child(__u64 first, __u64 nr)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		for (__u64 key = first; key < first + nr; key++)
			expect("insert in a child", insert(key), 0);
		fflush(NULL);
		_exit(failures != 0);
	}
	expect("child", waitpid(pid, &status, 0) == pid && status == 0, 1);
	expect("seen by the parent", (long long)nr_present(first, first + nr), (long long)nr);
}

static void test_fill(const char *filler)
{
	const struct inlay_hash_header *header = base;
	__u64 nr = fill(0), tries, more;

	printf("entries=%llu\n", (unsigned long long)nr);
	expect("full", insert(nr), -INLAY_E2BIG);
	expect("drops", header->drops >= 2, 1);
	expect("all are there", (long long)nr_present(0, ENTRIES), (long long)nr);
	expect("one after the other", (long long)nr_each(), (long long)nr);
	for (__u64 key = 0; key < nr; key += 100)
		expect("update in a full map", insert(key), 0);
	delete_some(1000);
	in_child(ENTRIES, 500);
	for (__u64 key = ENTRIES + 500; key < ENTRIES + 1000; key++)
		expect("insert where others were", insert(key), 0);
	expect("full again", insert(nr), -INLAY_E2BIG);
	expect("nothing lost", (long long)nr_present(0, ENTRIES + 1000), (long long)nr);
	if (!filler)
		return;
	expect("unlink", unlink(filler), 0);
	for (tries = 0; tries < 3000 && insert(nr); tries++)
		;
	more = fill(nr + 1);
	printf("more=%llu\n", (unsigned long long)(more - nr));
	expect("all of them", (long long)nr_present(0, ENTRIES + 1000), (long long)more);
}

static void test_all(void)
{
	in_child(0, 500);
	expect("all", (long long)fill(500), ENTRIES);
	expect("one more", insert(ENTRIES), -INLAY_E2BIG);
	expect("all are there", (long long)nr_present(0, ENTRIES + 1), ENTRIES);
	delete_some(1);
	expect("another one", insert(ENTRIES), 0);
}

static __u64 filled[NR_THREADS + 1];

static void *fills(void *arg)
{
	unsigned int i = (unsigned int)(unsigned long)arg;

	while (!insert((__u64)i << 32 | filled[i]))
		filled[i]++;
	return NULL;
}

/* Runs on whatever thread; one at a time, as it blocks itself and only main's timer sends it. */
static void on_alarm(int sig)
{
	(void)sig;
	if (!insert((__u64)NR_THREADS << 32 | filled[NR_THREADS]))
		filled[NR_THREADS]++;
}

static void test_threads(void)
{
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { 0 };
	struct sigaction act = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	pthread_t threads[NR_THREADS];
	sigset_t set;
	__u64 sum = 0;

	sigaction(SIGALRM, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	for (unsigned long i = 0; i < NR_THREADS; i++) {
		/* the first one alone is interrupted */
		pthread_sigmask(i ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
		pthread_create(&threads[i], NULL, fills, (void *)i);
	}
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	for (__u64 i = 0; i <= NR_THREADS; i++) {
		expect("of a thread", (long long)nr_present(i << 32, (i << 32) + filled[i]),
		       (long long)filled[i]);
		sum += filled[i];
	}
	printf("entries=%llu\nin_handlers=%llu\n", (unsigned long long)sum,
	       (unsigned long long)filled[NR_THREADS]);
}

static void test_kills(void)
{
	enum { CHILDREN = 20 };
	__u64 sum = 0;

	for (__u64 i = 1; i <= CHILDREN; i++) {
		pid_t pid = fork();
		int status;

		if (!pid)
			for (__u64 key = i << 32; !insert(key);)
				key++;
		if (!pid)
			_exit(0);
		usleep((useconds_t)(500 + i * 97));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		expect("no signal but ours", WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL,
		       SIGKILL);
	}
	sum = fill(0);
	expect("all of the last", (long long)nr_present(0, ENTRIES), (long long)sum);
	for (__u64 i = 1; i <= CHILDREN; i++)
		sum += nr_present(i << 32, (i << 32) + ENTRIES);
	printf("entries=%llu\n", (unsigned long long)sum);
}

int main(int argc, char **argv)
{
	(void)fixture_objref;
	expect("region", (long long)inlay_map_region_bytes(desc.type, 8, VALUE_BYTES, ENTRIES),
	       (long long)desc.region_bytes);
	if (argc > 1 && !strcmp(argv[1], "threads"))
		test_threads();
	else if (argc > 1 && !strcmp(argv[1], "kills"))
		test_kills();
	else if (argc > 1 && !strcmp(argv[1], "all"))
		test_all();
	else if (argc > 1 && !strcmp(argv[1], "fill"))
		test_fill(NULL);
	else if (argc > 2 && !strcmp(argv[1], "room"))
		test_fill(argv[2]);
	else
		for (__u64 key = 0; key < 100; key++)
			expect("insert", insert(key), 0);
	print_segment();
	return failures != 0;
}
