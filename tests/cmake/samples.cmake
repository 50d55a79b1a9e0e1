# SPDX-License-Identifier: BSD-2-Clause
# The same objects in the kernel and inlaid, and the samples from one end to the other.
foreach(tool attach segment)
	add_executable(kernel_equal_${tool} e2e/kernel-equal/${tool}.c)
	target_link_libraries(kernel_equal_${tool} PRIVATE inlay_flags)
	set_target_properties(kernel_equal_${tool} PROPERTIES OUTPUT_NAME ${tool}
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/kernel-equal)
endforeach()
target_link_libraries(kernel_equal_attach PRIVATE PkgConfig::LIBBPF PkgConfig::LIBELF)

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
foreach(sample funccount funclatency synclat)
	inlay_script_test(sample/${sample} e2e/sample-${sample}.sh)
endforeach()
