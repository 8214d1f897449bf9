/* Recorder of the file operations of one process below one directory, and a disk that is full or fails on demand; loaded with LD_PRELOAD.
 *
 *   POWERCUT_DIR   absolute path of the directory that is watched
 *   POWERCUT_LOG   file that operation records are appended to, outside POWERCUT_DIR
 *   POWERCUT_MARK  file whose writes become M records: what the workload tells, in the order of the operations
 *   POWERCUT_FULL  while this file exists no write below the directory has room (ENOSPC), and statfs says so
 *   POWERCUT_KILL  a number: the process kills itself at so many changes to files or names, in the middle of it if it is a write
 *   POWERCUT_EIO   while this file exists every fsync below the directory fails (EIO)
 *
 * An fsync of a file is recorded when it begins (B) and when it ends (S), with one number for both, and not done, which makes recording fast.
 * It takes up to a millisecond, so that there are several at one time as there are on a disk. Without POWERCUT_LOG nothing is recorded and every fsync is real.
 *
 * record: u8 type | u64 inode | u64 offset | u32 length 1 | u32 length 2 | bytes 1 | bytes 2, little-endian
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOT_OURS, A_FILE, A_DIRECTORY, THE_MARK };
#define FDS_MAX 65536
static struct { char *path; uint64_t inode; unsigned char kind; } table[FDS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *watched_dir, *mark, *full_file, *eio_file;
static size_t watched_length;
static int log_fd = -1;
static long kill_at, steps, syncs;

static void begin(void) __attribute__((constructor));
static void begin(void) {
  const char *log = getenv("POWERCUT_LOG");
  watched_dir = getenv("POWERCUT_DIR");
  mark = getenv("POWERCUT_MARK");
  full_file = getenv("POWERCUT_FULL");
  eio_file = getenv("POWERCUT_EIO");
  if (getenv("POWERCUT_KILL")) kill_at = atol(getenv("POWERCUT_KILL"));
  if (!watched_dir) return;
  watched_length = strlen(watched_dir);
  if (log) log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static int is_last_step(void) { return kill_at && __sync_add_and_fetch(&steps, 1) == kill_at; }
static void end(void) { kill(getpid(), SIGKILL); for (;;) pause(); }
static void step(void) { if (is_last_step()) end(); }

static int is_there(const char *path) {
  int before = errno;
  int found = path && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
  errno = before;
  return found;
}

static void record(char type, uint64_t inode, uint64_t offset, const void *a, uint32_t a_length, const void *b, uint32_t b_length) {
  if (log_fd < 0) return;
  unsigned char head[25];
  head[0] = (unsigned char)type;
  memcpy(head + 1, &inode, 8);
  memcpy(head + 9, &offset, 8);
  memcpy(head + 17, &a_length, 4);
  memcpy(head + 21, &b_length, 4);
  struct iovec parts[3] = {{head, sizeof head}, {(void *)a, a_length}, {(void *)b, b_length}};
  if (syscall(SYS_writev, log_fd, parts, 3) == (ssize_t)(sizeof head + a_length + b_length)) return;
  static const char text[] = "powercut: the log of operations is incomplete\n";
  syscall(SYS_write, 2, text, sizeof text - 1);
  _exit(97);
}

static int absolute(int dirfd, const char *path, char *out) {
  if (path[0] == '/') return snprintf(out, PATH_MAX, "%s", path) < PATH_MAX;
  char base[PATH_MAX];
  if (dirfd == AT_FDCWD) {
    if (!getcwd(base, sizeof base)) return 0;
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
    ssize_t length = readlink(link, base, sizeof base - 1);
    if (length < 0) return 0;
    base[length] = 0;
  }
  return snprintf(out, PATH_MAX, "%s/%s", base, path) < PATH_MAX;
}

static int is_watched(const char *path) {
  return watched_dir && !strncmp(path, watched_dir, watched_length) && (path[watched_length] == '/' || !path[watched_length]);
}

static int open_at(int dirfd, const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  if (!watched_dir || !absolute(dirfd, path, full)) return (int)syscall(SYS_openat, dirfd, path, flags, mode);
  int watched = is_watched(full), is_mark = mark && !strcmp(full, mark);
  if (!watched && !is_mark) return (int)syscall(SYS_openat, dirfd, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat found;
  int existed = syscall(SYS_newfstatat, AT_FDCWD, full, &found, 0) == 0;
  if (!existed && (flags & O_CREAT) && watched && is_there(full_file)) {
    pthread_mutex_unlock(&lock);
    errno = ENOSPC;
    return -1;
  }
  if (!existed && (flags & O_CREAT) && watched) step();
  int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
  int error = errno;
  if (fd >= 0 && fd < FDS_MAX && syscall(SYS_fstat, fd, &found) == 0) {
    free(table[fd].path);
    table[fd].path = strdup(full);
    table[fd].inode = found.st_ino;
    table[fd].kind = is_mark ? THE_MARK : S_ISDIR(found.st_mode) ? A_DIRECTORY : A_FILE;
    if (table[fd].kind == A_FILE) {
      if (!existed) record('C', found.st_ino, 0, full, (uint32_t)strlen(full), "", 0);
      else if ((flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY) record('T', found.st_ino, 0, "", 0, "", 0);
    }
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

#define MODE \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
int open(const char *path, int flags, ...) { MODE return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int dirfd, const char *path, int flags, ...) { MODE return open_at(dirfd, path, flags, mode); }
int openat64(int dirfd, const char *path, int flags, ...) { MODE return open_at(dirfd, path, flags | O_LARGEFILE, mode); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

static int kind_of(int fd) { return fd >= 0 && fd < FDS_MAX ? table[fd].kind : NOT_OURS; }

/* At -1 it writes at the file's position. A disk that has just become full takes the first half. */
static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t at) {
  static int was_full;
  size_t total = 0;
  for (int i = 0; i < count; i++) total += parts[i].iov_len;
  pthread_mutex_lock(&lock);
  struct iovec half;
  int is_last = table[fd].kind == A_FILE && is_last_step();
  if (is_last) {
    half = (struct iovec){parts[0].iov_base, parts[0].iov_len / 2};
    parts = &half;
    count = 1;
  } else if (table[fd].kind == A_FILE) {
    int is_full = is_there(full_file);
    if (is_full && (was_full || parts[0].iov_len < 2)) {
      pthread_mutex_unlock(&lock);
      errno = ENOSPC;
      return -1;
    }
    if (is_full) {
      half = (struct iovec){parts[0].iov_base, parts[0].iov_len / 2};
      parts = &half;
      count = 1;
    }
    was_full = is_full;
  }
  ssize_t written = at < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, (unsigned long)at, 0ul);
  int error = errno;
  if (is_last) end();
  if (written > 0 && log_fd >= 0) {
    int is_mark = table[fd].kind == THE_MARK;
    off_t offset = at >= 0 ? at : is_mark ? 0 : lseek(fd, 0, SEEK_CUR) - written;
    char *bytes = malloc((size_t)written), *next = bytes;
    size_t left = (size_t)written;
    for (int i = 0; i < count && left; i++) {
      size_t length = parts[i].iov_len < left ? parts[i].iov_len : left;
      memcpy(next, parts[i].iov_base, length);
      next += length;
      left -= length;
    }
    record(is_mark ? 'M' : 'W', table[fd].inode, (uint64_t)offset, "", 0, bytes, (uint32_t)written);
    free(bytes);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return written;
}

