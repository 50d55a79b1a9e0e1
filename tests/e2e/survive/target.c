/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target KILLS: processes change maps of every type until they are killed, at any instruction.
 * After each kill this process, which shares the maps with them, reads and changes all of them in
 * 100 ms, and finds what the killed one had done: every key, every count, every event, and of the
 * operation that it was killed in either all or nothing. Prints what it saw as JSON.
 *
 * Each thread keeps a log in memory that outlives it: what it is about to do, and what came of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <inlay/abi.h>
#include <inlay/inlay.h>

#include "asked.h"

#define LIMIT_NS 100000000ll
/* the nodes of the dead are searched once in as many refusals as there are nodes */
#define ROUNDS 300

enum kind {
	HASH, PARTS, LRU, LRU_PARTS, TRIE, NR_KEYED,
	COUNT = NR_KEYED, BY_THREAD, INNER, LOCK_A, LOCK_B,
	NR_COUNTED = LOCK_B + 1,
	QUEUE = NR_COUNTED, STACK, BLOOM, RING, EVENTS, TRACE, DRAIN, GROUP, NR_KINDS
};

static const struct keyed {
	const char *map;
	long (*ask)(unsigned int what, u64 key, u64 n);
	bool is_percpu;
} keyed[NR_KEYED] = {
	[HASH] = { "hash", do_hash, false },	   [PARTS] = { "parts", do_parts, true },
	[LRU] = { "lru", do_lru, false },	   [LRU_PARTS] = { "lru_parts", do_lru_parts, true },
	[TRIE] = { "trie", do_trie, false },
};

/* One thread's, and of who has its slot after it. */
struct log {
	volatile bool is_open;		/* it does the operation below, and nothing is noted yet */
	volatile enum kind kind;
	volatile unsigned int k;
	volatile u64 n;			/* number of the operation, and what it writes */
	volatile bool is_delete;
	volatile u64 keys[NR_KEYED][STORM_KEYS]; /* what is written there; 0: nothing */
	volatile u64 counts[NR_COUNTED];
	volatile u64 seconds[NR_COUNTED]; /* with a lock: the other half of a section */
	volatile u64 made[NR_KINDS];	/* elements pushed, events sent */
	volatile u64 taken[NR_KINDS];	/* elements popped */
	volatile bool is_known[STORM_KEYS]; /* to the bloom filter */
};

static struct log *logs;
static bool is_there[NR_KINDS];
static u64 last_popped[STORM_SLOTS + 1];

