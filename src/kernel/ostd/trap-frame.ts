import { addressOf } from 'palindrome/intrinsics';

/** The registers of an interrupted context, in the order in which trap-entry.ts pushes them (see the figure there). Lies at the top of the task's kernel stack. */
export class TrapFrame {
  r15: u64 = 0n;
  r14: u64 = 0n;
  r13: u64 = 0n;
  r12: u64 = 0n;
  rbp: u64 = 0n;
  rbx: u64 = 0n;
  r11: u64 = 0n;
  r10: u64 = 0n;
  r9: u64 = 0n;
  r8: u64 = 0n;
  rax: u64 = 0n;
  rcx: u64 = 0n;
  rdx: u64 = 0n;
  rsi: u64 = 0n;
  rdi: u64 = 0n;
  vector: u64 = 0n;
  error: u64 = 0n;
  rip: u64 = 0n;
  cs: u64 = 0n;
  rflags: u64 = 0n;
  rsp: u64 = 0n;
  ss: u64 = 0n;

  get isUser(): boolean {
    return (this.cs & 3n) === 3n;
  }

  /** Where the frame lies (for back traces and the panic message). */
  get address(): u64 {
    return addressOf(this);
  }
}

/** Vector of a frame that SYSCALL made. */
const VECTOR_SYSCALL: u64 = 256n;
/** Bytes of a TrapFrame. */
export const FRAME_BYTES: u64 = 176n;

const FLAG_IF: u64 = 0x200n;
/** CF PF AF ZF SF TF DF OF RF AC ID: what a user context may hold. IOPL, NT, VM, VIF, VIP are never set. */
const USER_FLAGS: u64 = 0x25_0dd5n;

const USER_CS: u64 = 0x33n;
const USER_SS: u64 = 0x2bn;

/** Makes a frame safe to return to CPL 3 with: user selectors, IF=1, IOPL=0, NT=0. The caller sees to a canonical RIP. */
export function sanitise(frame: TrapFrame): void {
  frame.cs = USER_CS;
  frame.ss = USER_SS;
  frame.rflags = (frame.rflags & USER_FLAGS) | FLAG_IF | 2n;
}

/** Whether SYSRET restores exactly this frame: it takes RIP from RCX and RFLAGS from R11, and would #GP at CPL 0 on a RIP that is not canonical. */
export function maySysret(frame: TrapFrame): boolean {
  return (
    frame.vector === VECTOR_SYSCALL &&
    frame.rcx === frame.rip &&
    frame.r11 === frame.rflags &&
    frame.rip < 0x7fff_ffff_f000n &&
    (frame.rflags & 0x1_0100n) === 0n
  );
}
