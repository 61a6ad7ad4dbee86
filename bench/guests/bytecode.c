/* An interpreter of bytecode with a stack, a jump table and local variables: indirect jumps, as scripting languages make them. */
#include "guest.h"

enum { PUSH, LOAD, STORE, ADD, SUB, MULTIPLY, XOR, AND, SHIFT_RIGHT, JUMP_IF, DECREMENT_JUMP, SELECT, HALT };

/* while (--v0) { v1 = v1 * 1664525 + 1013904223; v2 ^= v1 >> 7; if (v2 & 8) v2 += v1; else v3 = (v3 - v2) & 0xffffff; v4 += v3 ^ v2; } */
static const u32 PROGRAM[] = {
    /*  0 */ LOAD, 1, PUSH, 1664525, MULTIPLY, PUSH, 1013904223, ADD, STORE, 1,
    /* 10 */ LOAD, 2, LOAD, 1, PUSH, 7, SHIFT_RIGHT, XOR, STORE, 2,
    /* 20 */ LOAD, 2, PUSH, 8, AND, JUMP_IF, 38,
    /* 27 */ LOAD, 3, LOAD, 2, SUB, PUSH, 0xffffff, AND, STORE, 3, SELECT,
    /* 38 */ LOAD, 2, LOAD, 1, ADD, STORE, 2,
    /* 45 */ LOAD, 4, LOAD, 3, LOAD, 2, XOR, ADD, STORE, 4,
    /* 55 */ DECREMENT_JUMP, 0, 0, HALT,
};

static u32 variables[8];

static void run(void) {
  u32 stack[16];
  u32 *top = stack; /* the first free place */
  const u32 *at = PROGRAM;
  for (;;) {
    switch (*at++) {
      case PUSH: *top++ = *at++; break;
      case LOAD: *top++ = variables[*at++]; break;
      case STORE: variables[*at++] = *--top; break;
      case ADD: top--; top[-1] += *top; break;
      case SUB: top--; top[-1] -= *top; break;
      case MULTIPLY: top--; top[-1] *= *top; break;
      case XOR: top--; top[-1] ^= *top; break;
      case AND: top--; top[-1] &= *top; break;
      case SHIFT_RIGHT: top--; top[-1] >>= *top; break;
      case JUMP_IF: at = *--top ? PROGRAM + *at : at + 1; break;
      case DECREMENT_JUMP: at = --variables[at[0]] ? PROGRAM + at[1] : at + 2; break;
      case SELECT: at = PROGRAM + 45; break;
      default: return;
    }
  }
}

u32 guest(void) {
  variables[0] = TIMES(2000000);
  run();
  return variables[4] ^ variables[2];
}
