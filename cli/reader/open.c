/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding segments: by name, path or process id, and all of a directory. The directory is trusted
 * only if its user alone may write to it, so that no other user can plant a file there.
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

uid_t opts_owner(const struct inlay_segment_opts *opts)
{
	return opts->is_owner_given ? opts->owner : geteuid();
}

int dir_open(const struct inlay_segment_opts *opts, char *ret_path, size_t path_bytes, int *ret_fd)
{
	struct stat st;
	int n, fd;

	if (opts->dir)
		n = snprintf(ret_path, path_bytes, "%s", opts->dir);
	else
		n = snprintf(ret_path, path_bytes, "/dev/shm/inlay-%u",
			     (unsigned int)opts_owner(opts));
	if (n < 0 || (size_t)n >= path_bytes)
		return refuse(opts, -ENAMETOOLONG, "the directory's name is too long");
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int err = -errno;

		if (err == -ENOENT)
			return refuse(opts, err, "no program with probes has run: there is no %s",
				      ret_path);
		if (err == -ELOOP || err == -ENOTDIR)
			return refuse(opts, -EPERM, "%s is not a directory", ret_path);
		return refuse(opts, err, "%s: %s", ret_path, strerror(-err));
	}
	if (fstat(fd, &st)) {
		int err = -errno;

		close(fd);
		return err;
	}
	if (st.st_uid != opts_owner(opts)) {
		close(fd);
		return refuse(opts, -EPERM, "%s belongs to user %u", ret_path,
			      (unsigned int)st.st_uid);
	}
	if (st.st_mode & 077) {
		close(fd);
		return refuse(opts, -EPERM, "%s is open to other users (mode %03o, not 700)",
			      ret_path, (unsigned int)st.st_mode & 0777);
	}
	*ret_fd = fd;
	return 0;
}

int segment_openat(int dir_fd, const char *name, const char *path,
		   const struct inlay_segment_opts *opts, struct inlay_reader **ret_reader)
{
	/* O_NONBLOCK: a FIFO in the place of a segment must not hold us up. */
	int fd = openat(dir_fd, name, (opts->is_writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW |
					      O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		int err = -errno;

		if (err == -ELOOP)
			return refuse(opts, -EPERM, "is a symbolic link");
		return refuse(opts, err, "%s", strerror(-err));
	}
	return reader_new(fd, path, opts, ret_reader);
}

int inlay_segment_open(const char *name, const struct inlay_segment_opts *user_opts,
		       struct inlay_reader **ret_reader)
{
	struct inlay_segment_opts opts;
	char path[PATH_MAX + NAME_MAX + 2];
	int err = opts_load(user_opts, &opts);
	size_t n;
	int fd;

	if (err)
		return err;
	if (memfd_is_path(name))
		return memfd_open(name, &opts, ret_reader);
	if (strchr(name, '/'))
		return segment_openat(AT_FDCWD, name, name, &opts, ret_reader);
	err = dir_open(&opts, path, PATH_MAX, &fd);
	if (err)
		return err;
	n = strlen(path);
	snprintf(path + n, sizeof(path) - n, "/%s", name);
	err = segment_openat(fd, name, path, &opts, ret_reader);
	close(fd);
	return err;
}

/* ---- The directory ---------------------------------------------------------------------- */

struct found {
	char *name;
	struct timespec made;
};

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->made.tv_sec != y->made.tv_sec)
		return x->made.tv_sec < y->made.tv_sec ? 1 : -1;
	if (x->made.tv_nsec != y->made.tv_nsec)
		return x->made.tv_nsec < y->made.tv_nsec ? 1 : -1;
	return strcmp(y->name, x->name);
}

static void found_free(struct found *found, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(found[i].name);
	free(found);
}

/* The time a segment was made is its inode's birth, which a mapping's writes do not move. */
static struct timespec birth(int dir_fd, const char *name)
{
	struct timespec made = { 0 };
	struct statx stx;

	if (statx(dir_fd, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME | STATX_CTIME, &stx))
		return made;
	if (stx.stx_mask & STATX_BTIME) {
		made.tv_sec = stx.stx_btime.tv_sec;
		made.tv_nsec = stx.stx_btime.tv_nsec;
	} else {
		made.tv_sec = stx.stx_ctime.tv_sec;
		made.tv_nsec = stx.stx_ctime.tv_nsec;
	}
	return made;
}

static int names_read(int dir_fd, struct found **ret_found, size_t *ret_nr)
{
	struct found *found = NULL;
	size_t nr = 0, max = 0;
	struct dirent *entry;
	int fd = dup(dir_fd), err = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (nr == max) {
			struct found *more = reallocarray(found, max ? 2 * max : 32, sizeof(*more));

			if (!more) {
				err = -ENOMEM;
				break;
			}
			found = more;
			max = max ? 2 * max : 32;
		}
		found[nr].made = birth(dir_fd, entry->d_name);
		found[nr].name = strdup(entry->d_name);
		if (!found[nr].name) {
			err = -ENOMEM;
			break;
		}
		nr++;
	}
	closedir(dir);
	if (err) {
		found_free(found, nr);
		return err;
	}
	if (nr)
		qsort(found, nr, sizeof(*found), newest_first);
	*ret_found = found;
	*ret_nr = nr;
	return 0;
}

