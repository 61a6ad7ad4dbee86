/* Takes all that it can get: processes, memory, files. Ends by errors, not by the system's end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  int children = 0;
  for (;;) {
    pid_t pid = fork();
    if (pid == 0) for (;;) pause();
    if (pid < 0) break;
    children++;
  }
  printf("fork: %s after %s\n", strerror(errno), children > 5 ? "many" : "few");
  kill(-1, 9);
  while (wait(NULL) > 0) children--;
  printf("children left: %d\n", children);

  int status;
  if (fork() == 0) {
    for (;;) {
      char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (page == MAP_FAILED) _exit(3);
      memset(page, 1, 1 << 20);
    }
  }
  wait(&status);
  printf("hog: ended %s\n", status == 9 || status == 3 << 8 ? "by the limit" : "otherwise");

  int fd = 0;
  while ((fd = open("/tmp/limits", O_CREAT | O_RDWR, 0600)) >= 0) {}
  printf("open: %s\n", strerror(errno));
  for (fd = 3; fd < 1100; fd++) close(fd);
  fd = open("/tmp/limits", O_CREAT | O_RDWR, 0600);
  static char block[65536];
  while (write(fd, block, sizeof block) > 0) {}
  printf("file: %s\n", errno == EFBIG || errno == ENOSPC ? "full" : strerror(errno));
  unlink("/tmp/limits");
  return 0;
}
