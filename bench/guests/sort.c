/* Quicksort and pointer chasing over 64 MiB: a million records of 64 bytes are sorted by key, then linked into one cycle and followed. */
#include "guest.h"

#define RECORDS (1u << 20)
struct record {
  u32 key;
  u32 next;
  u32 rest[14];
};
static struct record records[RECORDS];

static void swap_keys(struct record *a, struct record *b) {
  u32 key = a->key, next = a->next;
  a->key = b->key;
  a->next = b->next;
  b->key = key;
  b->next = next;
}

static void quicksort(struct record *low, struct record *high) {
  while (low < high) {
    u32 pivot = low[(high - low) / 2].key;
    struct record *left = low, *right = high;
    while (left <= right) {
      while (left->key < pivot) left++;
      while (right->key > pivot) right--;
      if (left <= right) swap_keys(left++, right--);
    }
    if (right - low < high - left) {
      quicksort(low, right);
      low = left;
    } else {
      quicksort(left, high);
      high = right;
    }
  }
}

u32 guest(void) {
  u32 count = TIMES(RECORDS), random = 2463534242u, checksum = 0;
  for (u32 i = 0; i < count; i++) {
    records[i].key = next_random(&random);
    records[i].next = i;
  }
  quicksort(records, records + count - 1);
  for (u32 i = 0; i < count; i++) checksum = checksum * 31 + (records[i].key ^ records[i].next);

  /* Sattolo's shuffle: one cycle through all records. The high half of a product scales a random number to 0 … i-1. */
  for (u32 i = 0; i < count; i++) records[i].next = i;
  for (u32 i = count - 1; i > 0; i--) {
    u32 j = (u32)((u64)next_random(&random) * i >> 32);
    u32 next = records[i].next;
    records[i].next = records[j].next;
    records[j].next = next;
  }
  u32 at = 0;
  for (u32 step = TIMES(12000000); step > 0; step--) {
    at = records[at].next;
    checksum += at;
  }
  return checksum;
}