#define wrong(...) wrong_at(__LINE__, __VA_ARGS__)
__attribute__((noreturn, format(printf, 2, 3))) static void wrong_at(int line,
								    const char *format, ...)
{
	va_list args;

	fprintf(stderr, "survive: line %d: ", line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(3);
}

static u64 key_of(unsigned int slot, unsigned int k)
{
	return 1 + slot * STORM_KEYS + k;
}

/* ---- Who is killed ---------------------------------------------------------------------- */

static void change_key(struct log *log, unsigned int slot, enum kind kind, unsigned int k,
		       bool is_delete)
{
	long rc;

	log->is_delete = is_delete;
	rc = keyed[kind].ask(is_delete ? STORM_DELETE : STORM_PUT, key_of(slot, k), log->n);
	/* full: others have room in their hands, or nobody has looked for that of the dead yet */
	if (rc && rc != (is_delete ? -ENOENT : -E2BIG) && rc != -EBUSY && rc != -ENOSPC)
		wrong("%s: %ld", keyed[kind].map, rc);
	if (is_delete && !rc != !!log->keys[kind][k])
		wrong("%s: key %u of slot %u was %llu, and deleting it gives %ld", keyed[kind].map, k,
		      slot, log->keys[kind][k], rc);
	if (!rc)
		log->keys[kind][k] = is_delete ? 0 : log->n;
}

/* A producer's elements leave a queue in its order, whoever takes them. */
static void note_popped(enum kind kind, long rc)
{
	u64 from = (u64)rc >> 48, n = (u64)rc & ((1ull << 48) - 1);

	if (rc < 0)
		wrong("popped: %ld", rc);
	if (from > STORM_SLOTS)
		wrong("popped: of slot %llu", from);
	if (kind != QUEUE)
		return;
	if (n <= last_popped[from])
		wrong("slot %llu: %llu popped after %llu", from, n, last_popped[from]);
	/* of two threads of this process the later note may be the older one's */
}

static void change_chain(struct log *log, unsigned int slot, enum kind kind, bool is_pop)
{
	long rc = (kind == QUEUE ? do_queue : do_stack)(is_pop ? STORM_DELETE : STORM_PUT, slot, log->n);

	if (is_pop && rc != -ENOENT && rc != -EBUSY) {
		note_popped(kind, rc);
		log->taken[kind]++;
	} else if (!is_pop && !rc) {
		log->made[kind]++;
	} else if (rc != -ENOENT && rc != -E2BIG && rc != -EBUSY) {
		wrong("chain: %ld", rc);
	}
}

static __attribute__((noinline)) long trace_below(unsigned int depth)
{
	long id = depth ? trace_below(depth - 1) : do_trace();

	__asm__ volatile("" ::"r"(id));
	return id;
}

/* Four addresses from the inside, and so the same ones whoever calls this. */
static __attribute__((noinline)) long trace_at(unsigned int depth)
{
	long id = trace_below(1 + depth);

	__asm__ volatile("" ::"r"(id));
	return id;
}

static void change(struct log *log, unsigned int slot, enum kind kind, int r)
{
	long rc = 0;

	log->kind = kind;
	log->k = (unsigned int)r % STORM_KEYS;
	log->n++;
	log->is_open = true;
	switch (kind) {
	case HASH: case PARTS: case LRU: case LRU_PARTS: case TRIE:
		change_key(log, slot, kind, log->k, r >> 8 & 1);
		break;
	case COUNT:
		rc = do_count(slot, 1);
		break;
	case BY_THREAD:
		rc = do_count_by_thread(slot);
		break;
	case INNER:
		rc = do_inner(slot, 1);
		break;
	case LOCK_A: case LOCK_B:
		rc = do_locked(kind - LOCK_A, slot, 1);
		break;
	case QUEUE: case STACK:
		change_chain(log, slot, kind, r >> 8 & 1);
		break;
	case BLOOM:
		rc = do_bloom(STORM_PUT, key_of(slot, log->k));
		log->is_known[log->k] = true;
		break;
	case RING: case EVENTS:
		rc = (kind == RING ? do_ring : do_events)(slot, log->n);
		if (!rc)
			log->made[kind]++;
		else if (rc == -ENOENT || rc == -ENOSPC)
			rc = 0;
		break;
	case TRACE:
		rc = trace_at(log->k % STORM_DEPTHS);
		if (do_helpers(log->k % 2 ? log : NULL) < 5)
			rc = -EIO;
		break;
	case DRAIN:
		rc = do_drain(STORM_DRAIN);
		if (rc == -EBUSY)
			rc = 0; /* another one does */
		break;
	case GROUP:
		rc = do_group(0) == 1 ? 0 : -EIO;
		break;
	case NR_KINDS:
		break;
	}
	if (rc < 0)
		wrong("operation %u: %ld", kind, rc);
	if (kind >= NR_KEYED && kind < NR_COUNTED) {
		log->counts[kind]++;
		log->seconds[kind]++;
	}
	log->is_open = false;
}

static void *churn(void *arg)
{
	unsigned int slot = (unsigned int)(size_t)arg, k;
	struct log *log = &logs[slot];
	unsigned int seed = slot + (unsigned int)log->n;
	enum kind kind;

	/* the parts of a key that its slot's last thread wrote are not this thread's to write */
	for (kind = 0; kind < NR_KEYED; kind++)
		for (k = 0; keyed[kind].is_percpu && is_there[kind] && k < STORM_KEYS; k++) {
			log->kind = kind;
			log->k = k;
			log->is_open = true;
			change_key(log, slot, kind, k, true);
			log->is_open = false;
		}
	for (;;) {
		int r = rand_r(&seed);

		kind = (enum kind)(r >> 16) % NR_KINDS;
		if (is_there[kind])
			change(log, slot, kind, r);
	}
	return NULL;
}

static pid_t start(unsigned int nr)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* the times are of who looks on, and not of the machine's load */
	if (nice(10) < 0)
		wrong("nice");
	for (unsigned int i = 1; i < STORM_THREADS; i++)
		if (pthread_create(&thread, NULL, churn, (void *)(size_t)(nr * STORM_THREADS + i)))
			wrong("pthread_create");
	churn((void *)(size_t)(nr * STORM_THREADS));
	_exit(3);
}

/* ---- Who looks on ----------------------------------------------------------------------- */