static int list_files(const struct inlay_segment_opts *user_opts, inlay_segment_fn fn, void *arg)
{
	struct inlay_segment_opts opts = *user_opts;
	char path[PATH_MAX + NAME_MAX + 2], reason[256];
	struct found *found = NULL;
	size_t nr = 0, n;
	int fd, err = dir_open(&opts, path, PATH_MAX, &fd);

	if (err)
		return err == -ENOENT ? 0 : err;
	n = strlen(path);
	err = names_read(fd, &found, &nr);
	opts.reason = reason;
	opts.reason_bytes = sizeof(reason);
	for (size_t i = 0; i < nr && !err; i++) {
		struct inlay_reader *reader = NULL;
		int open_err;

		reason[0] = 0;
		snprintf(path + n, sizeof(path) - n, "/%s", found[i].name);
		open_err = segment_openat(fd, found[i].name, path, &opts, &reader);
		if (open_err == -ENOENT) /* its target has just ended */
			continue;
		err = fn(arg, path, reader, open_err, open_err ? reason : NULL);
		inlay_segment_close(reader);
	}
	found_free(found, nr);
	close(fd);
	return err;
}

int inlay_segment_list(const struct inlay_segment_opts *user_opts, inlay_segment_fn fn, void *arg)
{
	struct inlay_segment_opts opts;
	int err = opts_load(user_opts, &opts);

	if (!err)
		err = list_files(&opts, fn, arg);
	/* a directory that cannot be trusted is why targets have memfds: show these all the same */
	if (opts.has_memfds && (!err || err == -EPERM)) {
		int memfd_err = memfd_list(&opts, fn, arg);

		err = err ? err : memfd_err;
	}
	return err;
}

/* ---- By process id ---------------------------------------------------------------------- */

struct wanted {
	uint32_t pid;
	char *live, *dead;	/* paths */
	int refused;		/* error of a file that is named after the process */
	char reason[256];
};

/* Segments are named program.pid.starttime. */
static bool is_named_after(const char *path, uint32_t pid)
{
	const char *dot = strrchr(path, '.');
	char text[16];
	size_t n = (size_t)snprintf(text, sizeof(text), ".%u", pid);

	return dot && (size_t)(dot - path) > n && !memcmp(dot - n, text, n);
}

static bool has_live(struct inlay_reader *reader, uint32_t pid)
{
	struct inlay_proc_info proc = INLAY_SIZED(inlay_proc_info);

	for (uint32_t i = 0; !inlay_segment_proc(reader, i, &proc); i++)
		if (proc.pid == pid && proc.is_alive)
			return true;
	return false;
}

static int match_pid(void *arg, const char *path, struct inlay_reader *reader, int error,
		     const char *reason)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct wanted *wanted = arg;

	if (!reader) {
		if (is_named_after(path, wanted->pid) && !wanted->refused) {
			wanted->refused = error;
			snprintf(wanted->reason, sizeof(wanted->reason), "%s", reason);
		}
		return 0;
	}
	if (!wanted->live && has_live(reader, wanted->pid)) {
		wanted->live = strdup(path);
		return wanted->live ? 0 : -ENOMEM;
	}
	if (!wanted->dead && !inlay_segment_info(reader, &info) && info.pid == wanted->pid) {
		wanted->dead = strdup(path);
		return wanted->dead ? 0 : -ENOMEM;
	}
	return 0;
}

int inlay_segment_open_pid(pid_t pid, const struct inlay_segment_opts *user_opts,
			   struct inlay_reader **ret_reader)
{
	struct wanted wanted = { .pid = (uint32_t)pid };
	struct inlay_segment_opts opts, look;
	int err = opts_load(user_opts, &opts);

	if (err)
		return err;
	look = opts;
	look.sz = sizeof(look);
	look.is_unlocked = true;
	look.is_writable = false;
	look.has_memfds = false;
	opts.sz = sizeof(opts);
	err = inlay_segment_list(&look, match_pid, &wanted);
	if (!err && (wanted.live || wanted.dead))
		err = inlay_segment_open(wanted.live ? wanted.live : wanted.dead, &opts,
					 ret_reader);
	else if (!err && wanted.refused)
		err = refuse(&opts, wanted.refused, "%s", wanted.reason);
	else if (!err) {
		err = memfd_open_pid(wanted.pid, &opts, ret_reader);
		if (err == -ENOENT)
			err = refuse(&opts, err, "process %u has no segment: it was built without "
				     "probes, or runs with INLAY_DISABLE=1", wanted.pid);
		else if (err == -ESRCH)
			err = refuse(&opts, err, "there is no process %u", wanted.pid);
		else if (err)
			err = refuse(&opts, err, "process %u: %s", wanted.pid, strerror(-err));
	}
	free(wanted.live);
	free(wanted.dead);
	return err;
}
