# SPDX-License-Identifier: BSD-2-Clause
# The runtime's core: start, segment, objects, shards, processes.
find_package(Threads REQUIRED)
foreach(module rt_start rt_shard rt_fork rt_stack rt_hostile rt_keys)
	inlay_unit_test(${module} LIBS inlay_rt Threads::Threads)
endforeach()

# The same with the runtime itself under ThreadSanitizer. What it cannot follow is left out: rt_hostile
# races on purpose, and rt_start has one thread.
get_target_property(RT_SOURCES inlay_rt SOURCES)
add_library(inlay_rt_tsan STATIC EXCLUDE_FROM_ALL ${RT_SOURCES})
target_link_libraries(inlay_rt_tsan PRIVATE inlay_flags)
target_compile_options(inlay_rt_tsan PRIVATE -fsanitize=thread -fno-strict-aliasing)
foreach(module rt_shard rt_fork rt_stack rt_keys helper_misc)
	add_executable(test_${module}_tsan unit/test_${module}.c)
	target_link_libraries(test_${module}_tsan PRIVATE inlay_flags inlay_rt_tsan
		PkgConfig::CMOCKA Threads::Threads)
	target_compile_definitions(test_${module}_tsan PRIVATE RT_TEST_TSAN)
	target_compile_options(test_${module}_tsan PRIVATE -fsanitize=thread -fno-strict-aliasing)
	target_link_options(test_${module}_tsan PRIVATE -fsanitize=thread)
	set_target_properties(test_${module}_tsan PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME unit/${module}_tsan COMMAND test_${module}_tsan)
	set_tests_properties(unit/${module}_tsan PROPERTIES ${inlay_skip} TIMEOUT 120
		ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1:exitcode=66:die_after_fork=0")
endforeach()

foreach(script link dso env kill huge reads symbols musl seccomp old calls)
	inlay_script_test(e2e/rt-${script} e2e/rt-${script}.sh)
endforeach()
inlay_script_test(e2e/survive e2e/survive.sh)
inlay_script_test(e2e/survive-hostile e2e/survive-hostile.sh)
inlay_script_test(e2e/survive-places e2e/survive-places.sh)
inlay_script_test(e2e/survive-odd e2e/survive-odd.sh)
inlay_script_test(e2e/survive-huge e2e/survive-huge.sh)
