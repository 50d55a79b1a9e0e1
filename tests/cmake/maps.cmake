# SPDX-License-Identifier: BSD-2-Clause
# Maps are tested without the rest of the runtime: the tests bring a process table and shards.
set(INLAY_MAP_SOURCES ${CMAKE_SOURCE_DIR}/rt/map_hash.c ${CMAKE_SOURCE_DIR}/rt/map_nodes.c
	${CMAKE_SOURCE_DIR}/rt/map_scavenge.c ${CMAKE_SOURCE_DIR}/rt/map_lru.c ${CMAKE_SOURCE_DIR}/rt/map_queue.c
	${CMAKE_SOURCE_DIR}/rt/map_bloom.c ${CMAKE_SOURCE_DIR}/rt/map_lpm.c
	${CMAKE_SOURCE_DIR}/rt/shard_cold.c)
inlay_unit_test(map)
target_sources(test_map PRIVATE ${INLAY_MAP_SOURCES})

inlay_unit_test(map_queue)
target_sources(test_map_queue PRIVATE ${INLAY_MAP_SOURCES})
inlay_unit_test(map_lpm)
target_sources(test_map_lpm PRIVATE ${INLAY_MAP_SOURCES})
inlay_unit_test(map_inner LIBS bpfcc_front)
target_sources(test_map_inner PRIVATE ${INLAY_MAP_SOURCES})

# Atomics call into the test; nothing else is instrumented and no sanitizer runtime is linked.
function(map_hooked_library name)
	add_library(${name} OBJECT ${INLAY_MAP_SOURCES} ${ARGN})
	target_link_libraries(${name} PRIVATE inlay_flags)
	target_compile_options(${name} PRIVATE -fsanitize=thread
		"SHELL:-mllvm -tsan-instrument-memory-accesses=0"
		"SHELL:-mllvm -tsan-instrument-memintrinsics=0"
		"SHELL:-mllvm -tsan-instrument-func-entry-exit=0")
endfunction()
map_hooked_library(map_hooked unit/map_hooked.c)
inlay_unit_test(map_step LIBS map_hooked)
inlay_unit_test(map_chain_step LIBS map_hooked)
inlay_unit_test(map_lru LIBS map_hooked)
# a library of its own: maps of other types do not need it
add_library(map_arena_hooked OBJECT ${CMAKE_SOURCE_DIR}/rt/map_arena.c)
target_link_libraries(map_arena_hooked PRIVATE inlay_flags)
target_compile_options(map_arena_hooked PRIVATE -fsanitize=thread
	"SHELL:-mllvm -tsan-instrument-memory-accesses=0"
	"SHELL:-mllvm -tsan-instrument-memintrinsics=0"
	"SHELL:-mllvm -tsan-instrument-func-entry-exit=0")
inlay_unit_test(map_arena LIBS map_hooked map_arena_hooked)
# Every order of events: few nodes, or there are too many.
map_hooked_library(map_hooked_small)
target_compile_definitions(map_hooked_small PRIVATE INLAY_HASH_SPARES=1u)
inlay_unit_test(map_model LIBS map_hooked_small)
target_compile_definitions(test_map_model PRIVATE INLAY_HASH_SPARES=1u)
inlay_unit_test(map_chain_model LIBS map_hooked_small)
target_compile_definitions(test_map_chain_model PRIVATE INLAY_HASH_SPARES=1u)
inlay_unit_test(map_lru_model LIBS map_hooked_small)
target_compile_definitions(test_map_lru_model PRIVATE INLAY_HASH_SPARES=1u)

inlay_unit_test(map_chain)
target_sources(test_map_chain PRIVATE ${INLAY_MAP_SOURCES})
inlay_unit_test(map_threads)
target_sources(test_map_threads PRIVATE ${INLAY_MAP_SOURCES})

# map_sanitized_test(<module> <name> <sanitizers>): a test and what it tests, under sanitizers
function(map_sanitized_test module name sanitizers)
	add_executable(test_${name} unit/test_${module}.c ${INLAY_MAP_SOURCES})
	target_link_libraries(test_${name} PRIVATE inlay_flags PkgConfig::CMOCKA)
	target_compile_options(test_${name} PRIVATE -fsanitize=${sanitizers}
		-fno-sanitize-recover=all)
	target_link_options(test_${name} PRIVATE -fsanitize=${sanitizers})
	set_target_properties(test_${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME unit/${name} COMMAND test_${name})
	set_tests_properties(unit/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endfunction()
# ThreadSanitizer does not know fences; what they order is atomic, so it has nothing to miss here.
map_sanitized_test(map_threads map_threads_tsan thread)
map_sanitized_test(map_chain map_chain_tsan thread)
map_sanitized_test(map map_asan address,undefined)
map_sanitized_test(map_queue map_queue_asan address,undefined)
map_sanitized_test(map_lpm map_lpm_asan address,undefined)
inlay_script_test(map-symbols e2e/map-symbols.sh)