static struct inlay_reader *reader;
static struct inlay_map *maps[NR_KINDS];
static struct inlay_ring_buffer *ring;
static struct inlay_perf_buffer *perf;
static struct inlay_user_ring_buffer *messages;
static u64 nr_sent;
static unsigned int nr_looks; /* each but the first is after a kill */
static u64 got[2][STORM_SLOTS + 1], last_got[2][STORM_SLOTS + 1];
static long long worst_change_ns, worst_read_ns, worst_wall_ns;
static u64 nr_open[NR_KINDS]; /* who was killed in such an operation */
static long traces[STORM_DEPTHS];
static unsigned int nr_halves; /* sections left between their two counts */

static const char *const names[NR_KINDS] = {
	"hash", "parts", "lru", "lru_parts", "trie", "counts", "counts_by_thread", "inner_a", "locks",
	"locks", "queue", "stack", "bloom", "ring", "events", "traces", "messages", "groups",
};

static int take_event(int which, const void *data, size_t bytes)
{
	const struct storm_event *event = data;

	if (bytes != sizeof(*event) || event->sum != event->slot + event->n ||
	    event->xor != (event->slot ^ event->n) || event->slot > STORM_SLOTS)
		wrong("a torn event of %zu bytes", bytes);
	if (event->n <= last_got[which][event->slot])
		wrong("slot %llu: event %llu after %llu", event->slot, event->n,
		      last_got[which][event->slot]);
	last_got[which][event->slot] = event->n;
	got[which][event->slot]++;
	return 0;
}

static int on_ring(void *ctx, void *data, size_t bytes)
{
	(void)ctx;
	return take_event(0, data, bytes);
}

static void on_perf(void *ctx, int cpu, void *data, uint32_t bytes)
{
	(void)ctx;
	(void)cpu;
	take_event(1, data, bytes);
}

static void consume(void)
{
	int rc = inlay_ring_buffer_consume(ring);

	if (rc >= 0)
		rc = inlay_perf_buffer_consume(perf);
	if (rc < 0)
		wrong("consume: %d", rc);
}

static void open_segment(void)
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	int rc;

	opts.dir = getenv("INLAY_DIR");
	opts.is_writable = true;
	rc = inlay_segment_open_pid(getpid(), &opts, &reader);
	if (rc || inlay_segment_info(reader, &info))
		wrong("segment: %d", rc);
	for (uint32_t i = 0; i < info.nr_maps; i++) {
		struct inlay_map_info map = INLAY_SIZED(inlay_map_info);

		if (inlay_segment_map(reader, i, &map))
			wrong("map %u", i);
		for (enum kind kind = 0; kind < NR_KINDS; kind++) {
			if (strcmp(map.name, names[kind]))
				continue;
			is_there[kind] = true;
			if (kind == RING)
				rc = inlay_ring_buffer_new(reader, i, on_ring, NULL, NULL, &ring);
			else if (kind == EVENTS)
				rc = inlay_perf_buffer_new(reader, i, on_perf, NULL, NULL, NULL, &perf);
			else if (kind == DRAIN)
				rc = inlay_user_ring_buffer_new(reader, i, NULL, &messages);
			else
				rc = inlay_map_open(reader, i, &maps[kind]);
			if (rc && kind != BLOOM)
				wrong("%s: %d", map.name, rc);
		}
	}
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* How long this thread has been ready to run and had no processor: not the maps' fault. */
static long long kept_waiting_ns(void)
{
	static int fd = -1;
	long long waited = 0;
	char text[100];
	ssize_t n;

	if (fd < 0)
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n > 0) {
		text[n] = '\0';
		sscanf(text, "%*s %lld", &waited);
	}
	return waited;
}

struct timer {
	long long began, waited;
};

static struct timer timer_start(void)
{
	long long waited = kept_waiting_ns();

	return (struct timer){ now_ns(), waited };
}

static void timer_stop(const struct timer *timer, long long *worst)
{
	long long wall = now_ns() - timer->began, ns = wall - (kept_waiting_ns() - timer->waited);

	if (wall > worst_wall_ns)
		worst_wall_ns = wall;
	if (ns > *worst)
		*worst = ns;
	if (ns > LIMIT_NS)
		wrong("another process takes %lld us", ns / 1000);
}

/* Messages for whoever drains next, as many as there is room for. */
static void send_messages(void)
{
	struct storm_event *message;

	for (int i = 0; i < 8; i++) {
		message = inlay_user_ring_buffer_reserve(messages, sizeof(*message));
		if (!message)
			return;
		nr_sent++;
		*message = (struct storm_event){ STORM_OWN, nr_sent, STORM_OWN + nr_sent,
						 STORM_OWN ^ nr_sent };
		inlay_user_ring_buffer_submit(messages, message);
	}
}

