/* Shared by the test_record_* suites: evidence files built by hand in memory,
 * and a directory that is removed again. */
#ifndef LOCKGRAPH_TESTS_RECORD_SUPPORT_H
#define LOCKGRAPH_TESTS_RECORD_SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/format.h"
#include "record/reader.h"

/* A file in the making; freed by image_free. */
struct image {
    unsigned char *bytes;
    size_t size;
};
/* A header and nothing else. */
struct image image_new(void);
struct lgr_header *image_header(struct image *image);
/* Appends a zeroed record of `size` bytes, rounded up and committed.  Valid
 * until the next one is added. */
void *image_add(struct image *image, uint16_t type, size_t size);
/* One record of every type, each with all its parts, in a plausible order. */
void image_add_everything(struct image *image);
/* To a new file of that path; 0 for `size`, else it has holes behind the image. */
void image_write(const struct image *image, const char *path, off_t size);
void image_free(struct image *image);

/* A fresh directory, removed with its contents by temporary_remove; as Check
 * fixtures.  Removal drops the writer's file first. */
void temporary_make(void);
void temporary_remove(void);
extern char temporary[64];
/* Number of .lgd files in it; the path of the last one seen. */
int temporary_files(char *path, size_t size);

/* Opens the writer in the temporary directory; fails the test when it cannot. */
void writer_start(uint64_t max_data);
/* Opens and walks the writer's file; fails the test with the reader's words. */
struct lgr_file *open_written(void);
struct lgr_file *open_path(const char *path);
/* Appends an edge with this number, false when refused. */
_Bool write_edge(uint32_t number);
/* Edges 0 to count - 1, until one is refused; how many were written. */
uint32_t write_edges(uint32_t count);
_Bool write_finding(uint32_t problem, uint8_t verdict, _Bool important);

#endif
