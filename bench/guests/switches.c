/* Two million address-space switches: CR3 is written (with a PCID, keeping its translations, where there are PCIDs), then four pages are touched. */
#include "guest.h"

#define SPACES 8
#define PAGES 4
#define KEEP_TRANSLATIONS (1ull << 63)

static struct space spaces[SPACES];
static u8 frames[SPACES][PAGES][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

u32 guest(void) {
  word roots[SPACES];
  int has_pcid = enable_pcid();
  for (u32 s = 0; s < SPACES; s++) {
    roots[s] = make_space(&spaces[s]);
    for (u32 p = 0; p < PAGES; p++) {
      *window_entry(&spaces[s], p) = (word)frames[s][p] | PRESENT | WRITABLE | USER;
      *(u32 *)frames[s][p] = s * PAGES + p;
    }
    if (has_pcid) roots[s] |= (word)(KEEP_TRANSLATIONS | (s + 1));
  }
  u32 checksum = 0;
  for (u32 i = TIMES(2000000); i > 0; i--) {
    load_cr3(roots[(i ^ checksum) % SPACES]);
    for (u32 p = 0; p < PAGES; p++) {
      volatile u32 *page = (volatile u32 *)(WINDOW + p * PAGE_BYTES);
      checksum = checksum * 31 + *page;
      *page = checksum;
    }
  }
  return checksum;
}