/* All are drained, in their order, whoever is killed while it does. */
static void check_messages(unsigned int nr_kills)
{
	for (int i = 0; i < 15000 && (u64)do_drain(STORM_DRAINED) < nr_sent; i++)
		if (do_drain(STORM_DRAIN) < 0)
			usleep(1000);
	if ((u64)do_drain(STORM_DRAINED) != nr_sent || do_drain(STORM_DRAINED_WRONG) ||
	    do_drain(STORM_DRAINED_AGAIN) > (long)nr_kills)
		wrong("messages: %ld of %llu drained, %ld twice, %ld wrong", do_drain(STORM_DRAINED),
		      nr_sent, do_drain(STORM_DRAINED_AGAIN), do_drain(STORM_DRAINED_WRONG));
}

/* This process's group becomes the first of the array, by way of the file: there is no other. */
static void set_group(void)
{
	struct inlay_segment head;
	struct inlay_seg_map row;
	long id = do_group(STORM_OWN_GROUP);
	char path[512];
	glob_t found;
	int fd;

	snprintf(path, sizeof(path), "%s/*", getenv("INLAY_DIR"));
	if (id <= 0 || glob(path, 0, NULL, &found)) {
		is_there[GROUP] = false; /* no control groups of version 2 */
		return;
	}
	fd = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head))
		wrong("%s", found.gl_pathv[0]);
	for (uint32_t i = 0; i < head.maps.nr; i++)
		if (pread(fd, &row, sizeof(row), (off_t)(head.maps.off + i * head.maps.entry_bytes)) ==
			    sizeof(row) &&
		    !strcmp(row.name, names[GROUP]) &&
		    pwrite(fd, &id, sizeof(id), (off_t)row.off) != sizeof(id))
			wrong("groups");
	close(fd);
	globfree(&found);
}

/* All maps, by the program's own functions: this process's keys are there, and can be changed. */
static void change_all(void)
{
	struct log *log = &logs[STORM_OWN];
	enum kind kind;
	unsigned int k;

	for (kind = 0; kind < NR_KEYED; kind++)
		for (k = 0; is_there[kind] && k < STORM_KEYS; k++) {
			u64 key = key_of(STORM_OWN, k), want = log->keys[kind][k];
			long rc = keyed[kind].ask(STORM_GET, key, 0);

			if (rc != (want ? (long)want : -ENOENT))
				wrong("%s: key %llu is %ld, not %llu", keyed[kind].map, key, rc, want);
			log->n++;
			change_key(log, STORM_OWN, kind, k, want && k == log->n % STORM_KEYS);
		}
	for (kind = NR_KEYED; kind < NR_KINDS; kind++)
		if (is_there[kind]) {
			change(log, STORM_OWN, kind, 0x100);
			change(log, STORM_OWN, kind, 0);
		}
	if (do_bloom(STORM_GET, key_of(STORM_OWN, 0)))
		wrong("bloom: what was added is not there");
	if (is_there[GROUP] && (do_group(1) != -EAGAIN || do_group(2) != -E2BIG))
		wrong("groups: %ld %ld", do_group(1), do_group(2));
	send_messages();
}

/* What the reader finds of slots [first, first + nr) and of this process. */
static u64 seen[NR_KEYED][STORM_LIVE + 1];

static void read_all(void)
{
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;

	memset(seen, 0, sizeof(seen));
	for (enum kind kind = 0; kind < NR_KEYED; kind++) {
		if (!is_there[kind])
			continue;
		if (inlay_map_iter_new(maps[kind], &iter))
			wrong("iterator");
		while (!inlay_map_iter_next(iter, &entry)) {
			const struct storm_value *value = entry->value;
			u64 key = kind == TRIE ? ((const unsigned int *)entry->key)[1] :
						 *(const u64 *)entry->key;

			if (!key || key > STORM_LIVE)
				wrong("%s: key %llu", names[kind], key);
			if (!keyed[kind].is_percpu &&
			    (value->key != key || value->sum != key + value->n ||
			     value->xor != (key ^ value->n)))
				wrong("%s: a torn value of key %llu", names[kind], key);
			seen[kind][key] = keyed[kind].is_percpu ? *(const u64 *)value : value->n;
		}
		inlay_map_iter_free(iter);
	}
	consume();
}

