/* Instructions that end a process: prints by which signal. The same on Linux and on keel. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char text[] = "constant";
static char data[64] __attribute__((aligned(64)));

static void divide(void) { __asm__ volatile("xor %%ecx, %%ecx\n mov $1, %%eax\n cdq\n idiv %%ecx" ::: "eax", "ecx", "edx"); }
static void divide_overflow(void) { __asm__ volatile("mov $0x80000000, %%eax\n cdq\n mov $-1, %%ecx\n idiv %%ecx" ::: "eax", "ecx", "edx"); }
static void undefined(void) { __asm__ volatile("ud2"); }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void halt(void) { __asm__ volatile("hlt"); }
static void clear_interrupts(void) { __asm__ volatile("cli"); }
static void output(void) { __asm__ volatile("outb %al, $0x80"); }
static void system_register(void) { __asm__ volatile("mov %%cr0, %%rax" ::: "rax"); }
static void model_register(void) { __asm__ volatile("mov $0x1b, %%ecx\n rdmsr" ::: "rax", "rcx", "rdx"); }
static void system_return(void) { __asm__ volatile("sysretq"); }
static void swap(void) { __asm__ volatile("swapgs"); }
static void invalidate(void) { __asm__ volatile("invlpg (%rsp)"); }
static void interrupt(void) { __asm__ volatile("int $0x21"); }
static void interrupt_of_timer(void) { __asm__ volatile("int $0x20"); }
static void null_read(void) { (void)*(volatile char *)8; }
static void null_call(void) { ((void (*)(void))8)(); }
static void not_canonical_read(void) { (void)*(volatile char *)0x8000000000000000; }
static void not_canonical_jump(void) { __asm__ volatile("mov $0x8000000000000000, %%rax\n jmp *%%rax" ::: "rax"); }
static void not_canonical_return(void) { __asm__ volatile("mov $0x8000000000000000, %%rax\n push %%rax\n ret" ::: "rax"); }
static void kernel_read(void) { (void)*(volatile char *)0xffffffff80100000; }
static void kernel_jump(void) { ((void (*)(void))0xffffffff80110000)(); }
static void constant_write(void) { *(volatile char *)text = 1; }
static void data_jump(void) { ((void (*)(void))data)(); }
static void overflow_stack(void) {
  volatile char big[4096];
  big[0] = 1;
  overflow_stack();
  big[1] = 1;
}
static void no_stack(void) { __asm__ volatile("xor %esp, %esp\n push %rax"); }
static void step(void) { __asm__ volatile("pushfq\n orq $0x100, (%rsp)\n popfq\n nop\n nop"); }
static void step_into_call(void) { __asm__ volatile("mov $39, %%eax\n pushfq\n orq $0x100, (%%rsp)\n popfq\n syscall\n nop" ::: "rax", "rcx", "r11"); }
static void misaligned(void) { __asm__ volatile("pushfq\n orq $0x40000, (%%rsp)\n popfq\n movl 1(%0), %%eax" ::"r"(data) : "rax"); }
static void misaligned_vector(void) { __asm__ volatile("movaps 1(%0), %%xmm0" ::"r"(data) : "xmm0"); }
static void null_selector(void) { __asm__ volatile("mov $0x38, %%eax\n mov %%eax, %%ds" ::: "rax"); }
static void far_jump(void) { __asm__ volatile("push $0x38\n push $0\n lretq"); }
static void killed(void) { raise(SIGKILL); }
static void aborted(void) { abort(); }
static void broken_pipe(void) {
  int ends[2];
  pipe(ends);
  close(ends[0]);
  write(ends[1], "x", 1);
}

#define FAULT(name) {#name, name}
static const struct {
  const char *name;
  void (*run)(void);
} faults[] = {FAULT(divide), FAULT(divide_overflow), FAULT(undefined), FAULT(breakpoint), FAULT(halt), FAULT(clear_interrupts), FAULT(output),
              FAULT(system_register), FAULT(model_register), FAULT(system_return), FAULT(swap), FAULT(invalidate), FAULT(interrupt),
              FAULT(interrupt_of_timer), FAULT(null_read), FAULT(null_call), FAULT(not_canonical_read), FAULT(not_canonical_jump),
              FAULT(not_canonical_return), FAULT(kernel_read), FAULT(kernel_jump), FAULT(constant_write), FAULT(data_jump), FAULT(overflow_stack),
              FAULT(no_stack), FAULT(step), FAULT(step_into_call), FAULT(misaligned), FAULT(misaligned_vector), FAULT(null_selector), FAULT(far_jump),
              FAULT(killed), FAULT(aborted), FAULT(broken_pipe)};

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
      faults[i].run();
      _exit(0);
    }
    waitpid(pid, &status, 0);
    printf("%s: signal %d, exit %d\n", faults[i].name, WIFSIGNALED(status) ? WTERMSIG(status) : 0, WEXITSTATUS(status));
  }
  return 0;
}
