# SPDX-License-Identifier: BSD-2-Clause
# The compiler wrappers, the installation and the scripts of a first use.
inlay_unit_test(driver_args LIBS inlay_driver)
inlay_lit_suite(driver)
