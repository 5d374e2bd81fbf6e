/*
 * A disk that fails, put in front of libc for one directory and `contents` in it (LD_PRELOAD).
 *
 * FAULT_DISK_DIRECTORY  the directory; everything else passes by
 * FAULT_DISK_JOURNAL    what was made durable, for whoever cuts the power
 * FAULT_DISK_SAVED      directory for files that were replaced or removed, until that is durable
 * FAULT_DISK_CONTROL    what the disk does, read anew at every call:
 *     i64 octets that may still be written; negative: no bound
 *     i32 error of every write, creation and removal; 0: none
 *     i32 error of every sync; 0: none
 *     i32 ms that a sync takes
 *     i32 1: a sync says that it is done and does nothing
 *     i32 the process dies in front of its so many-th step that changes or syncs; 0: never
 *
 * Lines of the journal: "C name" created, "S name size" synced up to there, "R from to saved"
 * renamed, "U name saved" removed, "D" a directory was synced; saved is 0 for nothing.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  volatile int64_t octets;
  volatile int32_t write_error;
  volatile int32_t sync_error;
  volatile int32_t sync_ms;
  volatile int32_t sync_lies;
  volatile int32_t steps;
};

#define FDS 65536

static char *names[FDS];
static char directory[PATH_MAX];
static size_t directory_size;
static int journal = -1;
static struct control *control;
static unsigned saved;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void line(const char *text) {
  if (journal >= 0 && syscall(SYS_write, journal, text, strlen(text)) < 0) abort();
}

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_DISK_DIRECTORY");
  if (!path) return;
  snprintf(directory, sizeof directory, "%s", path);
  directory_size = strlen(directory);
  const char *to = getenv("FAULT_DISK_JOURNAL");
  if (to) journal = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND, 0600);
  const char *by = getenv("FAULT_DISK_CONTROL");
  int fd = by ? syscall(SYS_openat, AT_FDCWD, by, O_RDWR) : -1;
  if (fd >= 0) {
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) abort();
    syscall(SYS_close, fd);
  }
  saved = (unsigned)getpid() * 10000u;
}

/* The name of a path in the directory, "" of the directory itself; NULL elsewhere. */
static const char *name_of(const char *path) {
  if (!directory_size || !path || strncmp(path, directory, directory_size) != 0) return NULL;
  if (path[directory_size] == 0) return "";
  if (path[directory_size] != '/') return NULL;
  const char *name = path + directory_size + 1;
  const char *inner = strncmp(name, "contents/", 9) == 0 ? name + 9 : name;
  return strchr(inner, '/') ? NULL : name;
}

static int is_watched(int fd) { return fd >= 0 && fd < FDS && names[fd] && names[fd][0]; }

