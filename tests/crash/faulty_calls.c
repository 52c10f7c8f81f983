/* Preloaded into the program by tests: file calls that fail or take long, and a clock that jumps.
 *
 * The file that TARN_FAULTS names holds lines, read anew at every call:
 *   CALL PATH_PART error NUMBER      fdatasync, fsync, write, fallocate; PATH_PART "*": any file
 *   CALL PATH_PART short BYTES       write: so many bytes, and no more than that each time
 *   CALL PATH_PART sleep MILLISECONDS
 *   clock * jump SECONDS             CLOCK_REALTIME, from now on
 * It holds for every call until the file is changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct fault {
    char what[16];
    long number;
};

static int read_faults(char *out, size_t size) {
    const char *name = getenv("TARN_FAULTS");
    if (name == NULL) return 0;
    const int saved = errno;
    const int file = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
    long got = file < 0 ? 0 : syscall(SYS_read, file, out, size - 1);
    if (file >= 0) syscall(SYS_close, file);
    errno = saved;
    out[got < 0 ? 0 : got] = 0;
    return got > 0;
}

static int find_fault(const char *call, int descriptor, struct fault *fault) {
    char text[1024], path[4096] = "";
    if (!read_faults(text, sizeof text)) return 0;
    char *state = NULL;
    for (char *line = strtok_r(text, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state)) {
        char of[32], part[256];
        if (sscanf(line, "%31s %255s %15s %ld", of, part, fault->what, &fault->number) != 4) continue;
        if (strcmp(of, call) != 0) continue;
        if (descriptor >= 0 && path[0] == 0) {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
            const ssize_t length = readlink(link, path, sizeof path - 1);
            path[length < 0 ? 0 : length] = 0;
        }
        if (strcmp(part, "*") == 0 || strstr(path, part) != NULL) return 1;
    }
    return 0;
}

/* -1: the call has failed; -2: it goes on, as it is; else the bytes that it may write. */
static long meet(const char *call, int descriptor) {
    struct fault fault;
    if (!find_fault(call, descriptor, &fault)) return -2;
    if (strcmp(fault.what, "short") == 0) return fault.number;
    if (strcmp(fault.what, "sleep") == 0) {
        const struct timespec pause = {fault.number / 1000, fault.number % 1000 * 1000000};
        nanosleep(&pause, NULL);
        return -2;
    }
    errno = (int)fault.number;
    return -1;
}

int fdatasync(int file) { return meet("fdatasync", file) == -1 ? -1 : (int)syscall(SYS_fdatasync, file); }
int fsync(int file) { return meet("fsync", file) == -1 ? -1 : (int)syscall(SYS_fsync, file); }

ssize_t write(int file, const void *bytes, size_t size) {
    const long most = meet("write", file);
    if (most == -1) return -1;
    return syscall(SYS_write, file, bytes, most >= 0 && (size_t)most < size ? (size_t)most : size);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at) {
    const long most = meet("write", file);
    if (most == -1) return -1;
    return syscall(SYS_pwrite64, file, bytes, most >= 0 && (size_t)most < size ? (size_t)most : size, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t size, off_t at) { return pwrite(file, bytes, size, at); }

ssize_t pwritev(int file, const struct iovec *pieces, int count, off_t at) {
    const long most = meet("write", file);
    if (most == -1) return -1;
    if (most >= 0 && (size_t)most < pieces[0].iov_len) return syscall(SYS_pwrite64, file, pieces[0].iov_base, (size_t)most, at);
    return syscall(SYS_pwritev, file, pieces, count, (long)at, 0L);
}
ssize_t pwritev64(int file, const struct iovec *pieces, int count, off_t at) { return pwritev(file, pieces, count, at); }

int fallocate(int file, int mode, off_t at, off_t size) {
    return meet("fallocate", file) == -1 ? -1 : (int)syscall(SYS_fallocate, file, mode, at, size);
}
int fallocate64(int file, int mode, off_t at, off_t size) { return fallocate(file, mode, at, size); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    const int done = (int)syscall(SYS_clock_gettime, clock, now);
    struct fault fault;
    if (done == 0 && clock == CLOCK_REALTIME && find_fault("clock", -1, &fault)) now->tv_sec += fault.number;
    return done;
}
