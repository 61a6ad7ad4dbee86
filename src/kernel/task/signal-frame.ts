/**
 * The frame of a signal handler on the user's stack, as Linux lays it out (struct rt_sigframe, asm/sigcontext.h), and the way back from it.
 *
 *     0 restorer's address · 8 ucontext: flags, link, stack (40 bytes), 23 registers from 48 on, FPU pointer 232, mask 304 · 312 siginfo (128 bytes)
 *
 * The 512 bytes of FXSAVE64 lie above it, on a 64-byte border.
 */
import { SIGKILL, SIGNALS } from '../abi/constants.ts';
import { put32, put64, word64 } from '../abi/numbers.ts';
import type { TrapFrame } from '../ostd/trap-frame.ts';
import { sanitise } from '../ostd/trap-frame.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import { USER_END } from '../ostd/virtual-layout.ts';
import type { Process } from './process.ts';
import { signalBit } from './signals.ts';

const FRAME_BYTES = 440;
const FPU_BYTES: u64 = 512n;
const REGISTERS = 48;
const FPU_POINTER = 232;
const MASK = 304;
const INFO = 312;
const RED_ZONE: u64 = 128n;
const SA_RESTORER: u64 = 0x0400_0000n;
const SA_NODEFER: u64 = 0x4000_0000n;
const SA_RESETHAND: u64 = 0x8000_0000n;
const FLAG_TF_DF: u64 = 0x500n;

/** Makes `frame` enter the handler. False: there is no place for the frame on the user's stack, or no way back. */
export function startHandler(process: Process, frame: TrapFrame, signal: i32): boolean {
  const action = process.actions.of(signal);
  if (signal === SIGKILL || (action.flags & SA_RESTORER) === 0n) return false;
  if (frame.rsp < 0x1_0000n || frame.rsp >= USER_END) return false;
  const fpuAt = (frame.rsp - RED_ZONE - FPU_BYTES) & wrapping.not(63n);
  const at = ((fpuAt - u64(FRAME_BYTES)) & wrapping.not(15n)) - 8n;

  process.task.save();
  const fpu = new UserSlice(fpuAt, FPU_BYTES);
  if (!fpu.write(0n, process.task.fpu)) return false;
  const image = new Uint8Array(FRAME_BYTES);
  put64(image, 0, action.restorer);
  writeRegisters(image, frame);
  put64(image, FPU_POINTER, fpuAt);
  put64(image, MASK, process.blocked);
  put32(image, INFO, u32(signal));
  const target = new UserSlice(at, u64(FRAME_BYTES));
  if (!target.write(0n, image)) return false;

  process.blocked |= action.mask;
  if ((action.flags & SA_NODEFER) === 0n) process.blocked |= signalBit(signal);
  process.blocked &= wrapping.not(signalBit(SIGKILL));
  frame.rip = action.handler;
  frame.rsp = at;
  frame.rdi = u64(signal);
  frame.rsi = at + u64(INFO);
  frame.rdx = at + 8n;
  frame.rax = 0n;
  frame.rflags &= wrapping.not(FLAG_TF_DF);
  if ((action.flags & SA_RESETHAND) !== 0n) action.handler = 0n;
  return true;
}

/** Takes registers, FPU state and mask from the frame that RSP points behind. False: it cannot be read. What it holds is not trusted. */
export function returnFromHandler(process: Process, frame: TrapFrame): boolean {
  if (frame.rsp < 8n) return false;
  const source = new UserSlice(frame.rsp - 8n, u64(FRAME_BYTES));
  const image = new Uint8Array(FRAME_BYTES);
  if (!source.read(0n, image)) return false;
  process.task.save();
  const fpuAt = word64(image, FPU_POINTER);
  if (fpuAt !== 0n) {
    const fpu = new UserSlice(fpuAt, FPU_BYTES);
    const copy = new Uint8Array(512);
    if (!fpu.read(0n, copy)) return false;
    process.task.setFpu(copy);
  }
  readRegisters(image, frame);
  process.blocked = word64(image, MASK) & wrapping.not(signalBit(SIGKILL));
  process.task.load();
  sanitise(frame);
  return true;
}

/** Order of the general registers in struct sigcontext. */
function writeRegisters(image: Uint8Array, frame: TrapFrame): void {
  put64(image, REGISTERS, frame.r8);
  put64(image, REGISTERS + 8, frame.r9);
  put64(image, REGISTERS + 16, frame.r10);
  put64(image, REGISTERS + 24, frame.r11);
  put64(image, REGISTERS + 32, frame.r12);
  put64(image, REGISTERS + 40, frame.r13);
  put64(image, REGISTERS + 48, frame.r14);
  put64(image, REGISTERS + 56, frame.r15);
  put64(image, REGISTERS + 64, frame.rdi);
  put64(image, REGISTERS + 72, frame.rsi);
  put64(image, REGISTERS + 80, frame.rbp);
  put64(image, REGISTERS + 88, frame.rbx);
  put64(image, REGISTERS + 96, frame.rdx);
  put64(image, REGISTERS + 104, frame.rax);
  put64(image, REGISTERS + 112, frame.rcx);
  put64(image, REGISTERS + 120, frame.rsp);
  put64(image, REGISTERS + 128, frame.rip);
  put64(image, REGISTERS + 136, frame.rflags);
  put64(image, REGISTERS + 144, 0x002b_0000_0000_0033n);
}

function readRegisters(image: Uint8Array, frame: TrapFrame): void {
  frame.r8 = word64(image, REGISTERS);
  frame.r9 = word64(image, REGISTERS + 8);
  frame.r10 = word64(image, REGISTERS + 16);
  frame.r11 = word64(image, REGISTERS + 24);
  frame.r12 = word64(image, REGISTERS + 32);
  frame.r13 = word64(image, REGISTERS + 40);
  frame.r14 = word64(image, REGISTERS + 48);
  frame.r15 = word64(image, REGISTERS + 56);
  frame.rdi = word64(image, REGISTERS + 64);
  frame.rsi = word64(image, REGISTERS + 72);
  frame.rbp = word64(image, REGISTERS + 80);
  frame.rbx = word64(image, REGISTERS + 88);
  frame.rdx = word64(image, REGISTERS + 96);
  frame.rax = word64(image, REGISTERS + 104);
  frame.rcx = word64(image, REGISTERS + 112);
  frame.rsp = word64(image, REGISTERS + 120);
  frame.rip = word64(image, REGISTERS + 128);
  frame.rflags = word64(image, REGISTERS + 136);
}

/** Signals that there are. */
export function isSignal(signal: i32): boolean {
  return signal >= 1 && signal <= SIGNALS;
}