static void step(void) {
  if (!control || control->steps == 0 || __sync_sub_and_fetch(&control->steps, 1) != 0) return;
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static int refused(void) {
  if (!control || !control->write_error) return 0;
  errno = control->write_error;
  return 1;
}

static int opened(int fd, const char *name, int created) {
  if (fd < 0 || fd >= FDS || !name) return fd;
  pthread_mutex_lock(&lock);
  free(names[fd]);
  names[fd] = strdup(name);
  if (created) {
    char text[PATH_MAX + 8];
    snprintf(text, sizeof text, "C %s\n", name);
    line(text);
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

static int open_at(const char *path, int flags, mode_t mode) {
  const char *name = name_of(path);
  int created = 0;
  if (name && name[0] && (flags & O_CREAT)) {
    struct stat status;
    created = stat(path, &status) != 0;
  }
  if (name && (flags & O_ACCMODE) != O_RDONLY && refused()) return -1;
  if (created) step();
  if (created && control && control->octets == 0) {
    errno = ENOSPC;
    return -1;
  }
  return opened(syscall(SYS_openat, AT_FDCWD, path, flags, mode), name, created);
}

static mode_t mode_of(int flags, va_list more) {
  return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(more, int) : 0;
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = mode_of(flags, more);
  va_end(more);
  return open_at(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = mode_of(flags, more);
  va_end(more);
  return open_at(path, flags, mode);
}

int close(int fd) {
  if (fd >= 0 && fd < FDS && names[fd]) {
    pthread_mutex_lock(&lock);
    free(names[fd]);
    names[fd] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return syscall(SYS_close, fd);
}

/* Octets of `size` there is room for; negative: none, errno is set. */
static ssize_t room(size_t size) {
  step();
  if (refused()) return -1;
  if (!control || control->octets < 0) return size;
  pthread_mutex_lock(&lock);
  ssize_t octets = control->octets < (int64_t)size ? control->octets : (ssize_t)size;
  control->octets -= octets;
  pthread_mutex_unlock(&lock);
  if (octets > 0 || size == 0) return octets;
  errno = ENOSPC;
  return -1;
}

ssize_t write(int fd, const void *octets, size_t size) {
  if (is_watched(fd)) {
    ssize_t allowed = room(size);
    if (allowed < 0) return -1;
    size = allowed;
  }
  return syscall(SYS_write, fd, octets, size);
}

ssize_t pwrite(int fd, const void *octets, size_t size, off_t at) {
  if (is_watched(fd)) {
    ssize_t allowed = room(size);
    if (allowed < 0) return -1;
    size = allowed;
  }
  return syscall(SYS_pwrite64, fd, octets, size, at);
}

ssize_t pwrite64(int fd, const void *octets, size_t size, off_t at) {
  return pwrite(fd, octets, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  ssize_t whole = 0;
  for (int i = 0; i < count; i++) {
    if (parts[i].iov_len == 0) continue;
    ssize_t written = pwrite(fd, parts[i].iov_base, parts[i].iov_len, at + whole);
    if (written < 0) return whole > 0 ? whole : -1;
    whole += written;
    if ((size_t)written < parts[i].iov_len) break;
  }
  return whole;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) {
  return pwritev(fd, parts, count, at);
}

/* LevelDB writes by streams, whose own writes nobody can stand in front of: these are ours. */
#define STREAMS 256

static struct stream {
  FILE *file;
  int fd;
} streams[STREAMS];

static ssize_t stream_write(void *cookie, const char *octets, size_t size) {
  ssize_t written = write(((struct stream *)cookie)->fd, octets, size);
  return written < 0 ? 0 : written;
}

static int stream_close(void *cookie) {
  struct stream *stream = cookie;
  int fd = stream->fd;
  stream->file = NULL;
  return close(fd);
}

static FILE *open_stream(const char *path, const char *mode, const char *real) {
  const char *name = name_of(path);
  if (!name || !name[0] || strncmp(name, "LOG", 3) == 0 || mode[0] == 'r') {
    FILE *(*next)(const char *, const char *) = dlsym(RTLD_NEXT, real);
    return next(path, mode);
  }
  int fd = open_at(path, O_WRONLY | O_CREAT | (mode[0] == 'a' ? O_APPEND : O_TRUNC), 0666);
  if (fd < 0) return NULL;
  pthread_mutex_lock(&lock);
  struct stream *stream = streams;
  while (stream < streams + STREAMS && stream->file) stream++;
  if (stream == streams + STREAMS) abort();
  stream->fd = fd;
  cookie_io_functions_t functions = {.write = stream_write, .close = stream_close};
  stream->file = fopencookie(stream, "w", functions);
  pthread_mutex_unlock(&lock);
  return stream->file;
}

FILE *fopen(const char *path, const char *mode) { return open_stream(path, mode, "fopen"); }

FILE *fopen64(const char *path, const char *mode) { return open_stream(path, mode, "fopen64"); }

int fileno(FILE *file) {
  for (int at = 0; at < STREAMS; at++) {
    if (streams[at].file == file) return streams[at].fd;
  }
  int (*next)(FILE *) = dlsym(RTLD_NEXT, "fileno");
  return next(file);
}

static int synced(int fd, long call) {
  if (fd < 0 || fd >= FDS || !names[fd]) return syscall(call, fd);
  step();
  if (control && control->sync_ms > 0) {
    struct timespec wait = {control->sync_ms / 1000, control->sync_ms % 1000 * 1000000L};
    nanosleep(&wait, NULL);
  }
  if (control && control->sync_error) {
    errno = control->sync_error;
    return -1;
  }
  if (control && control->sync_lies) return 0;
  if (syscall(call, fd) != 0) return -1;
  struct stat status;
  if (fstat(fd, &status) != 0) return -1;
  char text[PATH_MAX + 32];
  pthread_mutex_lock(&lock);
  if (S_ISDIR(status.st_mode)) snprintf(text, sizeof text, "D\n");
  else snprintf(text, sizeof text, "S %s %lld\n", names[fd], (long long)status.st_size);
  line(text);
  pthread_mutex_unlock(&lock);
  return 0;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }

int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

/* Keeps what stands at a path; 0 when there is nothing. */
static unsigned keep(const char *path) {
  const char *to = getenv("FAULT_DISK_SAVED");
  char copy[PATH_MAX];
  if (!to) return 0;
  unsigned number = ++saved;
  snprintf(copy, sizeof copy, "%s/%u", to, number);
  return syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, copy, 0) == 0 ? number : 0;
}

int rename(const char *from, const char *to) {
  const char *old = name_of(from), *new = name_of(to);
  if (!old || !new) return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (refused()) return -1;
  pthread_mutex_lock(&lock);
  unsigned number = keep(to);
  int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  int error = errno;
  if (result == 0) {
    char text[2 * PATH_MAX + 32];
    snprintf(text, sizeof text, "R %s %s %u\n", old, new, number);
    line(text);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int mkdir(const char *path, mode_t mode) {
  const char *name = name_of(path);
  if (name) step();
  if (name && refused()) return -1;
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  int error = errno;
  if (result == 0 && name && strcmp(name, "contents") == 0) line("C contents\n");
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int unlink(const char *path) {
  const char *name = name_of(path);
  if (!name) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  step();
  if (refused()) return -1;
  pthread_mutex_lock(&lock);
  unsigned number = keep(path);
  int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  int error = errno;
  if (result == 0) {
    char text[PATH_MAX + 32];
    snprintf(text, sizeof text, "U %s %u\n", name, number);
    line(text);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
