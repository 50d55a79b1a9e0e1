/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kv [-l LOGFILE] [-u SOCKET | -p PORT] [-b REQUESTS]
 *
 * Answers requests from standard input; with -u or -p from clients of a UNIX socket or of a port on the
 * loopback interface, each in a thread, until SIGTERM. -b makes it its own client: that many gets and
 * sets of a thousand keys, and a line with requests per second.
 */
#include "kv.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct kv_session server = { .log_fd = -1 };

static void serve(FILE *in, FILE *out)
{
	char line[1024], answer[1024];
	struct kv_session session = server;

	while (fgets(line, sizeof(line), in) && kv_command(&session, line, answer, sizeof(answer))) {
		fprintf(out, "%s\n", answer);
		/* before a child may inherit it, and for a client that waits */
		fflush(out);
	}
}

static void *client_main(void *arg)
{
	int fd = (int)(intptr_t)arg, fd_out = dup(fd);
	FILE *in = fdopen(fd, "r"), *out = fd_out < 0 ? NULL : fdopen(fd_out, "w");

	if (in && out)
		serve(in, out);
	if (out)
		fclose(out);
	else if (fd_out >= 0)
		close(fd_out);
	if (in)
		fclose(in);
	else
		close(fd);
	return NULL;
}

static int listen_on(const char *path, const char *port)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr *address = path ? (struct sockaddr *)&un : (struct sockaddr *)&in;
	socklen_t bytes = path ? sizeof(un) : sizeof(in);
	int fd, on = 1;

	if (path) {
		if (strlen(path) >= sizeof(un.sun_path)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		strcpy(un.sun_path, path);
		unlink(path);
	} else {
		in.sin_port = htons((uint16_t)atoi(port));
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, bytes) || listen(fd, 64)) {
		close(fd);
		return -1;
	}
	return fd;
}

static volatile sig_atomic_t is_stopped;

static void on_stop(int signal_number)
{
	(void)signal_number;
	is_stopped = 1;
}

static int serve_clients(int listener)
{
	struct sigaction action = { .sa_handler = on_stop }; /* no SA_RESTART: accept() must end */

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	while (!is_stopped) {
		int fd = accept(listener, NULL, NULL);
		pthread_t id;

		if (fd < 0)
			continue;
		if (pthread_create(&id, NULL, client_main, (void *)(intptr_t)fd))
			close(fd);
		else
			pthread_detach(id);
	}
	close(listener);
	return 0;
}

static int benchmark(unsigned long requests)
{
	struct timespec begin, end;
	char line[64], answer[512];
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned long i = 0; i < requests; i++) {
		if (i & 1)
			snprintf(line, sizeof(line), "get key%lu", i * 7919 % 1000);
		else
			snprintf(line, sizeof(line), "set key%lu value%lu", i * 7919 % 1000, i);
		kv_command(&server, line, answer, sizeof(answer));
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	printf("%lu requests, %.0f per second\n", requests, (double)requests / seconds);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: kv [-l LOGFILE] [-u SOCKET | -p PORT | -b REQUESTS]\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *socket_path = NULL, *port = NULL;
	unsigned long requests = 0;
	int option, listener, err = 0;

	while ((option = getopt(argc, argv, "l:u:p:b:")) != -1) {
		switch (option) {
		case 'l':
			server.log_fd = kv_log_open(optarg);
			if (server.log_fd < 0) {
				fprintf(stderr, "kv: %s: %s\n", optarg, strerror(errno));
				return 1;
			}
			break;
		case 'u':
			socket_path = optarg;
			break;
		case 'p':
			port = optarg;
			break;
		case 'b':
			requests = strtoul(optarg, NULL, 10);
			break;
		default:
			return usage();
		}
	}
	if (optind < argc || (socket_path && port))
		return usage();
	server.store = kv_open();
	if (!server.store)
		return 1;
	if (requests) {
		err = benchmark(requests);
	} else if (socket_path || port) {
		listener = listen_on(socket_path, port);
		if (listener < 0) {
			fprintf(stderr, "kv: %s: %s\n", socket_path ? socket_path : port,
				strerror(errno));
			return 1;
		}
		return serve_clients(listener); /* clients may still use the store */
	} else {
		serve(stdin, stdout);
	}
	kv_close(server.store);
	return err;
}
