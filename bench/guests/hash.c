/* Integer hashing: 64-bit mixing (the finaliser of SplitMix64) with everything in registers. */
#include "guest.h"

u32 guest(void) {
  u64 state = 1, sum = 0;
  for (u32 i = TIMES(80000000); i > 0; i--) {
    state += 0x9e3779b97f4a7c15ull;
    u64 z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    sum ^= z ^ (z >> 31);
  }
  return (u32)(sum ^ (sum >> 32));
}
