#include <elf.h>
#include <link.h>
#include <string.h>

#include "platform/modules_internal.h"

enum { PAGE = 4096, NOTES = 1024 };

const ElfW(Phdr) * lgp_image_headers(const void *page, size_t *count) {
    const ElfW(Ehdr) *header = page;
    *count = 0;
    size_t table = header->e_phnum * sizeof(ElfW(Phdr));
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64)
        return NULL;
    if (header->e_phentsize != sizeof(ElfW(Phdr)) || table > PAGE || header->e_phoff > PAGE - table)
        return NULL;
    *count = header->e_phnum;
    return (const ElfW(Phdr) *)((uintptr_t)page + header->e_phoff);
}

/* True when the segment's bytes are mapped from the file and readable. */
static bool loaded(const ElfW(Phdr) * headers, size_t count, const ElfW(Phdr) * wanted) {
    for (size_t i = 0; i < count; i++) {
        const ElfW(Phdr) *segment = &headers[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_R) != 0 &&
            wanted->p_vaddr >= segment->p_vaddr && wanted->p_filesz <= segment->p_filesz &&
            wanted->p_vaddr - segment->p_vaddr <= segment->p_filesz - wanted->p_filesz)
            return true;
    }
    return false;
}

static size_t aligned(size_t size, size_t alignment) { return (size + alignment - 1) & ~(alignment - 1); }

static size_t find_build_id(const uint8_t *notes, size_t size, size_t alignment, uint8_t *id) {
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)notes;
        size_t description = sizeof(*note) + aligned(note->n_namesz, alignment);
        if (description > size || note->n_descsz > size - description)
            return 0;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(note + 1, "GNU", 4) == 0) {
            size_t length = note->n_descsz <= LGP_BUILD_ID ? note->n_descsz : 0;
            memcpy(id, notes + description, length);
            return length;
        }
        size_t step = description + aligned(note->n_descsz, alignment);
        if (step > size)
            return 0;
        notes += step;
        size -= step;
    }
    return 0;
}

/* The object's extent; false when nothing of it is loaded. */
static bool find_extent(const ElfW(Phdr) * headers, size_t count, uintptr_t start, struct lgp_image *image) {
    uintptr_t lowest = UINTPTR_MAX, highest = 0;
    for (size_t i = 0; i < count; i++) {
        if (headers[i].p_type != PT_LOAD)
            continue;
        if (headers[i].p_vaddr < lowest)
            lowest = headers[i].p_vaddr;
        if (headers[i].p_vaddr + headers[i].p_memsz > highest)
            highest = headers[i].p_vaddr + headers[i].p_memsz;
    }
    image->bias = start - (lowest & ~(uintptr_t)(PAGE - 1));
    image->end = aligned(highest + image->bias, PAGE);
    return highest != 0;
}

bool lgp_image_covers(const void *page, const struct lgp_image *image, uintptr_t address) {
    size_t count;
    const ElfW(Phdr) *headers = lgp_image_headers(page, &count);
    for (size_t i = 0; i < count; i++) {
        uintptr_t from = image->bias + headers[i].p_vaddr;
        if (headers[i].p_type == PT_LOAD && address >= (from & ~(uintptr_t)(PAGE - 1)) &&
            address < aligned(from + headers[i].p_memsz, PAGE))
            return true;
    }
    return false;
}

static bool lies_within(uintptr_t at, size_t size, uintptr_t start, uintptr_t limit) {
    return at >= start && at < limit && size <= limit - at;
}

bool lgp_image_read(const void *page, uintptr_t start, struct lgp_image *image) {
    size_t count;
    const ElfW(Phdr) *headers = lgp_image_headers(page, &count);
    *image = (struct lgp_image){0};
    return headers != NULL && find_extent(headers, count, start, image);
}

size_t lgp_image_build_id(const void *page, uintptr_t start, uintptr_t limit, lgp_reader *reader,
                          uint8_t id[LGP_BUILD_ID]) {
    _Alignas(8) uint8_t notes[NOTES];
    struct lgp_image image;
    size_t count, length = 0;
    const ElfW(Phdr) *headers = lgp_image_headers(page, &count);
    if (!lgp_image_read(page, start, &image))
        return 0;
    for (size_t i = 0; i < count && length == 0; i++) {
        const ElfW(Phdr) *segment = &headers[i];
        uintptr_t at = image.bias + segment->p_vaddr;
        size_t size = segment->p_filesz < sizeof notes ? segment->p_filesz : sizeof notes;
        if (segment->p_type == PT_NOTE && loaded(headers, count, segment) &&
            lies_within(at, segment->p_filesz, start, limit) && reader(notes, (const void *)at, size))
            length = find_build_id(notes, size, segment->p_align == 8 ? 8 : 4, id);
    }
    return length;
}
