/* The file behind the writer: its name, its descriptor and its mapped chunks.
 * Internal to lib/record.  Nothing here locks: lgr_writer_open and the writer's
 * lock see to that.  All chunks stay mapped until the file is dropped, because
 * findings and thread states are updated in place; address space is reserved in
 * doubling segments so that the whole file needs few kernel mappings. */
#ifndef LOCKGRAPH_RECORD_WRITER_FILE_H
#define LOCKGRAPH_RECORD_WRITER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Segment i holds LGR_SEGMENT_CHUNKS << i chunks: 24 segments are 16 TiB. */
#define LGR_SEGMENTS       24u
#define LGR_SEGMENT_CHUNKS 4u
#define LGR_PATH_SIZE      4096u

struct lgr_output {
    int descriptor;
    uint64_t device, inode; /* what the descriptor must still refer to */
    uint64_t allocated;     /* bytes on disk: stores up to here are safe */
    uint64_t mapped;        /* bytes mapped, whole chunks; at least `allocated` */
    char *segments[LGR_SEGMENTS];
    bool named;               /* path is this file's name, not only where it should go */
    size_t directory_length;  /* of path, with the '/' */
    char path[LGR_PATH_SIZE]; /* absolute */
};

/* Creates the file, empty.  `unnamed`: without a name (O_TMPFILE), so that
 * nobody sees it before lgr_output_publish; not every file system can.
 * 0 or -errno; lgr_output_drop cleans up either way. */
long lgr_output_create(struct lgr_output *output, const char *directory, bool unnamed);

/* Gives an unnamed file its name; nothing to do for a named one. 0 or -errno. */
long lgr_output_publish(struct lgr_output *output);

/* Maps the next chunk, stores its address and allocates its first `size` bytes;
 * the chunks before it are complete.  0, -EBADF when the program took our
 * descriptor and the file cannot be found again, -EFBIG when RLIMIT_FSIZE
 * forbids it, or another -errno. */
long lgr_output_grow(struct lgr_output *output, size_t size, char **chunk);

/* Allocates what the last chunk still lacks.  Errors as above. */
long lgr_output_complete(struct lgr_output *output);

/* Drops a file that never got its first record, and its name with it. */
void lgr_output_discard(struct lgr_output *output);

/* Unmaps everything and closes the descriptor if it is still ours.  The path
 * stays for messages.  The file is not touched. */
void lgr_output_drop(struct lgr_output *output);

#endif
