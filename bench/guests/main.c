/* The bare machine under a guest: console, exit, interrupt table, ring 3, address spaces, timer. Both builds; what differs stands in one #if each. */
#include "guest.h"

static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out32(u16 port, u32 value) { __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 in8(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline u64 read_msr(u32 msr) {
  u32 low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (u64)high << 32 | low;
}
static inline void write_msr(u32 msr, u64 value) {
  __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

/* ---- Console and exit ------------------------------------------------------------------------------------------------------------------ */

#define UART 0x3f8
#define LINE_CONTROL (UART + 3)
#define EIGHT_BITS 3
#define LINE_STATUS (UART + 5)
#define MAY_SEND 0x20
#define ALL_SENT 0x40

static void put(const char *text) {
  for (; *text; text++) {
    while (!(in8(LINE_STATUS) & MAY_SEND)) {
    }
    out8(UART, (u8)*text);
  }
}

static void put_hex(u32 value) {
  char text[9] = {0};
  for (int i = 0; i < 8; i++) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  put(text);
}

/* Ends the machine: isa-debug-exit (our machine, QEMU), then Bochs' shutdown port. v86 has neither: its driver watches the console. */
static _Noreturn void end(u32 status) {
  while (!(in8(LINE_STATUS) & ALL_SENT)) {
  }
  out32(0xf4, status);
  for (const char *c = "Shutdown"; *c; c++) out8(0x8900, (u8)*c);
  for (;;) __asm__ volatile("cli; hlt");
}

/* An interrupt without a handler, or a system call that is none. */
_Noreturn void broken(word error_code, word vector) {
  put("broken: vector ");
  put_hex((u32)vector);
  put(" error ");
  put_hex((u32)error_code);
  put("\n");
  end(1);
}

/* ---- Descriptor tables ----------------------------------------------------------------------------------------------------------------- */

handler *handlers[VECTORS];
system_call *system_calls[SYSCALLS];
extern u64 gdt[];
extern const u8 interrupt_entries[], trap_stack_end[];
extern void system_entry(void);
extern word leave_user(word argument);

struct __attribute__((packed)) pointer {
  u16 limit;
  word base;
};

#define KERNEL_CODE 8
#define INTERRUPT_GATE 0x8e
#define AVAILABLE_TSS 0x89

#if __x86_64__
#define TSS_SLOT 6
struct __attribute__((packed)) tss {
  u32 reserved;
  u64 stack0;
  u8 rest[92];
};
struct gate {
  u16 offset0, selector;
  u8 stack, type;
  u16 offset16;
  u32 offset32, reserved;
};
#else
#define TSS_SLOT 5
struct __attribute__((packed)) tss {
  u32 link, stack0, segment0;
  u8 rest[92];
};
struct gate {
  u16 offset0, selector;
  u8 stack, type;
  u16 offset16;
};
#endif

static struct tss tss;
static struct gate idt[VECTORS];

static void load_tables(void) {
  for (u32 v = 0; v < VECTORS; v++) {
    word entry = (word)interrupt_entries + 16 * v;
    idt[v] = (struct gate){.offset0 = (u16)entry, .selector = KERNEL_CODE, .type = INTERRUPT_GATE, .offset16 = (u16)(entry >> 16)};
  }
  struct pointer pointer = {sizeof idt - 1, (word)idt};
  __asm__ volatile("lidt %0" : : "m"(pointer));

  tss.stack0 = (word)trap_stack_end;
#if !__x86_64__
  tss.segment0 = 0x10;
#endif
  u64 base = (word)&tss;
  gdt[TSS_SLOT] = (sizeof tss - 1) | (base & 0xffffff) << 16 | (u64)AVAILABLE_TSS << 40 | (base >> 24 & 0xff) << 56;
  __asm__ volatile("ltr %w0" : : "r"(8 * TSS_SLOT));
}

/* SYSCALL (64 bits) or SYSENTER (32 bits) goes to system_entry. */
static void open_system_calls(void) {
#if __x86_64__
  write_msr(0xc0000081, (u64)0x1b << 48 | (u64)KERNEL_CODE << 32); /* IA32_STAR: the selectors of both rings */
  write_msr(0xc0000082, (word)system_entry);                       /* IA32_LSTAR */
  write_msr(0xc0000084, 0x700);                                    /* IA32_FMASK: TF, IF, DF */
#else
  write_msr(0x174, KERNEL_CODE);          /* IA32_SYSENTER_CS */
  write_msr(0x175, (word)trap_stack_end); /* IA32_SYSENTER_ESP */
  write_msr(0x176, (word)system_entry);   /* IA32_SYSENTER_EIP */
#endif
  system_calls[SYS_EXIT] = leave_user;
}

/* ---- Address spaces -------------------------------------------------------------------------------------------------------------------- */

#define TABLE (PRESENT | WRITABLE | USER)

#if __x86_64__
extern word boot_pdpt[];

word make_space(struct space *space) {
  word *pml4 = space->tables[0], *pdpt = space->tables[1], *pd = space->tables[2], *pt = space->tables[3];
  pml4[0] = (word)pdpt | TABLE;
  pdpt[0] = boot_pdpt[0];
  pdpt[1] = (word)pd | TABLE;
  pdpt[3] = boot_pdpt[3];
  pd[0] = (word)pt | TABLE;
  return (word)pml4;
}

word *window_entry(struct space *space, u32 n) { return &space->tables[3][n]; }

int enable_pcid(void) {
  u32 leaf = 1, features, ignored;
  __asm__ volatile("cpuid" : "+a"(leaf), "=c"(features), "=b"(ignored) : : "edx");
  if (!(features & 1 << 17)) return 0;
  word cr4;
  __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
  __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 1 << 17));
  return 1;
}
#else
extern word boot_pd[];

word make_space(struct space *space) {
  word *pd = space->tables[0], *pt = space->tables[1];
  for (u32 i = 0; i < PAGES_PER_TABLE; i++) pd[i] = boot_pd[i];
  pd[WINDOW >> 22] = (word)pt | TABLE;
  return (word)pd;
}

word *window_entry(struct space *space, u32 n) { return &space->tables[1][n]; }

int enable_pcid(void) { return 0; }
#endif

/* ---- Timer ----------------------------------------------------------------------------------------------------------------------------- */

#define APIC_REGISTER(offset) (*(volatile u32 *)(0xfee00000ul + (offset)))
#define END_OF_INTERRUPT APIC_REGISTER(0xb0)
#define SPURIOUS APIC_REGISTER(0xf0)
#define TIMER APIC_REGISTER(0x320)
#define INITIAL_COUNT APIC_REGISTER(0x380)
#define DIVIDE APIC_REGISTER(0x3e0)

void start_timer(void) {
  write_msr(0x1b, read_msr(0x1b) | 0x800);
  SPURIOUS = 0x1ff;
  DIVIDE = 0xb;
  TIMER = VECTOR_TIMER;
}
void arm_timer(u32 ticks) { INITIAL_COUNT = ticks; }
void end_of_interrupt(void) { END_OF_INTERRUPT = 0; }

/* Called by the start-up code. */
_Noreturn void main(void) {
  out8(0x21, 0xff); /* both 8259 masked: a BIOS may have left the PIT running */
  out8(0xa1, 0xff);
  out8(LINE_CONTROL, EIGHT_BITS);
  load_tables();
  open_system_calls();
  u32 checksum = guest();
  put("checksum ");
  put_hex(checksum);
  put("\n");
  end(0x10);
}
