/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments without a name: a target that could make no file keeps its segment in a memfd, which
 * /proc shows to the user that the process belongs to. They are found by the open descriptors.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/reader/open.h"

/* "/proc/PID/fd/FD" */
#define MEMFD_PATH_BYTES (sizeof("/proc//fd/") + 20 + NAME_MAX)

static bool is_segment_link(const char *path)
{
	static const char prefix[] = "/memfd:inlay";
	char link[64];
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	return n >= (ssize_t)sizeof(prefix) - 1 && !memcmp(link, prefix, sizeof(prefix) - 1);
}

bool memfd_is_path(const char *path)
{
	unsigned int pid, fd;
	int end = 0;

	return sscanf(path, "/proc/%u/fd/%u%n", &pid, &fd, &end) == 2 && !path[end] &&
	       is_segment_link(path);
}

int memfd_open(const char *path, const struct inlay_segment_opts *opts,
	       struct inlay_reader **ret_reader)
{
	/* the link is the kernel's, which follows it to the file itself */
	int fd = open(path, (opts->is_writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		int err = -errno;

		return refuse(opts, err, "%s", strerror(-err));
	}
	return reader_new(fd, path, opts, ret_reader);
}

struct seen {
	dev_t dev;
	ino_t ino;
};

struct walk {
	const struct inlay_segment_opts *opts;
	inlay_segment_fn fn;
	void *arg;
	struct seen *seen;	/* one segment is open in every process of a fork tree */
	size_t nr_seen;
};

/* 0 new, 1 seen before, -ENOMEM */
static int remember(struct walk *w, const struct stat *st)
{
	struct seen *more;

	for (size_t i = 0; i < w->nr_seen; i++)
		if (w->seen[i].dev == st->st_dev && w->seen[i].ino == st->st_ino)
			return 1;
	more = reallocarray(w->seen, w->nr_seen + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->seen = more;
	w->seen[w->nr_seen++] = (struct seen){ .dev = st->st_dev, .ino = st->st_ino };
	return 0;
}

/* Calls w->fn for each segment that the process has open. */
static int walk_process(struct walk *w, const char *pid)
{
	struct inlay_segment_opts opts = *w->opts;
	char path[MEMFD_PATH_BYTES], reason[256];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	opts.reason = reason;
	opts.reason_bytes = sizeof(reason);
	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!err && (entry = readdir(dir))) {
		struct inlay_reader *reader = NULL;
		struct stat st;
		int open_err;

		snprintf(path, sizeof(path), "/proc/%.20s/fd/%s", pid, entry->d_name);
		if (!is_segment_link(path) || stat(path, &st))
			continue;
		err = remember(w, &st);
		if (err) {
			err = err < 0 ? err : 0;
			continue;
		}
		reason[0] = 0;
		open_err = memfd_open(path, &opts, &reader);
		if (open_err == -ENOENT) /* closed, or the process has ended */
			continue;
		err = w->fn(w->arg, path, reader, open_err, open_err ? reason : NULL);
		inlay_segment_close(reader);
	}
	closedir(dir);
	return err;
}

int memfd_list(const struct inlay_segment_opts *opts, inlay_segment_fn fn, void *arg)
{
	struct walk w = { .opts = opts, .fn = fn, .arg = arg };
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int err = 0;

	if (!proc)
		return 0;
	while (!err && (entry = readdir(proc))) {
		struct stat st;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    fstatat(dirfd(proc), entry->d_name, &st, 0) || st.st_uid != opts_owner(opts))
			continue;
		err = walk_process(&w, entry->d_name);
		/* ended meanwhile, or not ours to look into (another user namespace, ptrace rules) */
		if (err == -ESRCH || err == -EACCES || err == -EPERM)
			err = 0;
	}
	closedir(proc);
	free(w.seen);
	return err;
}

struct first {
	const struct inlay_segment_opts *opts;
	struct inlay_reader **ret_reader;
};

/* The callback's reader is only lent: the path is opened again. */
static int take_first(void *arg, const char *path, struct inlay_reader *reader, int error,
		      const char *reason)
{
	const struct first *first = arg;

	if (!reader)
		return refuse(first->opts, error, "%s", reason);
	error = memfd_open(path, first->opts, first->ret_reader);
	return error ? error : 1;
}

int memfd_open_pid(uint32_t pid, const struct inlay_segment_opts *opts,
		   struct inlay_reader **ret_reader)
{
	struct first first = { .opts = opts, .ret_reader = ret_reader };
	struct walk w = { .opts = opts, .fn = take_first, .arg = &first };
	char text[16];
	int err;

	snprintf(text, sizeof(text), "%u", pid);
	err = walk_process(&w, text);
	free(w.seen);
	return err == 1 ? 0 : err ? err : -ENOENT;
}
