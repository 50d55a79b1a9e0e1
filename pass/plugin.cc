/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin's entry and the calls that LLVM-C 19 lacks. The only C++ of the project, without
 * policy: options are collected and handed on, every wrapper is one step.
 */
#include <cstdio>
#include <string>
#include <vector>

#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Passes/PassPlugin.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/EscapeEnumerator.h>
#include <llvm/Transforms/Utils/ModuleUtils.h>
#include "pass/ir.h"
#include "pass/pass.h"

using namespace llvm;
using Strings = cl::list<std::string>;
static Strings Probes("inlay-probes", cl::CommaSeparated, cl::desc("Probe objects (.bpf.o)"));
static Strings Sets("inlay-set", cl::desc("[OBJECT:]VAR=value"));
static Strings Maps("inlay-map", cl::desc("[OBJECT:]NAME.max_entries=N"));
static Strings Attaches("inlay-attach", cl::desc("[OBJECT:]PROGRAM:FUNCTION"));
static Strings Skips("inlay-skip", cl::desc("[OBJECT:]PROGRAM to leave out"));
static cl::opt<std::string> Binary("inlay-binary", cl::desc("Name of the linked output"));
static cl::opt<std::string> Report("inlay-report", cl::desc("JSON build report: file, directory"));
static cl::opt<std::string> Types("inlay-target-btf", cl::desc("Types for CO-RE: BTF or ELF file"));
static cl::opt<std::string> Hash("inlay-hash", cl::desc("Ignored: a key for compiler caches"));
static cl::opt<bool> Override("inlay-allow-override", cl::desc("Accept bpf_override_return()"));
static cl::opt<bool> Write("inlay-allow-write", cl::desc("Accept bpf_probe_write_user()"));
static cl::opt<bool> Unsafe("inlay-unsafe-no-verify", cl::desc("Do not verify programs"));
static cl::opt<bool> Stats("inlay-stats", cl::desc("Programs count their runs and time"));
static cl::opt<bool> Verbose("inlay-verbose", cl::desc("Print every site"));

static std::vector<const char *> all(const Strings &List)
{
	std::vector<const char *> Result;
	for (const std::string &S : List)
		Result.push_back(S.c_str());
	return Result;
}
struct InlayPass : PassInfoMixin<InlayPass> {
	pass_point Point;
	static bool isRequired() { return true; }
	PreservedAnalyses run(Module &M, ModuleAnalysisManager &AM)
	{
		auto P = all(Probes), S = all(Sets), N = all(Maps), A = all(Attaches), K = all(Skips);
		pass_options O = {P.data(), P.size(), S.data(), S.size(), N.data(), N.size(),
				  A.data(), A.size(), K.data(), K.size(), Binary.c_str(), Report.c_str(),
				  Types.c_str(), Override, Write, Unsafe, Stats, Verbose};
		if (!pass_run(wrap(&M), &O, Point))
			return PreservedAnalyses::all();
		if (Point == PASS_POINT_LATE)
			tidy(M, AM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager());
		return PreservedAnalyses::none();
	}
	/* Nobody optimises after the late run: what it inserted is tidied up here. */
	static void tidy(Module &M, FunctionAnalysisManager &AM)
	{
		FunctionPassManager Passes;
		Passes.addPass(SROAPass(SROAOptions::ModifyCFG));
		Passes.addPass(SimplifyCFGPass());
		AM.clear();
		for (Function &F : M) {
			if (F.hasFnAttribute(PASS_ATTR_LATE) && !F.isDeclaration())
				Passes.run(F, AM);
			F.removeFnAttr(PASS_ATTR_LATE);
		}
	}
};

static void registerPasses(PassBuilder &PB)
{
	auto At = [](pass_point P) {
		return [P](ModulePassManager &M, auto) { M.addPass(InlayPass{{}, P}); };
	};
	PB.registerPipelineStartEPCallback(At(PASS_POINT_EARLY));
	PB.registerOptimizerLastEPCallback(At(PASS_POINT_LATE));
}

extern "C" __attribute__((visibility("default"))) PassPluginLibraryInfo llvmGetPassPluginInfo()
{
	char Why[512];
	if (pass_host_is_ours(Why, sizeof(Why)))
		return {LLVM_PLUGIN_API_VERSION, "inlay", INLAY_VERSION, registerPasses};
	fprintf(stderr, "error: inlay-pass.so: %s\n", Why);
	return {0, "inlay", INLAY_VERSION, nullptr}; /* an API version that every LLVM refuses */
}

LLVMValueRef ir_if_then(LLVMValueRef cond, LLVMValueRef before, uint32_t weight_then,
			uint32_t weight_else, bool is_exit)
{
	Instruction *I = unwrap<Instruction>(before);
	MDNode *W = MDBuilder(I->getContext()).createBranchWeights(weight_then, weight_else);
	return wrap(SplitBlockAndInsertIfThen(unwrap(cond), I, is_exit, W));
}

LLVMBasicBlockRef ir_split_block(LLVMValueRef before)
{
	Instruction *I = unwrap<Instruction>(before);
	return wrap(SplitBlock(I->getParent(), I));
}

LLVMBasicBlockRef ir_split_edge(LLVMBasicBlockRef from, LLVMBasicBlockRef to)
{
	return wrap(SplitEdge(unwrap(from), unwrap(to)));
}

void ir_make_cleanups(LLVMValueRef fn)
{
	for (EscapeEnumerator E(*unwrap<Function>(fn), "inlay.unwind"); E.Next();)
		;
}

bool ir_inline_call(LLVMValueRef call)
{
	InlineFunctionInfo Info;
	return InlineFunction(*unwrap<CallBase>(call), Info, false).isSuccess();
}

void ir_retain(LLVMModuleRef module, LLVMValueRef *globals, size_t nr, bool compiler_only)
{
	std::vector<GlobalValue *> List;
	for (size_t I = 0; I < nr; I++)
		List.push_back(unwrap<GlobalValue>(globals[I]));
	(compiler_only ? appendToCompilerUsed : appendToUsed)(*unwrap(module), List);
}

void ir_diagnose(LLVMValueRef fn, LLVMValueRef at, const char *text, bool is_error)
{
	Function *F = unwrap<Function>(fn);
	DiagnosticLocation Loc = F->getSubprogram();
	if (at && unwrap<Instruction>(at)->getDebugLoc())
		Loc = unwrap<Instruction>(at)->getDebugLoc();
	auto Severity = is_error ? DS_Error : DS_Warning;
	F->getContext().diagnose(DiagnosticInfoUnsupported(*F, text, Loc, Severity));
}

void ir_error(LLVMContextRef context, const char *text)
{
	unwrap(context)->emitError(text);
}