static void check_keys(struct log *log, unsigned int slot)
{
	for (enum kind kind = 0; kind < NR_KEYED; kind++)
		for (unsigned int k = 0; is_there[kind] && k < STORM_KEYS; k++) {
			u64 want = log->keys[kind][k], key = key_of(slot, k), is = seen[kind][key];
			bool is_open = log->is_open && log->kind == kind && log->k == k;

			if (!keyed[kind].is_percpu) {
				long rc = keyed[kind].ask(STORM_GET, key, 0);

				if (rc != (is ? (long)is : -ENOENT))
					wrong("%s: key %llu is %ld here, and %llu to readers", names[kind],
					      key, rc, is);
			}
			if (is != want && !(is_open && is == (log->is_delete ? 0 : log->n)))
				wrong("%s: key %llu is %llu, not %llu (%sopen: %u %u %llu)", names[kind],
				      key, is, want, log->is_open ? "" : "not ", log->kind, log->k,
				      log->n);
			log->keys[kind][k] = is;
		}
}

static void check_counts(struct log *log, unsigned int slot)
{
	for (enum kind kind = NR_KEYED; kind < NR_COUNTED; kind++) {
		bool is_open = log->is_open && log->kind == kind;
		u64 is = 0, want = log->counts[kind], second;

		if (!is_there[kind])
			continue;
		if (kind == COUNT)
			is = (u64)do_count(slot, 0);
		else if (kind == INNER)
			is = (u64)do_inner(slot, 0);
		else if (kind == BY_THREAD && inlay_map_get(maps[kind], &slot, &is))
			wrong("%s", names[kind]);
		if (kind == LOCK_A || kind == LOCK_B) {
			is = (u64)do_locked(kind - LOCK_A, slot, 0);
			second = is & 0xffffffff;
			is >>= 32;
			/* a section may be left in its middle */
			if (second != log->seconds[kind] &&
			    !(is_open && second == log->seconds[kind] + 1))
				wrong("%s: slot %u has done %llu, not %llu", names[kind], slot,
				      second, log->seconds[kind]);
			nr_halves += is - want != second - log->seconds[kind];
			log->seconds[kind] = second;
		}
		if (is != want && !(is_open && is == want + 1))
			wrong("%s: slot %u has counted %llu, not %llu (%sopen: %u)", names[kind], slot,
			      is, want, log->is_open ? "" : "not ", log->kind);
		log->counts[kind] = is;
	}
}

/* Every event that was sent arrives, if those before it are finished. */
static void check_events(struct log *log, unsigned int slot)
{
	for (int which = 0; which < 2; which++) {
		enum kind kind = which ? EVENTS : RING;
		u64 sent = log->made[kind], *is = &got[which][slot];

		for (int i = 0; i < 15000 && *is < sent; i++) {
			consume();
			if (*is < sent)
				usleep(1000);
		}
		if (*is != sent && !(log->is_open && log->kind == kind && *is == sent + 1))
			wrong("%s: %llu events of %llu", names[kind], *is, sent);
		log->made[kind] = *is;
	}
}

static void look_on(unsigned int first, unsigned int nr)
{
	struct timer timer = timer_start();
	unsigned int slot, k;

	change_all();
	timer_stop(&timer, &worst_change_ns);
	timer = timer_start();
	read_all();
	timer_stop(&timer, &worst_read_ns);
	check_keys(&logs[STORM_OWN], STORM_OWN);
	for (slot = first; slot < first + nr; slot++) {
		struct log *log = &logs[slot];

		check_keys(log, slot);
		check_counts(log, slot);
		check_events(log, slot);
		for (k = 0; k < STORM_KEYS; k++)
			if (log->is_known[k] && do_bloom(STORM_GET, key_of(slot, k)))
				wrong("bloom: %u of slot %u is lost", k, slot);
		nr_open[log->kind] += log->is_open;
		log->is_open = false;
	}
	check_events(&logs[STORM_OWN], STORM_OWN);
	check_messages(nr_looks++);
	for (k = 0; is_there[TRACE] && k < STORM_DEPTHS; k++) {
		long id = trace_at(k);

		if (id < 0 || (traces[k] && traces[k] != id + 1))
			wrong("stack %u is %ld, and was %ld", k, id, traces[k] - 1);
		traces[k] = id + 1;
	}
}

