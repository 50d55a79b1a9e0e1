# SPDX-License-Identifier: BSD-2-Clause
# The compiler wrappers, the installation and the scripts of a first use.
inlay_unit_test(driver_args LIBS inlay_driver)
inlay_lit_suite(driver)
inlay_script_test(e2e/driver-configure e2e/driver-configure.sh)
inlay_script_test(e2e/driver-options e2e/driver-options.sh)
inlay_script_test(e2e/driver-install e2e/driver-install.sh)
inlay_script_test(e2e/quickstart-redis e2e/quickstart.sh redis)
inlay_script_test(e2e/quickstart-kv e2e/quickstart.sh kv)
# Both build in the same tree.
set_tests_properties(e2e/quickstart-redis e2e/quickstart-kv PROPERTIES RESOURCE_LOCK quickstart)
inlay_script_test(style/include-direction include-direction.sh)
