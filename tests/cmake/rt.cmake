# SPDX-License-Identifier: BSD-2-Clause
# The runtime's core: start, segment, objects, shards, processes.
find_package(Threads REQUIRED)
foreach(module rt_start rt_shard rt_fork rt_stack rt_hostile rt_keys)
	inlay_unit_test(${module} LIBS inlay_rt Threads::Threads)
endforeach()

# The same test with the runtime itself under ThreadSanitizer.
get_target_property(RT_SOURCES inlay_rt SOURCES)
add_executable(test_rt_shard_tsan unit/test_rt_shard.c ${RT_SOURCES})
target_link_libraries(test_rt_shard_tsan PRIVATE inlay_flags PkgConfig::CMOCKA Threads::Threads)
target_compile_definitions(test_rt_shard_tsan PRIVATE RT_TEST_TSAN)
target_compile_options(test_rt_shard_tsan PRIVATE -fsanitize=thread -fno-strict-aliasing)
target_link_options(test_rt_shard_tsan PRIVATE -fsanitize=thread)
set_target_properties(test_rt_shard_tsan PROPERTIES
	RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
add_test(NAME unit/rt_shard_tsan COMMAND test_rt_shard_tsan)
set_tests_properties(unit/rt_shard_tsan PROPERTIES TIMEOUT 120
	ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1:exitcode=66")

foreach(script link dso env kill reads symbols)
	inlay_script_test(e2e/rt-${script} e2e/rt-${script}.sh)
endforeach()
