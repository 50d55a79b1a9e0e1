/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the functions of libc fail that report through errno: POSIX.1-2017 and the Linux manual
 * pages, section "Return value". Functions that return the error number itself (pthread_create,
 * posix_fallocate) or that cannot fail are not among them. Aliases are resolved before (aliases.c).
 */
#include <stdlib.h>
#include <string.h>

#include "pass/plan.h"

/* clang-format off: one name a line would be 450 lines */
/* Sorted, both. */
static const char *const minus_one[] = {
	"accept", "accept4", "access", "acct", "adjtime", "adjtimex", "aio_cancel", "aio_read",
	"aio_return", "aio_suspend", "aio_write", "asprintf", "bind", "brk", "chdir", "chmod",
	"chown", "chroot", "clearenv", "clock_adjtime", "clock_getres", "clock_gettime",
	"clock_settime", "clone", "close", "close_range", "closedir", "connect",
	"copy_file_range", "creat", "daemon", "dirfd", "dprintf", "dup", "dup2", "dup3",
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "eventfd", "eventfd_read", "eventfd_write", "execl", "execle", "execlp",
	"execv", "execve", "execveat", "execvp", "execvpe", "faccessat", "fallocate",
	"fanotify_init", "fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchown", "fchownat",
	"fclose", "fcntl", "fdatasync", "fexecve", "fflush", "fflush_unlocked", "fgetc",
	"fgetc_unlocked", "fgetpos", "fgetxattr", "fileno", "flistxattr", "flock", "fork",
	"fpathconf", "fprintf", "fputc", "fputc_unlocked", "fputs", "fputs_unlocked",
	"fremovexattr", "fscanf", "fseek", "fseeko", "fsetpos", "fsetxattr", "fsmount", "fsopen",
	"fspick", "fstat", "fstatat", "fstatfs", "fstatvfs", "fsync", "ftell", "ftello", "ftok",
	"ftruncate", "ftw", "futimens", "futimes", "futimesat", "getc", "getc_unlocked",
	"getchar", "getdelim", "getdents64", "getdomainname", "getentropy", "getgroups",
	"gethostname", "getifaddrs", "getitimer", "getline", "getpeername", "getpgid",
	"getpriority", "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid",
	"getsockname", "getsockopt", "gettimeofday", "getxattr", "initgroups",
	"inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "ioctl",
	"ioperm", "iopl", "kill", "killpg", "lchmod", "lchown", "lgetxattr", "link", "linkat",
	"listen", "listxattr", "llistxattr", "lockf", "lremovexattr", "lseek", "lsetxattr",
	"lstat", "lutimes", "madvise", "memfd_create", "memfd_secret", "mincore", "mkdir",
	"mkdirat", "mkfifo", "mkfifoat", "mknod", "mknodat", "mkostemp", "mkostemps", "mkstemp",
	"mkstemps", "mlock", "mlock2", "mlockall", "mmap", "mount", "mount_setattr",
	"move_mount", "mprotect", "mq_close", "mq_getattr", "mq_notify", "mq_open", "mq_receive",
	"mq_send", "mq_setattr", "mq_timedreceive", "mq_timedsend", "mq_unlink", "mremap",
	"msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap",
	"name_to_handle_at", "nanosleep", "nftw", "nice", "open", "open_by_handle_at",
	"open_tree", "openat", "openat2", "pathconf", "pause", "pclose", "personality",
	"pidfd_getfd", "pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "pivot_root",
	"pkey_alloc", "pkey_free", "pkey_mprotect", "pkey_set", "poll", "posix_openpt", "ppoll",
	"prctl", "pread", "preadv", "preadv2", "printf", "prlimit", "process_madvise",
	"process_vm_readv", "process_vm_writev", "pselect", "ptrace", "putc", "putc_unlocked",
	"putchar", "putenv", "puts", "pwrite", "pwritev", "pwritev2", "quotactl", "raise",
	"read", "readahead", "readlink", "readlinkat", "readv", "reboot", "recv", "recvfrom",
	"recvmmsg", "recvmsg", "remap_file_pages", "remove", "removexattr", "rename", "renameat",
	"renameat2", "rmdir", "sbrk", "scandir", "scanf", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"sched_rr_get_interval", "sched_setaffinity", "sched_setparam", "sched_setscheduler",
	"select", "sem_close", "sem_destroy", "sem_getvalue", "sem_init", "sem_post",
	"sem_timedwait", "sem_trywait", "sem_unlink", "sem_wait", "semctl", "semget", "semop",
	"semtimedop", "send", "sendfile", "sendmmsg", "sendmsg", "sendto", "setdomainname",
	"setegid", "setenv", "seteuid", "setgid", "setgroups", "sethostname", "setitimer",
	"setns", "setpgid", "setpriority", "setregid", "setresgid", "setresuid", "setreuid",
	"setrlimit", "setsid", "setsockopt", "settimeofday", "setuid", "setxattr", "shm_open",
	"shm_unlink", "shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaction", "sigaddset",
	"sigaltstack", "sigdelset", "sigemptyset", "sigfillset", "siginterrupt", "sigismember",
	"signal", "signalfd", "sigpending", "sigprocmask", "sigqueue", "sigsuspend",
	"sigtimedwait", "sigwaitinfo", "snprintf", "socket", "socketpair", "splice", "sprintf",
	"stat", "statfs", "statvfs", "statx", "swapoff", "swapon", "symlink", "symlinkat",
	"sync_file_range", "syncfs", "syscall", "sysconf", "sysinfo", "system", "tcdrain",
	"tcflow", "tcflush", "tcgetattr", "tcgetpgrp", "tcgetsid", "tcsendbreak", "tcsetattr",
	"tcsetpgrp", "tee", "tgkill", "timer_create", "timer_delete", "timer_getoverrun",
	"timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime", "timerfd_settime",
	"times", "truncate", "umount", "umount2", "uname", "ungetc", "unlink", "unlinkat",
	"unsetenv", "unshare", "ustat", "utime", "utimensat", "utimes", "vasprintf", "vdprintf",
	"vfork", "vfprintf", "vhangup", "vmsplice", "vprintf", "vsnprintf", "vsprintf", "wait",
	"wait3", "wait4", "waitid", "waitpid", "write", "writev",
};

