/* What a program may not do or see, one check a word of the command line; prints "name: kept" or "name: BROKEN". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static char *pages(int count, int rights) {
  char *at = mmap(NULL, count * PAGE, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? NULL : at;
}

/* Runs `part` in a child; its wait status. */
static int child(void (*part)(void)) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    part();
    _exit(0);
  }
  waitpid(pid, &status, 0);
  return status;
}

static void leave_secrets(void) { memset(pages(200, PROT_READ | PROT_WRITE), 0x5a, 200 * PAGE); }

static int fresh_memory_is_zero(void) {
  child(leave_secrets);
  char *at = pages(300, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 300 * PAGE; i++) if (at[i]) return 0;
  return 1;
}

static void load_xmm(void) {
  __asm__ volatile("pcmpeqd %%xmm7, %%xmm7" ::: "xmm7");
  for (int i = 0; i < 20; i++) sched_yield();
}

static int fpu_is_ones_own(void) {
  uint64_t before[2] = {0x1122334455667788, 0x99aabbccddeeff00}, after[2];
  int status;
  if (fork() == 0) {
    load_xmm();
    _exit(0);
  }
  register long rax __asm__("rax");
  __asm__ volatile("movdqu %0, %%xmm7" ::"m"(before) : "xmm7");
  for (int i = 0; i < 20; i++) {
    rax = SYS_sched_yield;
    __asm__ volatile("syscall" : "+r"(rax)::"rcx", "r11", "memory");
  }
  __asm__ volatile("movdqu %%xmm7, %0" : "=m"(after));
  wait(&status);
  return memcmp(before, after, 16) == 0;
}

/* A call without the stack: where memory is shared that should not be, the stack is the first to suffer. */
static inline __attribute__((always_inline)) long raw(long number, long first) {
  register long r10 __asm__("r10") = 0;
  __asm__ volatile("syscall" : "+a"(number) : "D"(first), "S"(0L), "d"(0L), "r"(r10) : "rcx", "r11", "memory");
  return number;
}

static int copy_on_write(void) {
  static volatile char byte;
  byte = 1;
  if (raw(SYS_fork, 0) == 0) {
    byte = 2;
    raw(SYS_exit, 0);
  }
  raw(SYS_wait4, -1);
  return byte == 1;
}

static int kernel_pointers_are_refused(void) {
  int ends[2];
  pipe(ends);
  long results[] = {write(ends[1], (void *)0xffff800000100000, 8), write(ends[1], (void *)0xffffffff80110000, 8)};
  int fd = open("/tmp/x", O_CREAT | O_RDWR, 0600);
  write(fd, "12345678", 8);
  return results[0] == -1 && results[1] == -1 && pread(fd, (void *)0xffff800000100000, 8, 0) == -1;
}

