/* The sieve of Eratosthenes over one MiB of flags, again and again: stores with a stride, short branches. */
#include "guest.h"

#define LIMIT (1u << 20)
static u8 is_composite[LIMIT];

u32 guest(void) {
  u32 checksum = 0;
  for (u32 round = TIMES(50); round > 0; round--) {
    for (u32 i = 0; i < LIMIT; i++) is_composite[i] = 0;
    u32 primes = 0;
    for (u32 i = 2; i < LIMIT; i++) {
      if (is_composite[i]) continue;
      primes++;
      checksum = checksum * 31 + i;
      for (u32 j = i + i; j < LIMIT; j += i) is_composite[j] = 1;
    }
    checksum ^= primes;
  }
  return checksum;
}
