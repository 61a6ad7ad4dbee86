/*
 * Runs instructions on the processor of this host, in ring 3, and tells what they did. The other side is silicon.ts.
 *
 * Standard input: cases, one after the other; standard output: results. The code runs at CODE, with registers, flags, XMM and one page of memory at DATA
 * as the case says; the pages around DATA are not mapped. It ends by running into the exit stub, or by a signal, which is
 * caught and told with the vector, error code and CR2. The rest of the code page is INT3, so that a jump ends where it lands.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE 0x1a3c4000UL
#define ENTRY (CODE + 0x800)
#define DATA 0x20000000UL
#define CONTEXT 0x3a5c7000UL
#define FS_BASE (DATA + 0x100)
#define GS_BASE (DATA + 0x200)

enum { HAS_MEMORY = 1, HAS_XMM = 2, COMPATIBILITY = 4, SIXTEEN = 8 };

/* 16-bit segments of 64 KiB in the local descriptor table: code at CODE, data and stack at DATA. */
#define CODE16 0x7UL
#define DATA16 0xfUL

struct header {
  uint32_t flags, memory_seed, mxcsr;
  uint16_t code_length, pokes;
  uint64_t rflags, gpr[16];
};
struct poke {
  uint64_t offset, value;
};
struct result {
  uint64_t gpr[16], rflags, rip, cr2;
  uint32_t mxcsr;
  int32_t trap;
  uint32_t error, memory_hash;
};

/* The assembly below knows these offsets. */
struct context {
  uint64_t gpr[16];     /* 0 */
  uint64_t rflags;      /* 128 */
  uint64_t host_rsp;    /* 136 */
  uint64_t host_fs;     /* 144 */
  uint32_t mxcsr, pad;  /* 152 */
  uint64_t exit_stub;   /* 160 */
  uint64_t entry;       /* 168: offset and selector of a far jump */
  uint64_t exit_far;    /* 176 */
  uint8_t pad2[8];      /* 184 */
  uint8_t xmm[256];     /* 192 */
  uint64_t rip, cr2;
  int32_t trap;
  uint32_t error;
};
#define context ((struct context *)CONTEXT)

#define GPRS(op) \
  op(0, rax) op(8, rcx) op(16, rdx) op(24, rbx) op(40, rbp) op(48, rsi) op(56, rdi) op(64, r8) op(72, r9) op(80, r10) op(88, r11) op(96, r12) op(104, r13) op(112, r14) op(120, r15)
#define XMMS(op) \
  op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define LOAD(o, r) "mov 0x3a5c7000+" #o ", %" #r "\n"
#define STORE(o, r) "mov %" #r ", 0x3a5c7000+" #o "\n"
#define LOADX(n) "movups 0x3a5c7000+192+16*" #n ", %xmm" #n "\n"
#define STOREX(n) "movups %xmm" #n ", 0x3a5c7000+192+16*" #n "\n"

void run_case(void);
void run_compatibility(void);
void run_sixteen(void);
void exit_stub(void);
void recover(void);

__asm__(
  ".text\n"
  ".macro enter\n"
  "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
  "mov %rsp, 0x3a5c7000+136\n"
  "fninit\n"
  "mov $0x20000100, %rax; wrfsbase %rax\n"
  "mov $0x20000200, %rax; wrgsbase %rax\n"
  "ldmxcsr 0x3a5c7000+152\n"
  XMMS(LOADX)
  "pushq 0x3a5c7000+128; popfq\n"
  GPRS(LOAD)
  "mov 0x3a5c7000+32, %rsp\n"
  ".endm\n"
  ".globl run_case\nrun_case:\n"
  "enter\n"
  "jmp *0x3a5c7000+168\n"
  ".globl run_compatibility\nrun_compatibility:\n"
  "mov $0x2b, %eax; mov %eax, %ds; mov %eax, %es\n"
  "enter\n"
  "ljmp *0x3a5c7000+168\n"
  ".globl run_sixteen\nrun_sixteen:\n"
  "mov $0xf, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n"
  "enter\n"
  "ljmp *0x3a5c7000+168\n"
  ".globl exit_stub\nexit_stub:\n"
  GPRS(STORE)
  "mov %rsp, 0x3a5c7000+32\n"
  "mov 0x3a5c7000+136, %rsp\n"
  "pushfq; popq 0x3a5c7000+128\n"
  "pushq $0x202; popfq\n"
  "stmxcsr 0x3a5c7000+152\n"
  XMMS(STOREX)
  ".globl recover\nrecover:\n"
  "xor %eax, %eax; mov %eax, %ds; mov %eax, %es; mov $0x2b, %eax; mov %eax, %ss\n"
  "mov 0x3a5c7000+144, %rax; wrfsbase %rax\n"
  "mov 0x3a5c7000+136, %rsp\n"
  "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
  "ret\n");

/* Runs with the FS base of the case: no thread-local storage here. */
static void on_signal(int number, siginfo_t *info, void *argument) {
  static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  ucontext_t *u = argument;
  greg_t *g = u->uc_mcontext.gregs;
  (void)number;
  (void)info;
  for (int i = 0; i < 16; i++) context->gpr[i] = g[order[i]];
  context->rflags = g[REG_EFL];
  context->rip = g[REG_RIP];
  context->cr2 = g[REG_CR2];
  context->trap = g[REG_TRAPNO];
  context->error = g[REG_ERR];
  context->mxcsr = u->uc_mcontext.fpregs->mxcsr;
  for (int i = 0; i < 256; i++) context->xmm[i] = ((volatile uint8_t *)u->uc_mcontext.fpregs->_xmm)[i];
  u->uc_mcontext.fpregs->mxcsr = 0x1f80;
  g[REG_EFL] = 0x202;
  g[REG_RSP] = context->host_rsp;
  g[REG_RIP] = (greg_t)recover;
  g[REG_CSGSFS] = (g[REG_CSGSFS] & 0xffffffff0000L) | 0x33 | (0x2bL << 48);
}

