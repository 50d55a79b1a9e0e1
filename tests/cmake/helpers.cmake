# SPDX-License-Identifier: BSD-2-Clause
# Helpers of the runtime other than maps. The clock's test includes its source.
inlay_unit_test(helper_clock)
set_tests_properties(unit/helper_clock PROPERTIES RUN_SERIAL ON)
