/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inlay_bpfcc_object_emit(): the lowered module as a file. Position-independent code for the
 * baseline of the target; the same object gives the same bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>

#include "bpfcc/handle.h"
#include "bpfcc/ll/header.h"
#include "bpfcc/ll/link.h"
#include "bpfcc/ll/lower.h"
#include "bpfcc/ll/util.h"

static pthread_once_t targets_once = PTHREAD_ONCE_INIT;

static void init_targets(void)
{
	LLVMInitializeAllTargetInfos();
	LLVMInitializeAllTargets();
	LLVMInitializeAllTargetMCs();
	LLVMInitializeAllAsmPrinters();
	LLVMInitializeAllAsmParsers(); /* inline assembly of helpers */
}

/*
 * The processor that clang compiles for unless it is told: what code may use is the same without a
 * name, but then there is no model of what it costs.
 */
static const char *baseline(const char *triple)
{
	return !strncmp(triple, "x86_64", 6) ? "x86-64" : "generic";
}

LLVMTargetMachineRef bpfcc_machine_new(struct inlay_bpfcc_object *object)
{
	int level = object->opts.opt_level;
	LLVMTargetMachineRef machine = NULL;
	char *message = NULL, *triple;
	LLVMTargetRef target;

	pthread_once(&targets_once, init_targets);
	if (object->opts.target)
		triple = LLVMNormalizeTargetTriple(object->opts.target);
	else
		triple = LLVMGetDefaultTargetTriple();
	if (LLVMGetTargetFromTriple(triple, &target, &message)) {
		bpfcc_error(&object->diag, NULL, "give an LLVM triple, as clang --target= takes",
			    "unknown target '%s': %s", triple, message);
		LLVMDisposeMessage(message);
	} else {
		machine = LLVMCreateTargetMachine(
			target, triple, baseline(triple), "",
			level < 0 ? LLVMCodeGenLevelNone :
			level == 1 ? LLVMCodeGenLevelLess :
			level == 3 ? LLVMCodeGenLevelAggressive :
				     LLVMCodeGenLevelDefault,
			LLVMRelocPIC, LLVMCodeModelDefault);
		if (!machine)
			bpfcc_error(&object->diag, NULL, NULL, "no code generator for target '%s'",
				    triple);
	}
	LLVMDisposeMessage(triple);
	return machine;
}

static int write_all(int fd, const char *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		data += n;
		bytes -= (size_t)n;
	}
	return 0;
}

/* Devices, pipes, links into /dev and /proc such as /dev/stdout: renaming would replace them. */
static bool is_special_file(const char *path)
{
	struct stat st;

	if (!strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6))
		return true;
	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

static int write_in_place(const char *path, const char *data, size_t bytes)
{
	/* opened anew, a regular file behind it would be written from its start */
	int fd = strcmp(path, "/dev/stdout") ? open(path, O_WRONLY | O_CLOEXEC) :
					       fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, data, bytes);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/*
 * Writes to a temporary name beside `path` and renames, so that nobody ever sees half a file. A
 * link stays a link: what it points to is replaced.
 */
static int write_file(const char *path, const char *data, size_t bytes)
{
	char *target = NULL;
	mode_t mask;
	char *temp;
	int fd, err;

	if (is_special_file(path))
		return write_in_place(path, data, bytes);
	target = realpath(path, NULL); /* NULL: there is none yet */
	if (target)
		path = target;
	if (asprintf(&temp, "%s.XXXXXX", path) < 0) {
		free(target);
		return -ENOMEM;
	}
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		free(temp);
		free(target);
		return err;
	}
	mask = umask(0);
	umask(mask);
	err = write_all(fd, data, bytes);
	if (!err && fchmod(fd, 0666 & ~mask))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	free(temp);
	free(target);
	return err;
}

