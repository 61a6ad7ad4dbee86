/* fork, copy-on-write, pipes, exec, wait, signal handlers, preemption: prints a fixed text on Linux and on keel. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int caught;
static void handler(int signal) { caught = signal; }

static void pipes(void) {
  int there[2], back[2];
  pipe(there);
  pipe(back);
  if (fork() == 0) {
    long sum = 0;
    unsigned char chunk[700];
    ssize_t n;
    close(there[1]);
    while ((n = read(there[0], chunk, sizeof chunk)) > 0)
      for (ssize_t i = 0; i < n; i++) sum += chunk[i];
    write(back[1], &sum, sizeof sum);
    _exit(0);
  }
  close(there[0]);
  unsigned char *data = malloc(200000);
  long expected = 0, got = 0;
  for (int i = 0; i < 200000; i++) expected += data[i] = i * 7;
  write(there[1], data, 200000);
  close(there[1]);
  read(back[0], &got, sizeof got);
  wait(NULL);
  printf("pipe: %s\n", got == expected ? "whole" : "damaged");
}

static void tree(void) {
  static int numbers[50000];
  for (int i = 0; i < 50000; i++) numbers[i] = i;
  int sum = 0;
  for (int n = 0; n < 5; n++) {
    if (fork() == 0) {
      for (int i = n; i < 50000; i += 5) numbers[i] = -1;
      int left = 0;
      for (int i = 0; i < 50000; i++) left += numbers[i] >= 0;
      _exit(left == 40000 ? n + 1 : 99);
    }
  }
  for (int n = 0; n < 5; n++) {
    int status;
    wait(&status);
    sum += WEXITSTATUS(status);
  }
  for (int i = 0; i < 50000; i++) sum += numbers[i] != i;
  printf("copy-on-write: %d\n", sum);
}

static void preemption(void) {
  int ends[2];
  pipe(ends);
  pid_t spinner = fork();
  if (spinner == 0) for (;;) __asm__ volatile("");
  if (fork() == 0) {
    double x = 1;
    for (int i = 0; i < 3000000; i++) x = x * 1.0000001 + 1e-9;
    char ok = x > 1.3 && x < 1.4;
    write(ends[1], &ok, 1);
    _exit(0);
  }
  char ok = 0;
  read(ends[0], &ok, 1);
  kill(spinner, SIGKILL);
  int status;
  waitpid(spinner, &status, 0);
  wait(NULL);
  printf("preemption: %d, killed by %d\n", ok, WTERMSIG(status));
}

static void signals(void) {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  volatile double before = 1.5;
  kill(getpid(), SIGUSR1);
  printf("signal: caught %d, %s\n", caught, before == 1.5 ? "registers kept" : "registers lost");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  caught = 0;
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGUSR1);
  printf("blocked: caught %d\n", caught);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  printf("unblocked: caught %d\n", caught);
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  pipe(ends);
  close(ends[0]);
  printf("broken pipe: %zd\n", write(ends[1], "x", 1));
}

static void count(int signal) { caught += signal == SIGUSR2; }

static void pause_ms(int milliseconds) {
  struct timespec time = {0, milliseconds * 1000000L};
  nanosleep(&time, NULL);
}

/* A read that a signal interrupts: begun anew, or EINTR. */
static void restarts(int flags) {
  struct sigaction action = {.sa_handler = count, .sa_flags = flags};
  sigaction(SIGUSR2, &action, NULL);
  int ends[2];
  pipe(ends);
  caught = 0;
  pid_t parent = getpid();
  if (fork() == 0) {
    pause_ms(5);
    kill(parent, SIGUSR2);
    pause_ms(5);
    write(ends[1], "x", 1);
    _exit(0);
  }
  char byte;
  ssize_t got = read(ends[0], &byte, 1);
  int is_interrupted = got == -1 && errno == EINTR;
  while (wait(NULL) == -1 && errno == EINTR) {}
  printf("interrupted read: %zd%s, caught %d\n", got, is_interrupted ? " EINTR" : "", caught);
}

static void reap(int signal) {
  caught += signal == SIGCHLD;
}

static void children(void) {
  caught = 0;
  signal(SIGCHLD, reap);
  if (fork() == 0) _exit(0);
  wait(NULL);
  signal(SIGCHLD, SIG_DFL);
  printf("SIGCHLD: caught %d\n", caught);
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "again") == 0) {
    printf("executed again: %s, %s\n", argv[2], getenv("COLOUR"));
    return 17;
  }
  setvbuf(stdout, NULL, _IONBF, 0);
  pipes();
  tree();
  preemption();
  signals();
  restarts(SA_RESTART);
  restarts(0);
  children();
  if (fork() == 0) {
    char *const arguments[] = {argv[0], "again", "third word", NULL};
    char *const environment[] = {"COLOUR=green", NULL};
    execve(argv[0], arguments, environment);
    _exit(98);
  }
  int status;
  wait(&status);
  printf("exit status %d\n", WEXITSTATUS(status));
  return 0;
}
