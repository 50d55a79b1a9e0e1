# SPDX-License-Identifier: BSD-2-Clause
# The verifier: its numbers and its walk. INLAY_TEST_LONG=1 in the environment runs these for minutes.
foreach(module verify_tnum verify_range verify_walk interp verify_oracle)
	inlay_unit_test(${module} LIBS bpfcc_front)
endforeach()

inlay_unit_test(verify_native LIBS bpfcc_lower bpfcc_front dl)
# it loads libinlay.so.1 at run time
add_dependencies(test_verify_native inlay_rt_shared)