static int l_write(struct inlay_bpfcc_object *object, LLVMTargetMachineRef machine,
		   LLVMModuleRef module, enum inlay_bpfcc_output output, const char *path)
{
	LLVMMemoryBufferRef buffer = NULL;
	char *message = NULL;
	int err;

	switch (output) {
	case INLAY_BPFCC_LL:
		message = LLVMPrintModuleToString(module);
		err = write_file(path, message, strlen(message));
		LLVMDisposeMessage(message);
		return err;
	case INLAY_BPFCC_BC:
		buffer = LLVMWriteBitcodeToMemoryBuffer(module);
		break;
	default:
		if (LLVMTargetMachineEmitToMemoryBuffer(machine, module,
							output == INLAY_BPFCC_ASM ?
								LLVMAssemblyFile :
								LLVMObjectFile,
							&message, &buffer)) {
			err = bpfcc_error(&object->diag, NULL, NULL, "LLVM: %s", message);
			LLVMDisposeMessage(message);
			return err;
		}
	}
	err = write_file(path, LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
	LLVMDisposeMemoryBuffer(buffer);
	return err;
}

/* LLVM's own handler would print and exit; what it says becomes a message of ours. */
static void on_llvm_message(LLVMDiagnosticInfoRef info, void *arg)
{
	struct inlay_bpfcc_object *object = arg;
	char *text = LLVMGetDiagInfoDescription(info);

	if (LLVMGetDiagInfoSeverity(info) == LLVMDSError)
		bpfcc_error(&object->diag, NULL, NULL, "LLVM: %s", text);
	LLVMDisposeMessage(text);
}

static int emit_module(struct inlay_bpfcc_object *object, enum inlay_bpfcc_output output,
		       const char *path)
{
	LLVMTargetMachineRef machine = bpfcc_machine_new(object);
	LLVMContextRef context;
	LLVMTargetDataRef layout;
	LLVMModuleRef module = NULL;
	char *layout_text, *triple;
	unsigned int nr_errors;
	int err;

	if (!machine)
		return -EINVAL;
	/* what is emitted has a hit's registers as its context, which is not what was proved */
	if (object->opts.defer_verify || object->opts.context != INLAY_BPFCC_CONTEXT_REGISTERS) {
		LLVMDisposeTargetMachine(machine);
		return bpfcc_error(&object->diag, NULL, NULL,
				   "the object was opened to be verified or run, not to be emitted");
	}
	context = LLVMContextCreate();
	LLVMContextSetDiagnosticHandler(context, on_llvm_message, object);
	layout = LLVMCreateTargetDataLayout(machine);
	layout_text = LLVMCopyStringRepOfTargetData(layout);
	triple = LLVMGetTargetMachineTriple(machine);
	nr_errors = object->diag.nr_errors;
	err = bpfcc_lower(object, context, triple, layout_text, BPFCC_LOWER_STANDALONE, &module);
	if (!err) {
		err = l_write(object, machine, module, output, path);
		if (err && object->diag.nr_errors == nr_errors)
			bpfcc_error(&object->diag, NULL, NULL, "cannot write '%s': %s", path,
				    strerror(-err));
		if (!err && object->diag.nr_errors != nr_errors)
			err = -EINVAL;
		LLVMDisposeModule(module);
	}
	LLVMDisposeMessage(triple);
	LLVMDisposeMessage(layout_text);
	LLVMDisposeTargetData(layout);
	LLVMContextDispose(context);
	LLVMDisposeTargetMachine(machine);
	return err;
}

static int emit_header(struct inlay_bpfcc_object *object, const char *path)
{
	size_t bytes;
	char *text;
	int err = bpfcc_header(object, &text, &bytes);

	if (!err)
		err = write_file(path, text, bytes);
	if (err)
		bpfcc_error(&object->diag, NULL, NULL, "cannot write '%s': %s", path,
			    strerror(-err));
	free(text);
	return err;
}

/* What a file holds, into one that is not to be replaced. */
static int copy_in_place(const char *from, const char *path)
{
	struct stat st;
	int fd = open(from, O_RDONLY | O_CLOEXEC), err = 0;
	void *data = NULL;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	if (!err) {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		err = data == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (err)
		return err;
	err = write_in_place(path, data, (size_t)st.st_size);
	munmap(data, (size_t)st.st_size);
	return err;
}

/* By way of an object file, and of a name that is renamed when the library is whole. */
static int emit_library(struct inlay_bpfcc_object *object, const char *path)
{
	char input[] = "/tmp/bpfcc-XXXXXX.o", *temp;
	bool is_special = is_special_file(path);
	int fd = mkstemps(input, 2), err;

	if (fd < 0 || asprintf(&temp, "%s.%d.tmp", is_special ? input : path, (int)getpid()) < 0)
		return bpfcc_error(&object->diag, NULL, NULL, "cannot write '%s': %s", input,
				   strerror(errno));
	close(fd);
	err = inlay_bpfcc_object_emit(object, INLAY_BPFCC_OBJ, input);
	if (!err)
		err = bpfcc_link(object, input, temp);
	if (!err) {
		err = is_special ? copy_in_place(temp, path) : rename(temp, path) ? -errno : 0;
		if (err)
			bpfcc_error(&object->diag, NULL, NULL, "cannot write '%s': %s", path,
				    strerror(-err));
	}
	if (err || is_special)
		unlink(temp);
	unlink(input);
	free(temp);
	return err;
}

int inlay_bpfcc_object_emit(struct inlay_bpfcc_object *object, enum inlay_bpfcc_output output,
			    const char *path)
{
	if (output == INLAY_BPFCC_HEADER)
		return emit_header(object, path);
	if (output == INLAY_BPFCC_SO)
		return emit_library(object, path);
	return emit_module(object, output, path);
}