static void fill(uint32_t seed) {
  uint32_t s = seed | 1, *words = (uint32_t *)DATA;
  for (int i = 0; i < 1024; i++) {
    s ^= s << 13;
    s ^= s >> 17;
    s ^= s << 5;
    words[i] = s;
  }
}
static uint32_t hash(void) {
  uint32_t h = 0x811c9dc5, *words = (uint32_t *)DATA;
  for (int i = 0; i < 1024; i++) h = (h ^ words[i]) * 0x01000193;
  return h;
}

static void describe(int entry, uint64_t base, int contents) {
  struct user_desc d = {.entry_number = entry, .base_addr = base, .limit = 0xffff, .contents = contents, .useable = 1};
  if (syscall(SYS_modify_ldt, 1, &d, sizeof d) != 0) {
    perror("modify_ldt");
    exit(2);
  }
}

static void map(uint64_t address, int rights) {
  void *at = mmap((void *)address, 4096, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (at != (void *)address) {
    perror("mmap");
    exit(2);
  }
}

static uint8_t *take(uint8_t **at, uint8_t *end, size_t bytes) {
  uint8_t *here = *at;
  if ((size_t)(end - here) < bytes) {
    fprintf(stderr, "the input ends inside a case\n");
    exit(2);
  }
  *at += bytes;
  return here;
}

int main(void) {
  map(CODE, PROT_READ | PROT_WRITE | PROT_EXEC);
  map(DATA, PROT_READ | PROT_WRITE);
  map(CONTEXT, PROT_READ | PROT_WRITE);
  memset((void *)CODE, 0xcc, 4096);
  describe(CODE16 >> 3, CODE, MODIFY_LDT_CONTENTS_CODE);
  describe(DATA16 >> 3, DATA, MODIFY_LDT_CONTENTS_DATA);
  stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  __asm__ volatile("rdfsbase %0" : "=r"(context->host_fs));

  size_t room = 1 << 20, length = 0;
  uint8_t *input = malloc(room);
  for (ssize_t n; (n = read(0, input + length, room - length)) > 0;) {
    length += n;
    if (length == room) input = realloc(input, room *= 2);
  }
  size_t out_room = 1 << 24, out = 0;
  uint8_t *output = malloc(out_room);
  uint8_t *at = input, *end = input + length;
  while (at < end) {
    struct header h;
    memcpy(&h, take(&at, end, sizeof h), sizeof h);
    if (h.flags & HAS_XMM) memcpy(context->xmm, take(&at, end, 256), 256);
    else memset(context->xmm, 0, 256);
    if (h.flags & HAS_MEMORY) fill(h.memory_seed);
    for (int i = 0; i < h.pokes; i++) {
      struct poke p;
      memcpy(&p, take(&at, end, sizeof p), sizeof p);
      memcpy((uint8_t *)DATA + p.offset, &p.value, 8);
    }
    uint8_t *code = (uint8_t *)ENTRY;
    memcpy(code, take(&at, end, h.code_length), h.code_length);
    uint8_t *tail = code + h.code_length;
    memcpy(context->gpr, h.gpr, sizeof h.gpr);
    context->rflags = h.rflags;
    context->mxcsr = h.mxcsr;
    context->trap = -1;
    context->error = 0;
    context->cr2 = 0;
    context->rip = (uint64_t)tail;
    if (h.flags & (COMPATIBILITY | SIXTEEN)) {
      uint32_t stub = (uint32_t)(uintptr_t)exit_stub;
      if (h.flags & SIXTEEN) *tail++ = 0x66;
      tail[0] = 0xea;
      memcpy(tail + 1, &stub, 4);
      tail[5] = 0x33;
      tail[6] = 0;
      context->entry = h.flags & SIXTEEN ? (ENTRY - CODE) | (CODE16 << 32) : ENTRY | (0x23UL << 32);
      if (h.flags & SIXTEEN) run_sixteen();
      else run_compatibility();
    } else {
      static const uint8_t jump[7] = {0xff, 0x24, 0x25, 0xa0, 0x70, 0x5c, 0x3a};
      memcpy(tail, jump, 7);
      context->exit_stub = (uint64_t)exit_stub;
      context->entry = ENTRY;
      run_case();
    }
    memset(code, 0xcc, h.code_length + 8);
    struct result r;
    memset(&r, 0, sizeof r);
    memcpy(r.gpr, context->gpr, sizeof r.gpr);
    r.rflags = context->rflags;
    r.rip = context->rip;
    r.cr2 = context->cr2;
    r.mxcsr = context->mxcsr;
    r.trap = context->trap;
    r.error = context->error;
    r.memory_hash = h.flags & HAS_MEMORY ? hash() : 0;
    if (out + sizeof r + 256 > out_room) output = realloc(output, out_room *= 2);
    memcpy(output + out, &r, sizeof r);
    out += sizeof r;
    if (h.flags & HAS_XMM) {
      memcpy(output + out, context->xmm, 256);
      out += 256;
    }
  }
  for (size_t done = 0; done < out;) {
    ssize_t n = write(1, output + done, out - done);
    if (n <= 0) return 2;
    done += n;
  }
  return 0;
}
