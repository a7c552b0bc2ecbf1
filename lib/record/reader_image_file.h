/* An image in the making, in a file without a name: small ones are kept by the kernel in
 * memory, large ones in the directory for temporary files, so that a merged file may be larger
 * than memory as well. */
#ifndef LOCKGRAPH_RECORD_READER_IMAGE_FILE_H
#define LOCKGRAPH_RECORD_READER_IMAGE_FILE_H

#include "record/reader_model.h"

struct lgr_image_file {
    const struct lgr_source *source; /* where what is wrong is said */
    int descriptor;
    unsigned char *staged; /* the end of it, not written yet */
    size_t staged_size;
    size_t size; /* with what is staged */
};

/* With room for a header in front.  All but the last: false (NULL) after saying why;
 * `expected` is about how large it will be. */
bool lgr_image_file_open(struct lgr_image_file *file, const struct lgr_source *source, size_t expected);
/* A zeroed record at the end, `size` rounded up; valid until the next one. */
void *lgr_image_file_add(struct lgr_image_file *file, uint16_t type, uint64_t size);
/* Where the record added last begins. */
size_t lgr_image_file_last(const struct lgr_image_file *file, const void *record);
/* Writes over what is there; nothing is added any more. */
bool lgr_image_file_amend(struct lgr_image_file *file, size_t offset, const void *bytes, size_t size);
/* Maps it; the header was amended. */
bool lgr_image_file_finish(struct lgr_image_file *file, struct lgr_image *image);
void lgr_image_file_close(struct lgr_image_file *file);

#endif