static int nothing_is_writable_and_executable(void) {
  char *data = pages(1, PROT_READ | PROT_WRITE);
  return pages(1, PROT_WRITE | PROT_EXEC) == NULL && mprotect(data, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == -1;
}

static char *data_page;
static void run_data(void) { ((void (*)(void))data_page)(); }

static int data_is_not_executed(void) {
  data_page = pages(1, PROT_READ | PROT_WRITE);
  data_page[0] = (char)0xc3;
  return WTERMSIG(child(run_data)) == SIGSEGV;
}

static void write_it(void) { *(volatile char *)data_page = 3; }

static int read_only_means_it(void) {
  data_page = pages(1, PROT_READ | PROT_WRITE);
  *(volatile char *)data_page = 1;
  mprotect(data_page, PAGE, PROT_READ);
  int fd = open("/tmp/y", O_CREAT | O_RDWR, 0600);
  write(fd, "1", 1);
  return WTERMSIG(child(write_it)) == SIGSEGV && pread(fd, data_page, 1, 0) == -1;
}

static void protect_and_write(void) {
  *(volatile char *)data_page = 1;
  mprotect(data_page, PAGE, PROT_READ);
  *(volatile char *)data_page = 2;
}

static int changed_entries_leave_the_tlb(void) {
  data_page = pages(1, PROT_READ | PROT_WRITE);
  return WTERMSIG(child(protect_and_write)) == SIGSEGV;
}

static int page_zero_stays_unmapped(void) {
  return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED;
}

static int registers_survive_calls(void) {
  static uint64_t got[11];
  void *at = got;
  __asm__ volatile(
      "push %%rbp\n mov %0, %%rbp\n mov $0x1111, %%ebx\n mov $0x2222, %%r12d\n mov $0x3333, %%r13d\n mov $0x4444, %%r14d\n mov $0x5555, %%r15d\n"
      "mov $0x6666, %%edi\n mov $0x7777, %%esi\n mov $0x8888, %%edx\n mov $0x9999, %%r8d\n mov $0xaaaa, %%r9d\n mov $0xbbbb, %%r10d\n"
      "mov $39, %%eax\n syscall\n"
      "mov %%rbx, 0(%%rbp)\n mov %%r12, 8(%%rbp)\n mov %%r13, 16(%%rbp)\n mov %%r14, 24(%%rbp)\n mov %%r15, 32(%%rbp)\n mov %%rdi, 40(%%rbp)\n"
      "mov %%rsi, 48(%%rbp)\n mov %%rdx, 56(%%rbp)\n mov %%r8, 64(%%rbp)\n mov %%r9, 72(%%rbp)\n mov %%r10, 80(%%rbp)\n pop %%rbp\n"
      : "+a"(at)::"rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
  for (int i = 0; i < 11; i++) if (got[i] != 0x1111ull * (i + 1)) return 0;
  return 1;
}

static void odd_flags(void) {
  /* DF, AC, NT and TF clear again: then a call that copies, and one that takes a fault within the copy. */
  char *at = pages(2, PROT_READ | PROT_WRITE);
  long result;
  __asm__ volatile("pushfq\n orq $0x44400, (%%rsp)\n popfq\n syscall\n pushfq\n pop %%rbx\n cld\n pushfq\n andq $~0x44400, (%%rsp)\n popfq"
                   : "=a"(result) : "a"(SYS_getcwd), "D"(at + PAGE - 1), "S"(64L) : "rcx", "r11", "rbx", "memory", "cc");
  _exit(result == 2 && at[PAGE - 1] == '/' ? 0 : 1);
}

static int flags_do_not_reach_the_kernel(void) { return child(odd_flags) == 0; }

static void spin(void) { for (;;) __asm__ volatile(""); }

static int no_one_keeps_the_processor(void) {
  pid_t pid = fork();
  if (pid == 0) spin();
  struct timespec moment = {0, 3000000};
  nanosleep(&moment, NULL);
  return kill(pid, SIGKILL) == 0 && wait(NULL) == pid;
}

static void privileged(void) { __asm__ volatile("cli"); }
static void store_gdt(void) {
  char place[16];
  __asm__ volatile("sgdt %0" : "=m"(place));
}
static void read_kernel(void) { (void)*(volatile char *)0xffffffff80110000; }
static void port(void) { __asm__ volatile("inb $0x60, %%al" ::: "rax"); }

static int privileged_instructions_fault(void) {
  return WTERMSIG(child(privileged)) == SIGSEGV && WTERMSIG(child(store_gdt)) == SIGSEGV && WTERMSIG(child(read_kernel)) == SIGSEGV &&
         WTERMSIG(child(port)) == SIGSEGV;
}

static const struct {
  const char *name;
  int (*isKept)(void);
} checks[] = {
    {"zero", fresh_memory_is_zero},        {"fpu", fpu_is_ones_own},
    {"cow", copy_on_write},                {"pointers", kernel_pointers_are_refused},
    {"wx", nothing_is_writable_and_executable}, {"nx", data_is_not_executed},
    {"readonly", read_only_means_it},      {"tlb", changed_entries_leave_the_tlb},
    {"page0", page_zero_stays_unmapped},   {"registers", registers_survive_calls},
    {"flags", flags_do_not_reach_the_kernel}, {"preemption", no_one_keeps_the_processor},
    {"privileged", privileged_instructions_fault},
};

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  for (unsigned i = 0; i < sizeof checks / sizeof *checks; i++)
    if (argc < 2 || strcmp(argv[1], checks[i].name) == 0) printf("%s: %s\n", checks[i].name, checks[i].isKept() ? "kept" : "BROKEN");
  return 0;
}
