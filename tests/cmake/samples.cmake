# SPDX-License-Identifier: BSD-2-Clause
# The same objects in the kernel and inlaid, and the samples from one end to the other.
foreach(tool attach segment fill)
	add_executable(kernel_equal_${tool} e2e/kernel-equal/${tool}.c)
	target_link_libraries(kernel_equal_${tool} PRIVATE inlay_flags)
	set_target_properties(kernel_equal_${tool} PROPERTIES OUTPUT_NAME ${tool}
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/kernel-equal)
endforeach()
target_link_libraries(kernel_equal_attach PRIVATE PkgConfig::LIBBPF PkgConfig::LIBELF)
target_link_libraries(kernel_equal_fill PRIVATE inlay_reader)

file(GLOB objects RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/e2e/kernel-equal CONFIGURE_DEPENDS
	${CMAKE_CURRENT_SOURCE_DIR}/e2e/kernel-equal/*.bpf.c)
foreach(object ${objects})
	string(REPLACE ".bpf.c" "" object ${object})
	inlay_script_test(kernel-equal/${object} e2e/kernel-equal/run.sh ${object})
endforeach()
# the newer instruction sets: 32-bit operations, signed division, sign-extending loads
foreach(object args returns globals hashes identity)
	inlay_script_test(kernel-equal/${object}-v4 e2e/kernel-equal/run.sh ${object} -mcpu=v4)
endforeach()
# other ways to build the target; types are what the source declares, so the maps stay the same
inlay_script_test(kernel-equal/args-O0 e2e/kernel-equal/run.sh args -- -O0 -g)
inlay_script_test(kernel-equal/structs-O3-lto e2e/kernel-equal/run.sh structs -- -O3 -flto)
inlay_script_test(kernel-equal/floats-thinlto e2e/kernel-equal/run.sh floats -- -Os -flto=thin)
inlay_script_test(kernel-equal/strings-asan e2e/kernel-equal/run.sh strings -- -O1 -g -fsanitize=address)
inlay_script_test(kernel-equal/session-O0 e2e/kernel-equal/run.sh session -- -O0)
inlay_script_test(kernel-equal/returns-O1 e2e/kernel-equal/run.sh returns -- -O1)
inlay_script_test(kernel-equal/forks-asan e2e/kernel-equal/run.sh forks -- -O2 -fsanitize=address)
inlay_script_test(kernel-equal/threads-static e2e/kernel-equal/run.sh threads -- -O2 -static)
inlay_script_test(kernel-equal/arena-huge e2e/kernel-equal/run.sh arena -DPAGES=400)
inlay_script_test(kernel-equal/arena-asan e2e/kernel-equal/run.sh arena -- -O1 -g -fsanitize=address)
inlay_script_test(kernel-equal/arena-v4-static e2e/kernel-equal/run.sh arena -mcpu=v4 -- -O2 -static)

foreach(sample funccount funclatency synclat kv)
	inlay_script_test(sample/${sample} e2e/sample-${sample}.sh)
endforeach()
inlay_script_test(map-kill e2e/map-kill.sh)
inlay_script_test(bpf-header e2e/bpf-header.sh)

# random signatures; the last seed has an __int128 that only one register is left for
inlay_script_test(kernel-equal/signatures-O2 e2e/kernel-equal/signatures.sh 1 25)
inlay_script_test(kernel-equal/signatures-O0 e2e/kernel-equal/signatures.sh 2 15 -O0)
inlay_script_test(kernel-equal/signatures-O3-lto e2e/kernel-equal/signatures.sh 1312342 15 -O3 -flto)
