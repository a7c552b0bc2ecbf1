#include "snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/user.h>

void snapshot_add_thread(struct snapshot *snapshot, const struct snapshot_thread *thread) {
    snapshot->threads =
        checked_resize(snapshot->threads, snapshot->thread_count + 1, sizeof *snapshot->threads);
    snapshot->threads[snapshot->thread_count++] = *thread;
}

void snapshot_add_piece(struct snapshot *snapshot, uint64_t address, const uint8_t *bytes, size_t size) {
    snapshot->pieces = checked_resize(snapshot->pieces, snapshot->piece_count + 1, sizeof *snapshot->pieces);
    snapshot->pieces[snapshot->piece_count++] = (struct snapshot_piece){address, size, bytes};
}

bool snapshot_read(const struct snapshot *snapshot, uint64_t address, void *to, size_t size) {
    for (size_t i = 0; i < snapshot->piece_count; i++) {
        const struct snapshot_piece *piece = &snapshot->pieces[i];
        uint64_t at = address - piece->address;
        if (address < piece->address || at > piece->size || piece->size - at < size)
            continue;
        memcpy(to, piece->bytes + at, size);
        return true;
    }
    return false;
}

struct futex_wait snapshot_futex(long number, const uint64_t arguments[4]) {
    int operation = (int)arguments[1] & FUTEX_CMD_MASK;
    bool known = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET || operation == FUTEX_LOCK_PI ||
                 operation == FUTEX_LOCK_PI2;
    bool again = number == SYS_restart_syscall && arguments[0] != 0 && arguments[0] % sizeof(uint32_t) == 0;
    if (!known || (number != SYS_futex && !again))
        return (struct futex_wait){0};
    return (struct futex_wait){.waits = true,
                               .address = arguments[0],
                               .operation = operation,
                               .value = (uint32_t)arguments[2],
                               .limited = arguments[3] != 0,
                               .again = again};
}

/* ---- registers ---- */

#if defined(__x86_64__)

/* System V ABI for AMD64, figure 3.36: DWARF numbers. */
void snapshot_set_registers(struct snapshot_thread *thread, const void *registers) {
    struct user_regs_struct user;
    memcpy(&user, registers, sizeof user);
    const uint64_t by_number[] = {user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi,
                                  user.rbp, user.rsp, user.r8,  user.r9,  user.r10, user.r11,
                                  user.r12, user.r13, user.r14, user.r15, user.rip};
    memcpy(thread->registers, by_number, sizeof by_number);
    thread->pc = user.rip;
    thread->sp = user.rsp;
    thread->whole = true;
}

static int64_t result_of(const void *registers) {
    struct user_regs_struct user;
    memcpy(&user, registers, sizeof user);
    return (int64_t)user.rax;
}

#else

/* DWARF for the Arm 64-bit Architecture, 4.1. */
void snapshot_set_registers(struct snapshot_thread *thread, const void *registers) {
    struct user_regs_struct user;
    memcpy(&user, registers, sizeof user);
    memcpy(thread->registers, user.regs, sizeof user.regs);
    thread->registers[31] = user.sp;
    thread->pc = user.pc;
    thread->sp = user.sp;
    thread->whole = true;
}

static int64_t result_of(const void *registers) {
    struct user_regs_struct user;
    memcpy(&user, registers, sizeof user);
    return (int64_t)user.regs[0];
}

#endif

/* Linux, include/linux/errno.h: what a call that a stop interrupts is left with until
 * it is taken up again. */
bool snapshot_interrupted(const void *registers) {
    enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };
    int64_t error = -result_of(registers);
    return error == ERESTARTSYS || error == ERESTARTNOINTR || error == ERESTARTNOHAND ||
           error == ERESTART_RESTARTBLOCK;
}
