# SPDX-License-Identifier: BSD-2-Clause
# bpfcc's front end: loader, checks, analysis, command.
set(BPFCC_PROBE ${CMAKE_BINARY_DIR}/tests/bpfcc_probe.bpf.o)
add_custom_command(OUTPUT ${BPFCC_PROBE}
	COMMAND ${INLAY_CLANG} -target bpf -g -O2 -Wall -Werror -D__TARGET_ARCH_x86
		-I/usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
		-c ${CMAKE_CURRENT_SOURCE_DIR}/unit/bpfcc_probe.bpf.c -o ${BPFCC_PROBE}
	DEPENDS unit/bpfcc_probe.bpf.c
	VERBATIM)
add_custom_target(bpfcc_probe DEPENDS ${BPFCC_PROBE})

foreach(module bpfcc_parts bpfcc_raw bpfcc_load bpfcc_check bpfcc_hostile)
	inlay_unit_test(${module} LIBS bpfcc_front)
	target_compile_definitions(test_${module} PRIVATE BPFCC_PROBE="${BPFCC_PROBE}")
	add_dependencies(test_${module} bpfcc_probe)
endforeach()
target_compile_definitions(test_bpfcc_hostile PRIVATE BPFCC_HOSTILE_ROUNDS=4000)

inlay_lit_suite(bpfcc)
inlay_lit_suite(verify)

inlay_unit_test(bpfcc_api LIBS libbpfcc)
target_compile_definitions(test_bpfcc_api PRIVATE BPFCC_PROBE="${BPFCC_PROBE}")
add_dependencies(test_bpfcc_api bpfcc_probe)

# -DINLAY_VERIFIER_CORPUS=FILE: programs with a kernel's verdicts; not a part of the sources
set(INLAY_VERIFIER_CORPUS "" CACHE FILEPATH "Rows for bpfcc verify --raw with labels; a test if given")
if(INLAY_VERIFIER_CORPUS)
	inlay_script_test(e2e/verifier-corpus e2e/verifier-corpus.sh)
	set_property(TEST e2e/verifier-corpus APPEND PROPERTY
		ENVIRONMENT "INLAY_VERIFIER_CORPUS=${INLAY_VERIFIER_CORPUS}")
endif()
