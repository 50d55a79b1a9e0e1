/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `inlay gc`: removes what dead processes left. A segment is in use while anybody holds a lock on it:
 * the processes that write to it, and readers. The kernel drops a lock with its process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"

enum {
	KEPT = 16,		/* newest segments of dead processes that stay */
	MAKING_SECONDS = 60,	/* a file that is being made is younger */
};

struct gc {
	const struct args *args;
	uint64_t nr_kept, nr_removed, bytes;
	int code;
};

/* Whether nobody holds any lock on an open file. */
static bool is_unused(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type == F_UNLCK;
}

static void remove_file(struct gc *gc, int dir_fd, const char *name, const char *path)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char safe[256], size[32];
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !is_unused(fd)) {
		close(fd);
		return;
	}
	close(fd);
	escape(path, safe, sizeof(safe));
	if (!gc->args->is_dry && unlinkat(dir_fd, name, 0)) {
		if (errno != ENOENT)
			gc->code = fail("%s: %s", safe, strerror(errno));
		return;
	}
	printf("%s %s (%s)\n", gc->args->is_dry ? "would remove" : "removed", safe,
	       format_bytes((uint64_t)st.st_blocks * 512, size, sizeof(size)));
	gc->nr_removed++;
	gc->bytes += (uint64_t)st.st_blocks * 512;
}

static int gc_one(void *arg, const char *path, struct inlay_reader *reader, int error,
		  const char *reason)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct gc *gc = arg;
	char safe[256];

	if (!reader && error == -ENOMEM)
		return error;
	if (!reader && !gc->args->is_all) {
		fail("%s: left alone: %s", escape(path, safe, sizeof(safe)), reason);
		return 0;
	}
	if (reader) {
		if (inlay_segment_info(reader, &info) && !gc->args->is_all)
			return 0;
		if (info.nr_alive)
			return 0;
		if (!gc->args->is_all && gc->nr_kept < KEPT) {
			gc->nr_kept++;
			return 0;
		}
	}
	remove_file(gc, AT_FDCWD, path, path);
	return 0;
}

/* A target that was killed while it made its segment leaves a file whose name starts with a dot. */
static void gc_unfinished(struct gc *gc, const char *dir_name, uid_t owner)
{
	DIR *dir = opendir(dir_name);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX];
		struct stat st;

		if (entry->d_name[0] != '.' || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    st.st_uid != owner || time(NULL) - st.st_mtime < MAKING_SECONDS)
			continue;
		snprintf(path, sizeof(path), "%.2000s/%s", dir_name, entry->d_name);
		remove_file(gc, dirfd(dir), entry->d_name, path);
	}
	if (dir)
		closedir(dir);
}

int cmd_gc(const struct args *args)
{
	struct gc gc = { .args = args };
	struct inlay_segment_opts opts;
	char reason[256] = "", size[32], dir[PATH_MAX];
	uid_t owner = args->is_owner_given ? args->owner : geteuid();
	int err;

	segment_opts(args, &opts);
	opts.has_memfds = false; /* they go with their processes */
	opts.is_unlocked = true;
	opts.reason = reason;
	opts.reason_bytes = sizeof(reason);
	/* The walk checks who owns the directory before anything in it is touched. */
	err = inlay_segment_list(&opts, gc_one, &gc);
	if (err)
		return *reason ? fail("%s", reason) : fail_read("segments", err);
	snprintf(dir, sizeof(dir), "/dev/shm/inlay-%u", (unsigned int)owner);
	gc_unfinished(&gc, opts.dir ? opts.dir : dir, owner);
	if (gc.nr_removed)
		printf("%llu file%s, %s\n", (unsigned long long)gc.nr_removed,
		       gc.nr_removed == 1 ? "" : "s",
		       format_bytes(gc.bytes, size, sizeof(size)));
	else
		puts("nothing to remove");
	return gc.code;
}
