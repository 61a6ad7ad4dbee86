/* Calls with good, borderline and bad arguments; prints what came back. The same binary prints the same on Linux. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, long result) {
  if (result == -1) printf("%s: -1 %s\n", what, strerror(errno));
  else printf("%s: %ld\n", what, result);
}

#define CALL(call) (errno = 0, show(#call, (long)(call)))
/* For results that differ between systems (addresses, pids): only whether it worked. */
#define WORKS(call) (errno = 0, show(#call, (long)(call) == -1 ? -1 : 0))

static char buffer[100];
static char *const bad = (char *)0x10;
static char *const kernel = (char *)0xffff800000000000;

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  CALL(read(-1, buffer, 1));
  CALL(read(99, buffer, 1));
  CALL(write(1, bad, 1));
  CALL(write(1, kernel, 1));
  CALL(write(1, (char *)-1, 2));
  CALL(write(1, bad, 0));
  CALL(write(0x7fffffff, "x", 1));
  CALL(close(57));
  CALL(open("/nowhere/file", O_RDONLY));
  CALL(open("", O_RDONLY));
  CALL(open(bad, O_RDONLY));
  CALL(open("/", O_WRONLY));
  int fd = open("/tmp/keel-errors", O_CREAT | O_TRUNC | O_RDWR, 0644);
  CALL(fd);
  CALL(open("/tmp/keel-errors", O_CREAT | O_EXCL | O_RDWR, 0644));
  CALL(open("/tmp/keel-errors", O_RDONLY | O_DIRECTORY));
  CALL(open("/tmp/keel-errors/x", O_RDONLY));
  CALL(write(fd, "hello, file", 11));
  CALL(lseek(fd, 0, SEEK_CUR));
  CALL(lseek(fd, -5, SEEK_SET));
  CALL(lseek(fd, 7, SEEK_SET));
  CALL(lseek(fd, 0, 9));
  CALL(read(fd, buffer, 100));
  CALL(read(fd, buffer, 100));
  CALL(pread(fd, buffer, 5, 0));
  CALL(pread(fd, buffer, 5, -1));
  CALL(pwrite(fd, "J", 1, 0));
  CALL(lseek(fd, 5000, SEEK_SET));
  CALL(write(fd, "end", 3));
  struct stat st;
  CALL(fstat(fd, &st));
  CALL(st.st_size);
  CALL(S_ISREG(st.st_mode));
  CALL(stat("/tmp/none", &st));
  CALL(stat("/tmp", &st));
  CALL(S_ISDIR(st.st_mode));
  CALL(syscall(SYS_fstat, fd, bad));
  CALL(ftruncate(fd, 3));
  CALL(pread(fd, buffer, 100, 0));
  CALL(memcmp(buffer, "Jel", 3));
  CALL(ftruncate(fd, -1));
  CALL(ioctl(fd, TIOCGWINSZ, buffer));
  CALL(ioctl(77, TIOCGWINSZ, buffer));
  CALL(fcntl(fd, F_GETFD));
  CALL(fcntl(fd, F_SETFD, FD_CLOEXEC));
  CALL(fcntl(fd, F_GETFD));
  CALL(fcntl(fd, 12345));
  CALL(dup2(fd, 20));
  CALL(dup2(21, 22));
  CALL(dup2(fd, -1));
  CALL(syscall(SYS_dup3, fd, fd, 0));
  CALL(close(20));
  CALL(access("/tmp/keel-errors", F_OK));
  CALL(access("/tmp/none", F_OK));
  CALL(readlink("/tmp/keel-errors", buffer, 100));
  CALL(mkdir("/tmp", 0755));
  CALL(unlink("/tmp/none"));
  CALL(unlink("/tmp"));

  CALL(mkdir("/tmp/keel-dir", 0755));
  CALL(chdir("/tmp/keel-dir"));
  CALL(strcmp(getcwd(buffer, 100), "/tmp/keel-dir"));
  CALL(syscall(SYS_getcwd, buffer, 14));
  CALL(close(open("inside", O_CREAT | O_WRONLY, 0600)));
  CALL(rename("inside", "other"));
  CALL(rename("inside", "other"));
  CALL(access("/tmp/keel-dir/other", F_OK));
  CALL(rename("/tmp/keel-dir", "/tmp/keel-dir/sub"));
  CALL(mkdir("sub", 0755));
  CALL(rename("other", "sub"));
  CALL(rename("sub", "other"));
  CALL(rmdir("other"));
  DIR *listing = opendir(".");
  int entries = 0;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL; entries++)
    if (strcmp(entry->d_name, "sub") == 0) CALL(entry->d_type == DT_DIR);
  CALL(entries);
  CALL(closedir(listing));
  CALL(syscall(SYS_getdents64, fd, buffer, 100));
  CALL(rmdir("/tmp/keel-dir"));
  CALL(unlink("other"));
  CALL(rmdir("sub"));
  CALL(rmdir("/tmp/keel-dir"));
  CALL(open("gone", O_CREAT | O_WRONLY, 0600));
  CALL(syscall(SYS_getcwd, buffer, 100));
  CALL(chdir(".."));
  CALL(chdir("/tmp/keel-dir"));
  CALL(chdir("/tmp/keel-errors"));
  CALL(fchdir(fd));
  CALL(chdir("/"));

  int ends[2];
  CALL(syscall(SYS_pipe2, bad, 0));
  CALL(pipe2(ends, 0x12345));
  CALL(pipe2(ends, O_NONBLOCK));
  CALL(read(ends[0], buffer, 1));
  CALL(write(ends[1], "ab", 2));
  CALL(read(ends[0], buffer, 10));
  CALL(write(ends[0], "ab", 2));
  CALL(read(ends[1], buffer, 2));
  CALL(lseek(ends[0], 0, SEEK_SET));
  CALL(close(ends[1]));
  CALL(read(ends[0], buffer, 10));
  CALL(close(ends[0]));
  struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
  CALL(writev(fd, parts, 2));
  CALL(writev(fd, (struct iovec *)bad, 1));
  CALL(writev(fd, parts, -1));
  CALL(writev(fd, parts, 0));

  char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  WORKS(page);
  CALL(page[5000]);
  page[5000] = 7;
  CALL(mprotect(page, 4096, PROT_READ));
  CALL(mprotect(page + 1, 4096, PROT_READ));
  CALL(mprotect((void *)0x100000000000, 4096, PROT_READ));
  CALL(syscall(SYS_getcwd, page, 4096));
  CALL(syscall(SYS_getcwd, buffer, 1));
  CALL(munmap(page + 4096, 4096));
  CALL(write(1, page + 4096, 1));
  CALL(munmap(page + 1, 4096));
  CALL(munmap(page, 0));
  CALL(munmap((void *)-4096, 4096));
  WORKS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  WORKS(mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0));
  WORKS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0));
  WORKS(mmap((void *)1, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  WORKS(mmap(NULL, 1UL << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  lseek(fd, 0, SEEK_SET);
  char *file = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  CALL(file[0]);
  shared[0] = private[0] = 1;

  CALL(wait4(-1, NULL, 0, NULL));
  CALL(wait4(-1, NULL, 0x12345, NULL));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    shared[0] = private[0] = 2;
    _exit(33);
  }
  int status = 0;
  CALL(wait4(child, &status, 0, NULL) == child);
  CALL(WEXITSTATUS(status));
  CALL(shared[0]);
  CALL(private[0]);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    *(volatile char *)page = 1;
    _exit(1);
  }
  CALL(waitpid(child, &status, 0) == child);
  CALL(status & 0x7f);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    __asm__ volatile("ud2");
    _exit(1);
  }
  CALL(waitpid(child, &status, 0) == child);
  CALL(status & 0x7f);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  CALL(waitpid(child, &status, WNOHANG));
  CALL(kill(child, 0));
  CALL(kill(child, 99));
  CALL(kill(child, SIGTERM));
  CALL(waitpid(child, &status, 0) == child);
  CALL(status & 0x7f);
  CALL(kill(child, 0));

  struct timespec short_time = {0, 1000}, bad_time = {0, 1000000000};
  CALL(nanosleep(&short_time, NULL));
  CALL(nanosleep(&bad_time, NULL));
  CALL(syscall(SYS_nanosleep, bad, NULL));
  CALL(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad));
  CALL(syscall(SYS_clock_gettime, 77, buffer));
  CALL(sched_yield());
  CALL(syscall(SYS_uname, bad));
  CALL(syscall(SYS_getrandom, buffer, 10, 0));
  CALL(syscall(SYS_getrandom, buffer, 10, 0x100));
  CALL(syscall(SYS_getrandom, bad, 10, 0));
  CALL(syscall(SYS_arch_prctl, 0x9999, 0));
  CALL(syscall(SYS_rt_sigaction, 99, NULL, NULL, 8));
  CALL(syscall(SYS_rt_sigaction, SIGKILL, buffer, NULL, 8));
  CALL(syscall(SYS_rt_sigaction, SIGTERM, NULL, NULL, 4));
  CALL(syscall(SYS_rt_sigprocmask, 9, buffer, NULL, 8));
  CALL(syscall(9999));
  CALL(execve("/nowhere", NULL, NULL));
  CALL(execve("/tmp", NULL, NULL));
  CALL(syscall(SYS_execve, bad, NULL, NULL));
  CALL(unlink("/tmp/keel-errors"));
  CALL(read(fd, buffer, 3));
  return 0;
}
