# SPDX-License-Identifier: BSD-2-Clause
# Fuzzer targets. In every build their corpora are replayed; with INLAY_FUZZ, in a build of its own with
# -fsanitize=fuzzer-no-link, they are libFuzzer's (tests/fuzz/run.sh does it all).
option(INLAY_FUZZ "Link the fuzzer targets with libFuzzer" OFF)

function(inlay_fuzz_target name library)
	add_executable(fuzz_${name} fuzz/${name}.c ${ARGN})
	target_link_libraries(fuzz_${name} PRIVATE inlay_flags ${library})
	set_target_properties(fuzz_${name} PROPERTIES LINKER_LANGUAGE C
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	if(INLAY_FUZZ)
		target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
	else()
		target_sources(fuzz_${name} PRIVATE fuzz/replay.c)
		add_test(NAME fuzz/${name} COMMAND fuzz_${name}
			${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
		set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 120)
	endif()
endfunction()

set(programs fuzz/program.c fuzz/mutate.c fuzz/insn.c)
inlay_fuzz_target(verify bpfcc_front ${programs})
inlay_fuzz_target(oracle bpfcc_front ${programs})
target_link_libraries(fuzz_oracle PRIVATE PkgConfig::CMOCKA)
inlay_fuzz_target(lower bpfcc_lower ${programs})
inlay_fuzz_target(native bpfcc_lower ${programs})
# it loads libinlay.so.1 at run time
add_dependencies(fuzz_native inlay_rt_shared)
if(INLAY_FUZZ)
	foreach(name lower native)
		target_sources(fuzz_${name} PRIVATE fuzz/heap.c)
		target_compile_definitions(fuzz_${name} PRIVATE INLAY_FUZZ)
	endforeach()
	# as it is in targets: native code calls it, and no sanitizer knows its memory
	target_compile_options(inlay_rt_shared PRIVATE -fno-sanitize=all)
	# functions that were compiled into memory have no signature before them
	target_compile_options(bpfcc_lower PRIVATE -fno-sanitize=function)
endif()
inlay_fuzz_target(row bpfcc_front)
inlay_fuzz_target(object bpfcc_front fuzz/elf.c fuzz/insn.c)

inlay_script_test(fuzz/short fuzz/run.sh 3000)
set_tests_properties(fuzz/short PROPERTIES TIMEOUT 900)
