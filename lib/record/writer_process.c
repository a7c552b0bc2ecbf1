/* Who is recorded: the header's fixed fields and the LGR_PROCESS record. */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "platform/system.h"
#include "record/format.h"
#include "record/writer.h"
#include "record/writer_internal.h"

#ifndef LOCKGRAPH_VERSION
#define LOCKGRAPH_VERSION "0.1.0"
#endif
#define TOOL        "lockgraph " LOCKGRAPH_VERSION
#define EXE_MAX     4096u
#define CMDLINE_MAX 32768u /* a command line may be megabytes long: its start is enough */

#if defined(__x86_64__)
#define MACHINE 62u /* EM_X86_64 */
#elif defined(__aarch64__)
#define MACHINE 183u /* EM_AARCH64 */
#else
#define MACHINE 0u
#endif

/* Forked children inherit it; after exec it is another one. */
static uint64_t family;

void lgr_fill_header(struct lgr_header *header) {
    header->version = LGR_VERSION;
    header->word_size = sizeof(void *);
    header->endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LGR_LITTLE_ENDIAN : LGR_BIG_ENDIAN;
    header->machine = MACHINE;
    header->header_size = sizeof *header;
    header->pid = lgp_pid();
    header->ppid = (uint32_t)lgp_syscall(SYS_getppid, 0, 0, 0, 0, 0, 0);
    header->start_realtime_ns = lgp_realtime_ns();
    header->start_monotonic_ns = lgp_monotonic_ns();
    if (family == 0)
        family = header->start_realtime_ns ^ (uint64_t)header->pid << 40;
    header->family = family;
}

static uint32_t read_exe(char *to) {
    long length = lgp_syscall(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)to, EXE_MAX, 0, 0);
    return length > 0 ? (uint32_t)length : 0;
}

static uint32_t read_cmdline(char *to) {
    long file = lgp_open_to_read("/proc/self/cmdline", 0);
    if (file < 0)
        return 0;
    long length = lgp_syscall(SYS_read, file, (long)to, CMDLINE_MAX, 0, 0, 0);
    lgp_close(file);
    if (length <= 0)
        return 0;
    if (to[length - 1] == '\0')
        length--;
    return (uint32_t)length;
}

static char *put(char *to, const char *bytes, size_t length) {
    memcpy(to, bytes, length);
    return to + length;
}

void lgr_write_process(const char *effective_options) {
    /* Not on the stack: a fork can come from a thread with a small one. */
    static char exe[EXE_MAX], cmdline[CMDLINE_MAX];
    uint32_t exe_length = read_exe(exe), cmdline_length = read_cmdline(cmdline);
    uint32_t options_length = (uint32_t)strlen(effective_options), tool_length = sizeof TOOL - 1;
    struct lgr_process *process = lgr_begin(
        LGR_PROCESS, sizeof *process + exe_length + cmdline_length + options_length + tool_length, true);
    if (!process)
        return;
    process->exe_length = exe_length;
    process->cmdline_length = cmdline_length;
    process->options_length = options_length;
    process->tool_length = tool_length;
    char *end = (char *)(process + 1);
    end = put(end, exe, exe_length);
    end = put(end, cmdline, cmdline_length);
    end = put(end, effective_options, options_length);
    put(end, TOOL, tool_length);
    lgr_commit(process);
}
