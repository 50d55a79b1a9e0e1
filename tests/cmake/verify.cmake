# SPDX-License-Identifier: BSD-2-Clause
# The verifier: its numbers and its walk. INLAY_TEST_LONG=1 in the environment runs these for minutes.
foreach(module verify_tnum verify_range verify_walk interp verify_oracle)
	inlay_unit_test(${module} LIBS bpfcc_front)
endforeach()