/* Pointers, and what counts items. */
static const char *const zero[] = {
	"aligned_alloc", "calloc", "canonicalize_file_name", "duplocale", "fdopen", "fdopendir",
	"fgets", "fgets_unlocked", "fmemopen", "fopen", "fopencookie", "fread", "fread_unlocked",
	"freopen", "fwrite", "fwrite_unlocked", "get_current_dir_name", "getcwd", "getgrgid",
	"getgrnam", "getpwnam", "getpwuid", "if_indextoname", "if_nameindex", "if_nametoindex",
	"malloc", "memalign", "mkdtemp", "newlocale", "open_memstream", "open_wmemstream",
	"opendir", "popen", "pvalloc", "readdir", "realloc", "reallocarray", "realpath",
	"sem_open", "setmntent", "strdup", "strndup", "tempnam", "tmpfile", "ttyname",
	"uselocale", "valloc",
};
/* clang-format on */

static int compare(const void *key, const void *row)
{
	return strcmp(key, *(const char *const *)row);
}

enum libc_failure libc_failure_of(const char *function)
{
	if (bsearch(function, minus_one, sizeof(minus_one) / sizeof(minus_one[0]),
		    sizeof(minus_one[0]), compare))
		return LIBC_FAILS_MINUS_ONE;
	if (bsearch(function, zero, sizeof(zero) / sizeof(zero[0]), sizeof(zero[0]), compare))
		return LIBC_FAILS_ZERO;
	return LIBC_UNKNOWN;
}
