/* Reading memory that may be gone by now: the lock of a program that freed it,
 * a stack that ended.  Never a fault.  Any thread; async-signal-safe. */
#ifndef LOCKGRAPH_PLATFORM_SAFE_READ_H
#define LOCKGRAPH_PLATFORM_SAFE_READ_H

#include <stdbool.h>
#include <stddef.h>

/* True when every byte of [address, address+size) could be read, which is then
 * copied to `to`.  `size` is at most PIPE_BUF.  By process_vm_readv on ourselves;
 * a kernel without it (and user-mode emulation) is asked to copy through a pipe. */
bool lgp_read_safely(void *to, const void *address, size_t size);

/* What process_vm_readv(2) says of those pieces of our own memory, copied to `to`: how many
 * bytes could be read, up to the first that could not; < 0: errno negated. */
struct iovec;
long lgp_read_pieces(void *to, size_t room, const struct iovec *pieces, size_t count);

/* The string at `from`, with its end; false: it is not there, or not within `room`
 * bytes. */
bool lgp_read_text_safely(char *to, const char *from, size_t room);

/* The second way alone, for lgp_read_safely and its test. */
bool lgp_read_by_pipe(void *to, const void *address, size_t size);

#endif
