#include "blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "http_client.h"
#include "log.h"

enum { PIECE = 64 << 10, NAME = 64, LEFT_S = 3600 };

struct sd_blob {
    const struct sd_config *config;
    _Atomic uint64_t written; /* makes the names of files that are not whole yet */
    char directory[SD_PATH + 16];
};

struct sd_blob *sd_blob_create(const struct sd_config *config, struct sd_error *error) {
    struct sd_blob *blob = calloc(1, sizeof *blob);
    if (blob == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for the store");
        return NULL;
    }
    blob->config = config;
    snprintf(blob->directory, sizeof blob->directory, "%s/blobs", config->data_dir);
    if ((mkdir(config->data_dir, 0750) == 0 || errno == EEXIST) &&
        (mkdir(blob->directory, 0750) == 0 || errno == EEXIST))
        return blob;
    sd_fail(error, 500, "data_dir", "%s: %s; choose another data_dir", blob->directory, strerror(errno));
    free(blob);
    return NULL;
}

void sd_blob_destroy(struct sd_blob *blob) { free(blob); }

bool sd_blob_name_check(const char *name, struct sd_error *error) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strlen(name);
    return (length > 0 && length < NAME && name[0] != '.' && strspn(name, letters) == length) ||
           sd_fail_field(error, "name", "1 to 63 of A-Z a-z 0-9 . _ -, not beginning with a dot");
}

static bool failed(struct sd_error *error, const char *what) {
    return sd_fail_busy(error, "store", 1, "the store: %s: %s", what, strerror(errno));
}

/* Clients need not know where it is. */
static bool failed_at(struct sd_error *error, const char *what, const char *path) {
    int why = errno;
    sd_log(SD_LOG_WARNING, "store: %s: %s", path, strerror(why));
    errno = why;
    return failed(error, what);
}

static bool write_bytes(int fd, const char *at, size_t length, int64_t until_ms, struct sd_cancel *cancel,
                        struct sd_error *error) {
    while (length > 0) {
        if (!sd_cancel_check(cancel, error))
            return false;
        if (sd_left_ms(until_ms) == 0)
            return sd_fail(error, 504, "time_limit", "the store was too slow");
        ssize_t written = write(fd, at, length < PIECE ? length : PIECE);
        if (written < 0 && errno != EINTR)
            return failed(error, "writing");
        at += written < 0 ? 0 : written;
        length -= written < 0 ? 0 : (size_t)written;
    }
    return fsync(fd) == 0 || failed(error, "fsync");
}

/* The name is on the disk, too. */
static bool sync_directory(const char *directory, struct sd_error *error) {
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed_at(error, "its directory", directory);
    bool synced = fsync(fd) == 0 || failed(error, "fsync");
    close(fd);
    return synced;
}

static bool put_file(struct sd_blob *blob, int64_t user, const char *name, const void *bytes, size_t length,
                     int64_t until_ms, struct sd_cancel *cancel, struct sd_error *error) {
    char path[SD_PATH + 128], beside[SD_PATH + 128];
    snprintf(path, sizeof path, "%s/%lld.%s", blob->directory, (long long)user, name);
    snprintf(beside, sizeof beside, "%s/.%d.%llu", blob->directory, (int)getpid(),
             (unsigned long long)atomic_fetch_add(&blob->written, 1));
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return failed_at(error, "a new file", beside);
    bool written = write_bytes(fd, bytes, length, until_ms, cancel, error);
    close(fd);
    if (written && rename(beside, path) == 0)
        return sync_directory(blob->directory, error);
    if (written)
        failed_at(error, "renaming", path);
    unlink(beside);
    return false;
}

static bool post(const char *url, int64_t user, const char *name, const void *bytes, size_t length,
                 int32_t limit_ms, struct sd_cancel *cancel, struct sd_error *error) {
    struct sd_text request = {0}, told = {0};
    char *text = strndup(bytes, length);
    bool done = false;
    sd_text_format(&request, "{\"user\":%lld,\"name\":", (long long)user);
    sd_text_json(&request, name);
    sd_text_add(&request, ",\"text\":");
    sd_text_json(&request, text == NULL ? "" : text);
    sd_text_add(&request, "}");
    if (text == NULL || request.failed)
        sd_fail_busy(error, "no_memory", 1, "no memory for a request");
    else
        done = sd_http_post(url, request.bytes, limit_ms, cancel, &told, error);
    free(text);
    sd_text_free(&request);
    sd_text_free(&told);
    return done;
}

bool sd_blob_put(struct sd_blob *blob, int64_t user, const char *name, const void *bytes, size_t length,
                 int32_t limit_ms, struct sd_cancel *cancel, struct sd_text *answer, struct sd_error *error) {
    const char *url = blob->config->store_url;
    if (!sd_blob_name_check(name, error))
        return false;
    bool done = url[0] != 0
                    ? post(url, user, name, bytes, length, limit_ms, cancel, error)
                    : put_file(blob, user, name, bytes, length, sd_now_ms() + limit_ms, cancel, error);
    if (!done)
        return false;
    sd_text_add(answer, "{\"name\":");
    sd_text_json(answer, name);
    sd_text_format(answer, ",\"bytes\":%zu}", length);
    return true;
}

/* No write takes that long: the limit of a call is less. */
static bool is_left(int directory, const char *name, time_t now) {
    struct stat about;
    int process;
    unsigned long long number;
    return sscanf(name, ".%d.%llu", &process, &number) == 2 &&
           fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode) &&
           now - about.st_mtime > LEFT_S;
}

int sd_blob_sweep(const struct sd_blob *blob) {
    DIR *all = opendir(blob->directory);
    const struct dirent *one;
    time_t now = (time_t)(sd_wall_ms() / 1000);
    int removed = 0;
    while (all != NULL && (one = readdir(all)) != NULL)
        if (is_left(dirfd(all), one->d_name, now) && unlinkat(dirfd(all), one->d_name, 0) == 0)
            removed++;
    if (all != NULL)
        closedir(all);
    return removed;
}