static int is_recorded(int fd) { return kind_of(fd) == A_FILE || kind_of(fd) == THE_MARK; }
ssize_t write(int fd, const void *bytes, size_t length) {
  if (!is_recorded(fd)) return syscall(SYS_write, fd, bytes, length);
  struct iovec part = {(void *)bytes, length};
  return write_parts(fd, &part, 1, -1);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return is_recorded(fd) ? write_parts(fd, parts, count, -1) : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  if (kind_of(fd) != A_FILE) return syscall(SYS_pwrite64, fd, bytes, length, at);
  struct iovec part = {(void *)bytes, length};
  return write_parts(fd, &part, 1, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  return kind_of(fd) == A_FILE ? write_parts(fd, parts, count, at) : syscall(SYS_pwritev, fd, parts, count, (unsigned long)at, 0ul);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }

static int sync_file(int fd, long call) {
  int kind = kind_of(fd);
  if (kind != A_FILE && kind != A_DIRECTORY) return (int)syscall(call, fd);
  step();
  if (is_there(eio_file)) {
    errno = EIO;
    return -1;
  }
  if (log_fd < 0) return (int)syscall(call, fd);
  pthread_mutex_lock(&lock);
  uint64_t number = (uint64_t)++syncs, inode = table[fd].inode;
  if (kind == A_DIRECTORY) record('D', inode, 0, table[fd].path, (uint32_t)strlen(table[fd].path), "", 0);
  else record('B', inode, number, "", 0, "", 0);
  pthread_mutex_unlock(&lock);
  if (kind == A_DIRECTORY) return 0;
  usleep((useconds_t)(number * 7919 % 1000));
  pthread_mutex_lock(&lock);
  record('S', inode, number, "", 0, "", 0);
  pthread_mutex_unlock(&lock);
  return 0;
}
int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

int ftruncate64(int fd, off64_t length) {
  if (kind_of(fd) != A_FILE) return (int)syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_ftruncate, fd, length), error = errno;
  if (result == 0) record('t', table[fd].inode, (uint64_t)length, "", 0, "", 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int rename_at(int from_fd, const char *from, int to_fd, const char *to) {
  char a[PATH_MAX], b[PATH_MAX];
  int watched = watched_dir && absolute(from_fd, from, a) && absolute(to_fd, to, b) && (is_watched(a) || is_watched(b));
  if (!watched) return (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
  step();
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_renameat, from_fd, from, to_fd, to), error = errno;
  if (result == 0) record('R', 0, 0, a, (uint32_t)strlen(a), b, (uint32_t)strlen(b));
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int from_fd, const char *from, int to_fd, const char *to) { return rename_at(from_fd, from, to_fd, to); }

static int link_at(int from_fd, const char *from, int to_fd, const char *to, int flags) {
  char a[PATH_MAX], b[PATH_MAX];
  int watched = watched_dir && absolute(from_fd, from, a) && absolute(to_fd, to, b) && is_watched(b);
  if (!watched) return (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
  step();
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags), error = errno;
  if (result == 0) record('L', 0, 0, a, (uint32_t)strlen(a), b, (uint32_t)strlen(b));
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
int link(const char *from, const char *to) { return link_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) { return link_at(from_fd, from, to_fd, to, flags); }

static int unlink_at(int dirfd, const char *path, int flags) {
  char full[PATH_MAX];
  if (!(watched_dir && absolute(dirfd, path, full) && is_watched(full))) return (int)syscall(SYS_unlinkat, dirfd, path, flags);
  step();
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_unlinkat, dirfd, path, flags), error = errno;
  if (result == 0) record(flags & AT_REMOVEDIR ? 'Z' : 'U', 0, 0, full, (uint32_t)strlen(full), "", 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
int unlink(const char *path) { return unlink_at(AT_FDCWD, path, 0); }
int unlinkat(int dirfd, const char *path, int flags) { return unlink_at(dirfd, path, flags); }
int rmdir(const char *path) { return unlink_at(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdir(const char *path, mode_t mode) {
  char full[PATH_MAX];
  if (!(watched_dir && absolute(AT_FDCWD, path, full) && is_watched(full))) return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  if (is_there(full_file)) {
    errno = ENOSPC;
    return -1;
  }
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode), error = errno;
  if (result == 0) record('K', 0, 0, full, (uint32_t)strlen(full), "", 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
/* The C library's own does not come by the mkdir above. */
char *mkdtemp(char *template) {
  size_t length = strlen(template);
  for (unsigned attempt = 0; length >= 6 && attempt < 1000; attempt++) {
    char digits[8];
    snprintf(digits, sizeof digits, "%06x", (unsigned)(((unsigned)getpid() << 10) + attempt) & 0xffffff);
    memcpy(template + length - 6, digits, 6);
    if (mkdir(template, 0700) == 0) return template;
    if (errno != EEXIST) return NULL;
  }
  errno = EINVAL;
  return NULL;
}

static void without_room(struct statfs *found, const char *path) {
  if (!is_watched(path) || !is_there(full_file)) return;
  found->f_bfree = 0;
  found->f_bavail = 0;
}
int statfs(const char *path, struct statfs *found) {
  int result = (int)syscall(SYS_statfs, path, found);
  if (result == 0) without_room(found, path);
  return result;
}
int statfs64(const char *path, struct statfs64 *found) { return statfs(path, (struct statfs *)found); }

/* The C library writes its streams past write(), so those opened for writing are made of our own calls. */
#define STREAMS_MAX 4096
static struct { FILE *stream; int fd; } streams[STREAMS_MAX];
static int fd_of(FILE *stream) {
  for (int i = 0; i < STREAMS_MAX; i++) if (streams[i].stream == stream) return streams[i].fd;
  return -1;
}
int close(int fd);
/* A short write says nothing of why: the next one does, and sets errno. */
static ssize_t stream_write(void *fd, const char *bytes, size_t length) {
  size_t done = 0;
  while (done < length) {
    ssize_t written = write((int)(intptr_t)fd, bytes + done, length - done);
    if (written <= 0) break;
    done += (size_t)written;
  }
  return (ssize_t)done;
}
static ssize_t stream_read(void *fd, char *bytes, size_t length) { return read((int)(intptr_t)fd, bytes, length); }
static int stream_seek(void *fd, off64_t *offset, int whence) {
  off64_t result = lseek64((int)(intptr_t)fd, *offset, whence);
  if (result < 0) return -1;
  *offset = result;
  return 0;
}
static int stream_close(void *fd) { return close((int)(intptr_t)fd); }
static FILE *open_stream(const char *path, const char *mode, const char *name) {
  FILE *(*real)(const char *, const char *) = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, name);
  char full[PATH_MAX];
  int is_written = strpbrk(mode, "wa+") != NULL;
  if (!watched_dir || !is_written || !absolute(AT_FDCWD, path, full) || !(is_watched(full) || (mark && !strcmp(full, mark))))
    return real(path, mode);
  int is_both = strchr(mode, '+') != NULL;
  int flags = mode[0] == 'r' ? O_RDWR : (is_both ? O_RDWR : O_WRONLY) | O_CREAT | (mode[0] == 'a' ? O_APPEND : O_TRUNC);
  int fd = open_at(AT_FDCWD, path, flags, 0666);
  if (fd < 0) return NULL;
  cookie_io_functions_t calls = {stream_read, stream_write, stream_seek, stream_close};
  FILE *stream = fopencookie((void *)(intptr_t)fd, mode, calls);
  pthread_mutex_lock(&lock);
  for (int i = 0; stream && i < STREAMS_MAX; i++) {
    if (streams[i].stream) continue;
    streams[i].stream = stream;
    streams[i].fd = fd;
    break;
  }
  pthread_mutex_unlock(&lock);
  return stream;
}
FILE *fopen(const char *path, const char *mode) { return open_stream(path, mode, "fopen"); }
FILE *fopen64(const char *path, const char *mode) { return open_stream(path, mode, "fopen64"); }
int fileno(FILE *stream) {
  int fd = fd_of(stream);
  if (fd >= 0) return fd;
  int (*real)(FILE *) = (int (*)(FILE *))dlsym(RTLD_NEXT, "fileno");
  return real(stream);
}
int fileno_unlocked(FILE *stream) { return fileno(stream); }
int fclose(FILE *stream) {
  int (*real)(FILE *) = (int (*)(FILE *))dlsym(RTLD_NEXT, "fclose");
  pthread_mutex_lock(&lock);
  for (int i = 0; i < STREAMS_MAX; i++) if (streams[i].stream == stream) { streams[i].stream = NULL; break; }
  pthread_mutex_unlock(&lock);
  return real(stream);
}
int close(int fd) {
  if (kind_of(fd) != NOT_OURS) {
    pthread_mutex_lock(&lock);
    table[fd].kind = NOT_OURS;
    free(table[fd].path);
    table[fd].path = NULL;
    pthread_mutex_unlock(&lock);
  }
  return (int)syscall(SYS_close, fd);
}
