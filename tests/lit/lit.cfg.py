# SPDX-License-Identifier: BSD-2-Clause
# One configuration for all suites; ctest passes the build folder as a parameter.
import os

import lit.formats

config.name = "inlay"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".c", ".cc", ".cpp", ".ll", ".bpf.c", ".test", ".s", ".py"]
config.excludes = ["Inputs", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)

build = os.path.abspath(lit_config.params["build_dir"])
llvm_bin = lit_config.params["llvm_bin"]
config.test_exec_root = os.path.join(build, "tests", "lit")
source = os.path.abspath(os.path.join(config.test_source_root, "..", ".."))

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(build, "bin"), llvm_bin, os.environ["PATH"]])
clang = lit_config.params["clang"]
multiarch = "/usr/include/" + os.uname().machine + "-linux-gnu"
bpf_arch = {"x86_64": "x86", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
config.substitutions += [
    ("%clang_bpf", f"{clang} -target bpf -g -O2 -D__TARGET_ARCH_{bpf_arch} -I{multiarch} "
     f"-I{source}/include"),
    ("%clangxx", clang + " --driver-mode=g++"),
    ("%clang", clang),
    ("%inlay_cc", os.path.join(build, "bin", "inlay-cc")),
    ("%inlay_cxx", os.path.join(build, "bin", "inlay-c++")),
    ("%pass", os.path.join(build, "lib", "inlay-pass.so")),
    ("%libinlay", os.path.join(build, "lib", "libinlay.a")),
    ("%bpfcc", os.path.join(build, "bin", "bpfcc")),
    ("%source", source),
    ("%build", build),
]
if os.geteuid() == 0:
    config.available_features.add("root")
