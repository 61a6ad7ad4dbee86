/* A guest as a process of the host. */
#include <stdio.h>
#include "guest.h"

int main(void) {
  printf("checksum %08x\n", guest());
  return 0;
}
