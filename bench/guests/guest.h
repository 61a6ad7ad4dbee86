/*
 * What a guest program of the bench may use. A guest is one C file with `u32 guest(void)`: the work, and a checksum of its results that does not
 * depend on the machine below it. It is built three times from the same text: for x86-64 (our machine, QEMU, Bochs), for 32 bits (v86), and as a
 * process of the host (native), where only what stands above "Bare metal" is there.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
/* As wide as a register: an address, a page-table entry. */
typedef unsigned long word;

/* How much of the full work is done, in percent: 100, or less in the short form. */
#ifndef PERCENT
#define PERCENT 100
#endif
#define TIMES(n) ((u32)(((u64)(n) * PERCENT + 99) / 100))

u32 guest(void);

/* A source of pseudo-random numbers (xorshift32) that begins anew with each program. */
static inline u32 next_random(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/* ---- Bare metal ------------------------------------------------------------------------------------------------------------------------ */

#define PAGE_BYTES 4096
#define PAGES_PER_TABLE (PAGE_BYTES / sizeof(word))
/* Bits of a page-table entry. */
#define PRESENT 1
#define WRITABLE 2
#define USER 4

/* Where a space maps its own pages: above the identity map of the first GiB, which all spaces share. */
#define WINDOW 0x40000000ul
/* The pages of a window that a guest may use. */
#define WINDOW_PAGES 512

/* An address space: the shared identity map, and a window of its own. */
struct __attribute__((aligned(PAGE_BYTES))) space {
  word tables[4][PAGES_PER_TABLE];
};
/* Makes the tables of a space with an empty window, and gives the value for CR3 (its root's address). */
word make_space(struct space *space);
/* The entry of the n-th page of the window. */
word *window_entry(struct space *space, u32 n);

static inline void load_cr3(word value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory"); }
/* Switches process-context identifiers on where the processor has them, and says so. */
int enable_pcid(void);

/* Vectors: exceptions as in the manual, then the timer. */
#define VECTOR_PAGE_FAULT 14
#define VECTOR_TIMER 32
#define VECTORS 33
typedef void handler(word error_code);
/* What an interrupt or exception calls; empty: the guest ends as broken. */
extern handler *handlers[VECTORS];
static inline word fault_address(void) {
  word address;
  __asm__ volatile("mov %%cr2, %0" : "=r"(address));
  return address;
}

/* Ring 3. `enter_user` runs a function there until it makes the system call SYS_EXIT, and gives its argument. */
#define SYS_EXIT 0
#define SYSCALLS 4
typedef word system_call(word argument);
extern system_call *system_calls[SYSCALLS];
word enter_user(void (*function)(void));
word call_system(word number, word argument);

/* The timer of the local APIC, one-shot: an interrupt after so many ticks at divide 1. */
void start_timer(void);
void arm_timer(u32 ticks);
void end_of_interrupt(void);
