# SPDX-License-Identifier: BSD-2-Clause
# Maps are tested without the rest of the runtime: the tests bring a process table and shards.
set(INLAY_MAP_SOURCES ${CMAKE_SOURCE_DIR}/rt/map_hash.c ${CMAKE_SOURCE_DIR}/rt/map_nodes.c
	${CMAKE_SOURCE_DIR}/rt/map_scavenge.c)
inlay_unit_test(map)
target_sources(test_map PRIVATE ${INLAY_MAP_SOURCES})
