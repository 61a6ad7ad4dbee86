/* A million page faults from ring 3: the handler maps a page and the access goes on. When a window is full, a system call unmaps all of it. */
#include "guest.h"

static struct space space;
static word root;
static u8 frames[WINDOW_PAGES][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static u32 faults;

static void map_page(word error_code) {
  (void)error_code;
  u32 n = (u32)((fault_address() - WINDOW) / PAGE_BYTES);
  *window_entry(&space, n) = (word)frames[(n * 5 + faults / WINDOW_PAGES) % WINDOW_PAGES] | PRESENT | WRITABLE | USER;
  faults++;
}

static word unmap_all(word argument) {
  for (u32 n = 0; n < WINDOW_PAGES; n++) *window_entry(&space, n) = 0;
  load_cr3(root);
  return argument;
}

static void user(void) {
  u32 checksum = 0;
  for (u32 round = TIMES(2000); round > 0; round--) {
    for (u32 n = 0; n < WINDOW_PAGES; n++) {
      volatile u32 *page = (volatile u32 *)(WINDOW + n * PAGE_BYTES);
      checksum = checksum * 31 + *page + n;
      *page = checksum;
    }
    call_system(1, 0);
  }
  call_system(SYS_EXIT, checksum);
}

u32 guest(void) {
  root = make_space(&space);
  load_cr3(root);
  handlers[VECTOR_PAGE_FAULT] = map_page;
  system_calls[1] = unmap_all;
  return (u32)enter_user(user) ^ faults;
}
