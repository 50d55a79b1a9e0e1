# SPDX-License-Identifier: BSD-2-Clause
# The verifier: its numbers and its walk. INLAY_TEST_LONG=1 in the environment runs these for minutes.
foreach(module verify_tnum verify_range verify_walk verify_loop interp verify_oracle)
	inlay_unit_test(${module} LIBS bpfcc_front)
endforeach()

inlay_script_test(e2e/verifier-kinds e2e/verifier-kinds.sh)
inlay_script_test(e2e/verifier-nests e2e/verifier-nests.sh)

# What the oracle runs besides random programs: the samples, and the twins of lit/verify.
file(GLOB twins CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/lit/verify/*.c)
file(GLOB probes CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/e2e/kernel-equal/*.bpf.c
	${CMAKE_SOURCE_DIR}/samples/*.bpf.c)
get_directory_property(INLAY_BPF_FLAGS DIRECTORY ${CMAKE_SOURCE_DIR}/samples
	DEFINITION INLAY_BPF_FLAGS)
set(oracle_objects)
foreach(source ${twins} ${probes})
	file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${source})
	string(MAKE_C_IDENTIFIER ${name} name)
	set(object ${CMAKE_BINARY_DIR}/tests/oracle/${name}.bpf.o)
	inlay_compile_bpf(${object} ${source} -mcpu=v4 -w
		-I${CMAKE_CURRENT_SOURCE_DIR}/lit/verify/Inputs)
	list(APPEND oracle_objects ${object})
endforeach()
add_custom_target(oracle_objects DEPENDS ${oracle_objects})
add_dependencies(test_verify_oracle oracle_objects)
list(JOIN oracle_objects ":" oracle_objects)
target_compile_definitions(test_verify_oracle PRIVATE ORACLE_OBJECTS="${oracle_objects}")

inlay_unit_test(verify_native LIBS bpfcc_lower bpfcc_front dl)
# it loads libinlay.so.1 at run time
add_dependencies(test_verify_native inlay_rt_shared)
