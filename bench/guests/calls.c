/* Recursive calls: Takeuchi's function and Fibonacci's numbers, with nothing inlined. */
#include "guest.h"

#define AS_WRITTEN __attribute__((noipa, optimize("no-optimize-sibling-calls")))

AS_WRITTEN static int takeuchi(int x, int y, int z) {
  if (y >= x) return z;
  return takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

AS_WRITTEN static u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

u32 guest(void) {
  u32 checksum = 0;
  for (u32 round = TIMES(100); round > 0; round--) checksum = checksum * 31 + (u32)takeuchi(18, 12, 6) + fibonacci(24);
  return checksum;
}
