/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process behind a variant: started once, asked for rounds through a pipe, ended by its own
 * exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/probe/bench.h"

#define ROUND_TIMEOUT_MS 30000

static bool lttng_is_ours;

static int skip(struct bench_variant *variant, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(variant->skipped, sizeof(variant->skipped), format, args);
	va_end(args);
	return err;
}

/* Runs a command to its end, its output into the scratch folder; its exit code, or -1. */
static int run_quietly(const char *scratch, char *const argv[])
{
	char log[300];
	int status;
	pid_t pid;

	snprintf(log, sizeof(log), "%s/log", scratch);
	pid = fork();
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		if (fd >= 0) {
			dup2(fd, STDOUT_FILENO);
			dup2(fd, STDERR_FILENO);
		}
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int bench_lttng_start(const char *scratch, char *reason)
{
	char output[300];
	char *const daemon[] = { "lttng-sessiond", "--daemonize", "--no-kernel", NULL };
	char *const ping[] = { "lttng", "--no-sessiond", "list", NULL };
	char *const create[] = { "lttng", "--no-sessiond", "create", "inlay-bench", "--snapshot",
				 output, NULL };
	char *const enable[] = { "lttng", "--no-sessiond", "enable-event", "--userspace",
				 "inlay_bench:hit", NULL };
	char *const start[] = { "lttng", "--no-sessiond", "start", NULL };

	snprintf(output, sizeof(output), "--output=%s/lttng", scratch);
	setenv("LTTNG_HOME", scratch, 1);
	setenv("LTTNG_UST_REGISTER_TIMEOUT", "-1", 1); /* a tracee waits until it is registered */
	if (run_quietly(scratch, ping) == 0) {
		snprintf(reason, BENCH_REASON_BYTES, "another lttng-sessiond is running");
		return -EBUSY;
	}
	if (run_quietly(scratch, daemon)) {
		snprintf(reason, BENCH_REASON_BYTES, "lttng-sessiond (lttng-tools) does not start");
		return -ENOENT;
	}
	lttng_is_ours = true;
	if (run_quietly(scratch, create) || run_quietly(scratch, enable) ||
	    run_quietly(scratch, start)) {
		snprintf(reason, BENCH_REASON_BYTES, "lttng: no session to be had");
		bench_lttng_end();
		return -EIO;
	}
	return 0;
}

/* Ends the daemon that bench_lttng_start() has started, by the id that it wrote down. */
void bench_lttng_end(void)
{
	static const char pid_file[] = "/var/run/lttng/lttng-sessiond.pid";
	const char *home = getenv("LTTNG_HOME");
	char *const destroy[] = { "lttng", "--no-sessiond", "destroy", "inlay-bench", NULL };
	FILE *file;
	int pid;

	if (!lttng_is_ours)
		return;
	lttng_is_ours = false;
	run_quietly(home ? home : "/tmp", destroy);
	file = fopen(pid_file, "re");
	if (!file)
		return;
	if (fscanf(file, "%d", &pid) != 1 || pid <= 1 || kill(pid, SIGTERM))
		pid = 0;
	fclose(file);
	for (int i = 0; i < 50 && pid && kill(pid, 0) == 0; i++)
		usleep(100000);
}

static pid_t spawn(char *const argv[], int *ret_to, int *ret_from)
{
	int to[2], from[2];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	*ret_to = to[1];
	*ret_from = from[0];
	return pid;
}

static bool is_in_path(const char *name)
{
	char *path = strdup(getenv("PATH") ? getenv("PATH") : ""), *save = NULL;
	bool is_found = false;

	for (char *dir = strtok_r(path, ":", &save); dir && !is_found;
	     dir = strtok_r(NULL, ":", &save)) {
		char full[4200];

		snprintf(full, sizeof(full), "%s/%s", dir, name);
		is_found = access(full, X_OK) == 0;
	}
	free(path);
	return is_found;
}

int bench_variant_start(struct bench_variant *variant, const struct bench_options *options,
			const char *scratch)
{
	char binary[4096], data[4096], object[4096];
	char *plain[] = { binary, NULL };
	char *uftrace[] = { "uftrace", "record", "--no-event", "-d", data, binary, NULL };
	double ns;
	int err;

	variant->to_fd = variant->from_fd = -1;
	snprintf(binary, sizeof(binary), "%s/%s", options->folder, variant->program);
	snprintf(data, sizeof(data), "%s/uftrace.data", scratch);
	if (access(binary, X_OK))
		return skip(variant, -ENOENT, "not built: what it needs was not found");
	if (variant->peer == BENCH_UFTRACE && !is_in_path("uftrace"))
		return skip(variant, -ENOENT, "uftrace is not installed");
	if (variant->peer == BENCH_LTTNG) {
		err = bench_lttng_start(scratch, variant->skipped);
		if (err)
			return err;
	}
	variant->pid = spawn(variant->peer == BENCH_UFTRACE ? uftrace : plain, &variant->to_fd,
			     &variant->from_fd);
	if (variant->pid < 0)
		return skip(variant, -errno, "cannot start %s: %s", binary, strerror(errno));
	if (variant->peer == BENCH_KERNEL) {
		snprintf(object, sizeof(object), "%s/%s", options->folder, variant->object);
		err = bench_kernel_attach(object, binary, variant->pid, &variant->kernel,
					  variant->skipped);
		if (err)
			return err;
	}
	/* warm up, and see that it answers */
	err = bench_variant_run(variant, 1000, &ns);
	if (err)
		return err;
	if (variant->kernel && !bench_kernel_has_run(variant->kernel))
		return skip(variant, -EIO, "attached, but never hit");
	return 0;
}

int bench_variant_run(struct bench_variant *variant, unsigned long calls, double *ret_ns)
{
	struct pollfd fd = { .fd = variant->from_fd, .events = POLLIN };
	char line[64];
	size_t n = 0;

	if (dprintf(variant->to_fd, "%lu\n", calls) < 0)
		return skip(variant, -EPIPE, "%s has ended", variant->program);
	while (n < sizeof(line) - 1) {
		ssize_t got;

		if (poll(&fd, 1, ROUND_TIMEOUT_MS) != 1)
			return skip(variant, -ETIMEDOUT, "%s does not answer", variant->program);
		got = read(variant->from_fd, line + n, sizeof(line) - 1 - n);
		if (got <= 0)
			return skip(variant, -EPIPE, "%s has ended", variant->program);
		n += (size_t)got;
		if (line[n - 1] == '\n')
			break;
	}
	line[n] = '\0';
	*ret_ns = strtod(line, NULL) / (double)calls;
	return 0;
}

void bench_variant_end(struct bench_variant *variant)
{
	int status;

	bench_kernel_detach(variant->kernel);
	variant->kernel = NULL;
	if (variant->to_fd >= 0)
		close(variant->to_fd); /* end of input ends it */
	if (variant->from_fd >= 0)
		close(variant->from_fd);
	variant->to_fd = variant->from_fd = -1;
	if (variant->pid > 0)
		waitpid(variant->pid, &status, 0);
	variant->pid = 0;
	if (variant->peer == BENCH_LTTNG)
		bench_lttng_end();
}
