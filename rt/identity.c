/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who this process is: executable, program name, load bias, start time. Everything is best effort:
 * what /proc does not tell stays empty or 0, and the segment is made all the same.
 */
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '+' || c == '.';
}

static void program_name(char *dst, size_t dst_bytes, const char *exe)
{
	size_t i;

	str_copy(dst, dst_bytes, str_base(exe));
	for (i = 0; dst[i]; i++)
		if (!is_name_byte(dst[i]))
			dst[i] = '_';
	/* a leading dot means "being made" */
	if (dst[0] == '.')
		dst[0] = '_';
	if (!dst[0])
		str_copy(dst, dst_bytes, "unknown");
}

static int first_module(struct dl_phdr_info *info, size_t bytes, void *ret)
{
	(void)bytes;
	*(__u64 *)ret = info->dlpi_addr;
	return 1;
}

void __inlay_identity_read(struct rt_identity *ret_id)
{
	static const char deleted[] = " (deleted)";
	struct stat st;
	long n;

	/* not by an initialiser, which would be a call of memset() */
	ret_id->exe[0] = '\0';
	ret_id->program[0] = '\0';
	ret_id->exe_dev = 0;
	ret_id->exe_ino = 0;
	ret_id->exe_base = 0;
	n = sys_readlink("/proc/self/exe", ret_id->exe, sizeof(ret_id->exe) - 1);
	if (n > 0) {
		size_t tail = sizeof(deleted) - 1;

		ret_id->exe[n] = '\0';
		if ((size_t)n > tail && str_equal(ret_id->exe + n - tail, deleted))
			ret_id->exe[(size_t)n - tail] = '\0';
		if (!sys_fstatat(AT_FDCWD, "/proc/self/exe", &st, 0)) {
			ret_id->exe_dev = st.st_dev;
			ret_id->exe_ino = st.st_ino;
		}
	} else {
		const char *name = (const char *)getauxval(AT_EXECFN);

		if (name)
			str_copy(ret_id->exe, sizeof(ret_id->exe), name);
	}
	program_name(ret_id->program, sizeof(ret_id->program), ret_id->exe);
	dl_iterate_phdr(first_module, &ret_id->exe_base);
}

/* Field 22 of /proc/self/stat; the second one is a name in parentheses that may hold anything. */
__u64 __inlay_starttime(void)
{
	char buf[1024];
	const char *p, *end = NULL;
	__u64 value = 0;
	int fd, field;
	long n;

	fd = sys_openat(AT_FDCWD, "/proc/self/stat", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	n = sys_read(fd, buf, sizeof(buf) - 1);
	sys_close(fd);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	for (p = buf; *p; p++)
		if (*p == ')')
			end = p;
	if (!end)
		return 0;
	/* after ") " comes field 3 */
	for (p = end + 1, field = 2; *p && field < 22; p++)
		if (*p == ' ')
			field++;
	for (; *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (__u64)(*p - '0');
	return value;
}
