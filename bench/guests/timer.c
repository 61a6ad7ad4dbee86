/*
 * Timer interrupts while computing: before each piece of work the timer is set to fire within it. The work and the number of interrupts are fixed,
 * whatever a tick is; a machine whose interrupt is late is waited for.
 */
#include "guest.h"

#define TICKS 50000

static volatile u32 interrupts;

static void count_interrupt(word error_code) {
  (void)error_code;
  interrupts++;
  end_of_interrupt();
}

u32 guest(void) {
  handlers[VECTOR_TIMER] = count_interrupt;
  start_timer();
  __asm__ volatile("sti");
  u32 checksum = 1;
  for (u32 piece = TIMES(5000); piece > 0; piece--) {
    u32 before = interrupts;
    arm_timer(TICKS);
    for (u32 i = 20000; i > 0; i--) checksum = (checksum ^ checksum >> 15) * 0x2c1b3c6du + i;
    while (interrupts == before) __asm__ volatile("pause");
  }
  return checksum ^ interrupts;
}
