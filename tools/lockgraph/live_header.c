#include "live_header.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The live fields, through the page cache; a map could be cut short under us. */
bool live_header(const char *path, struct lgr_header *header) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0)
        return false;
    ssize_t length = pread(descriptor, header, sizeof *header, 0);
    close(descriptor);
    return length == (ssize_t)sizeof *header && memcmp(header->magic, LGR_MAGIC, sizeof header->magic) == 0;
}
