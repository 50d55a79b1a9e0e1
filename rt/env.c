/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment variables of the runtime. A privileged target (setuid, file capabilities, the
 * kernel's AT_SECURE) is steered by nobody: all of them are ignored there.
 */
#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

static const char *env_get(char *const *envp, const char *name)
{
	size_t n = str_bytes(name);

	for (; envp && *envp; envp++)
		if (bytes_equal(*envp, name, n) && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

static bool env_is_on(const char *value)
{
	return value && value[0] && !str_equal(value, "0");
}

void __inlay_env_read(bool is_secure, char *const *envp, struct rt_env *ret_env)
{
	const char *value;

	*ret_env = (struct rt_env){0};
	if (is_secure)
		return;
	ret_env->is_disabled = env_is_on(env_get(envp, "INLAY_DISABLE"));
	ret_env->is_kept = env_is_on(env_get(envp, "INLAY_KEEP"));
	value = env_get(envp, "INLAY_DIR");
	if (value && value[0])
		ret_env->dir = value;
	value = env_get(envp, "INLAY_SEGMENT");
	if (value && value[0])
		ret_env->segment = value;
}