/* Nothing that the dead had in their hands is lost: each map takes what it has room for. */
static void check_room(void)
{
	unsigned int round, nr;
	enum kind kind;
	u64 key;

	for (kind = 0; kind < NR_KEYED; kind++) {
		if (!is_there[kind])
			continue;
		for (round = 0; round < ROUNDS; round++)
			for (key = 1; key <= STORM_MAX_ENTRIES; key++)
				keyed[kind].ask(STORM_PUT, key, key);
		for (key = 1, nr = 0; key <= STORM_MAX_ENTRIES; key++)
			nr += keyed[kind].ask(STORM_GET, key, 0) == (long)key;
		if (nr != STORM_MAX_ENTRIES)
			wrong("%s: room for %u of %u", names[kind], nr, STORM_MAX_ENTRIES);
	}
	for (kind = QUEUE; kind <= STACK; kind++) {
		long (*ask)(unsigned int, u64, u64) = kind == QUEUE ? do_queue : do_stack;
		u64 made = 0, taken = 0, left = 0, lost;

		for (unsigned int slot = 0; slot <= STORM_SLOTS; slot++) {
			made += logs[slot].made[kind];
			taken += logs[slot].taken[kind];
		}
		while (ask(STORM_DELETE, 0, 0) >= 0)
			left++;
		/* either way: what was pushed, or popped, and not noted */
		lost = made > taken + left ? made - taken - left : taken + left - made;
		if (lost > nr_open[kind])
			wrong("%s: %llu pushed, %llu popped, %llu left; %llu were killed in one",
			      names[kind], made, taken, left, nr_open[kind]);
		for (round = 0; round < ROUNDS; round++)
			for (key = 0; key < 70; key++)
				ask(STORM_PUT, 0, 1);
		for (nr = 0; ask(STORM_DELETE, 0, 0) >= 0; nr++)
			;
		if (nr != 64)
			wrong("%s: room for %u of 64", names[kind], nr);
	}
}

int main(int argc, char **argv)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct inlay_ring_stats stats = INLAY_SIZED(inlay_ring_stats);
	unsigned int nr_kills = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;
	unsigned int seed = (unsigned int)getpid(), i;
	pid_t pids[STORM_PROCS];
	u64 all = 0, open = 0;
	int status;

	logs = mmap(NULL, sizeof(*logs) * (STORM_SLOTS + 1), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (logs == MAP_FAILED)
		return 1;
	open_segment();
	set_group();
	look_on(0, 0);
	for (i = 0; i < STORM_PROCS; i++)
		pids[i] = start(i);
	for (unsigned int kills = 0; kills < nr_kills; kills++) {
		struct timespec ts = { .tv_nsec = rand_r(&seed) % 3000000 };

		nanosleep(&ts, NULL);
		i = (unsigned int)rand_r(&seed) % STORM_PROCS;
		kill(pids[i], SIGKILL);
		if (waitpid(pids[i], &status, 0) != pids[i] || !WIFSIGNALED(status) ||
		    WTERMSIG(status) != SIGKILL)
			wrong("one had ended before it was killed: status %x", (unsigned int)status);
		look_on(i * STORM_THREADS, STORM_THREADS);
		pids[i] = start(i);
	}
	for (i = 0; i < STORM_PROCS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
	}
	look_on(0, STORM_SLOTS);
	check_room();
	if (inlay_segment_info(reader, &info) || inlay_ring_buffer_stats(ring, &stats))
		return 1;
	for (i = 0; i < STORM_SLOTS; i++)
		all += logs[i].n;
	for (i = 0; i < NR_KINDS; i++)
		open += nr_open[i];
	printf("{\"kills\": %u, \"operations\": %llu, \"killed_in_one\": %llu, "
	       "\"change_ms\": %.1f, \"read_ms\": %.1f, \"with_waiting_for_a_processor_ms\": %.1f, "
	       "\"rows\": %u, \"shards\": %u, \"lost\": %llu, \"dead\": %llu, "
	       "\"half_sections\": %u, \"maps\": [",
	       nr_kills, all, open, (double)worst_change_ns / 1e6, (double)worst_read_ns / 1e6,
	       (double)worst_wall_ns / 1e6, info.nr_procs, info.nr_shards,
	       (u64)stats.lost, (u64)stats.dead, nr_halves);
	for (i = 0, all = 0; i < NR_KINDS; i++)
		if (is_there[i])
			printf("%s\"%s\"", all++ ? ", " : "", names[i]);
	printf("]}\n");
	return 0;
}
