/**
 * A thread of execution at CPL 0 and what CPL 3 left in the CPU: kernel stack, FPU and SSE state, FS and GS with their bases. Slot 0 is the idle task.
 */
import { addressOf, asm, objectAt, offsetOf, store64, symbol } from 'palindrome/intrinsics';
import { branchBarrier } from './cpu.ts';
import { setKernelStack, setUserFsBase, setUserGsBase, userFsBase, userGsBase } from './descriptors.ts';
import { interruptsOff } from './interrupts.ts';
import { stackTop } from './kernel-space.ts';
import { FRAME_BYTES, type TrapFrame } from './trap-frame.ts';

/** @align 64 */
export class Task {
  /** FXSAVE64 image (SDM Vol. 1, 10.5). */
  readonly fpu = new Uint8Array(512);
  slot: i32 = 0;
  savedStack: u64 = 0n;
  fsBase: u64 = 0n;
  gsBase: u64 = 0n;
  /** DS, ES, FS, GS from the low 16 bits up. */
  private selectors: u64 = 0n;

  /** The registers with which this task will return to CPL 3. */
  frame(): TrapFrame {
    return objectAt<TrapFrame>(stackTop(this.slot) - FRAME_BYTES);
  }

  /** A new program: no register holds anything of another context. */
  clean(): void {
    this.fpu.fill(0);
    this.fpu[0] = 0x7f;
    this.fpu[1] = 0x03;
    this.fpu[24] = 0x80;
    this.fpu[25] = 0x1f;
    this.fsBase = 0n;
    this.gsBase = 0n;
    this.selectors = 0n;
  }

  /** Takes an FXSAVE64 image that user mode wrote: reserved bits of MXCSR would make FXRSTOR fault at CPL 0 (SDM Vol. 1, 11.6.6). */
  setFpu(image: Uint8Array): void {
    this.fpu.set(image);
    this.fpu[26] = 0;
    this.fpu[27] = 0;
  }

  /** The first switch to this task goes to CPL 3 by its trap frame. */
  startAtFrame(): void {
    const bottom = stackTop(this.slot) - FRAME_BYTES;
    store64(bottom - 8n, symbol('first_return'));
    for (let word: u64 = 2n; word <= 7n; word++) store64(bottom - 8n * word, 0n);
    this.savedStack = bottom - 56n;
  }

  /** What CPL 3 left in the CPU → this object. */
  save(): void {
    asm('fxsave64 [rdi]', { rdi: addressOf(this.fpu) });
    this.fsBase = userFsBase();
    this.gsBase = userGsBase();
    this.selectors = asm(
      'mov eax, gs\nshl rax, 16\nmov ecx, fs\nor rax, rcx\nshl rax, 16\nmov ecx, es\nor rax, rcx\nshl rax, 16\nmov ecx, ds\nor rax, rcx',
      {},
      'rax',
    );
  }

  /** This object → the CPU. Loading a selector changes the base: bases last. */
  load(): void {
    this.loadFpu();
    const all = this.selectors;
    asm('call load_user_segments', { rdi: all & 0xffffn, rsi: (all >> 16n) & 0xffffn, rdx: (all >> 32n) & 0xffffn, rcx: all >> 48n });
    setUserFsBase(this.fsBase);
    setUserGsBase(this.gsBase);
  }

  private loadFpu(): void {
    asm('fxrstor64 [rdi]', { rdi: addressOf(this.fpu) });
  }

  /** The same where the CPU has what `before` has just saved: segments and bases that are alike stay. */
  private loadAfter(before: Task): void {
    if (this.selectors !== before.selectors) {
      this.load();
      return;
    }
    this.loadFpu();
    if (this.fsBase !== before.fsBase) setUserFsBase(this.fsBase);
    if (this.gsBase !== before.gsBase) setUserGsBase(this.gsBase);
  }

  /** A child as fork makes it: the CPU's state of this (running) task, returning 0. */
  cloneTo(child: Task): void {
    this.save();
    child.fpu.set(this.fpu);
    child.fsBase = this.fsBase;
    child.gsBase = this.gsBase;
    child.selectors = this.selectors;
    copyFrame(this.frame(), child.frame());
    child.frame().rax = 0n;
    child.startAtFrame();
  }

  /** Stops this task and goes on with `next`; returns when something switches back. The address space is the caller's affair. */
  switchTo(next: Task): void {
    // SWAPGS around the load of GS, and a stack that is not yet the other task's: nothing may come between.
    using _off = interruptsOff();
    this.save();
    branchBarrier();
    setKernelStack(stackTop(next.slot));
    next.loadAfter(this);
    asm('call switch_context', { rdi: addressOf(this) + offsetOf<Task>('savedStack'), rsi: next.savedStack });
  }
}

function copyFrame(from: TrapFrame, to: TrapFrame): void {
  asm('cld\nrep movsq', { rdi: to.address, rsi: from.address, rcx: 22 });
}
