/** Invariants of the processor's state: what user mode starts with, what the kernel keeps on, what a thread finds when it goes on. */
import { CAPTURE, type RegisterCapture } from '../../machine/index.ts';
import { hex, invariant } from './invariant.ts';
import { type Exit, high, low, word } from './threads.ts';

const FLAG = { if: 1 << 9, iopl: 3 << 12, nt: 1 << 14 } as const;
const JUDGED_FLAGS = FLAG.if | FLAG.iopl | FLAG.nt;
/** The upper halves of addresses of user mode are below this. */
const USER_END_HIGH = 0x8000;
const CR0_WP = 1n << 16n;
const CR4 = { UMIP: 1n << 11n, SMEP: 1n << 20n, SMAP: 1n << 21n } as const;
const EFER_NXE = 1n << 11n;
const IA32_EFER = 0xc000_0080n;
const IA32_LSTAR = 0xc000_0082n;

export const userModeStartsClean = invariant({
  id: 'INV-15',
  title: 'On entry to CPL 3: IF=1, IOPL=0, NT=0, RPL=3, RIP canonical and in the user half.',
  because: 'user mode could hold the CPU, reach ports, or make the kernel fault on its way out with the user’s GS base',
  judge: (context) => ({
    enterUser() {
      const { now } = context.threads;
      context.judged();
      const rflags = low(now, CAPTURE.rflags);
      const cpl = low(now, CAPTURE.selectors) & 3;
      const isOutside = high(now, CAPTURE.rip) >>> 0 >= USER_END_HIGH;
      if ((rflags & JUDGED_FLAGS) === FLAG.if && cpl === 3 && !isOutside) return;
      const wrong = [
        (rflags & FLAG.if) === 0 && 'IF is 0',
        (rflags & FLAG.iopl) !== 0 && 'IOPL is not 0',
        (rflags & FLAG.nt) !== 0 && 'NT is 1',
        cpl !== 3 && `CS is ${hex(word(now, CAPTURE.selectors))}`,
        isOutside && `RIP is ${hex(word(now, CAPTURE.rip))}`,
      ].filter((text) => text !== false);
      context.fail(`user mode starts where ${wrong.join(', ')} (RFLAGS ${hex(word(now, CAPTURE.rflags))})`);
    },
  }),
});

export const protectionsStayOn = invariant({
  id: 'INV-16',
  title: 'After boot CR0.WP, CR4.SMEP, CR4.SMAP, CR4.UMIP and EFER.NXE are on and never cleared.',
  because: 'each is the last wall behind a bug of another kind',
  judge: (context) => {
    const judgeCr0 = (value: bigint) => (value & CR0_WP) === 0n && context.fail(`CR0.WP is off (CR0 ${hex(value)})`);
    const judgeCr4 = (value: bigint) => {
      for (const [name, bit] of Object.entries(CR4)) if ((value & bit) === 0n) context.fail(`CR4.${name} is off (CR4 ${hex(value)})`);
    };
    const judgeEfer = (value: bigint) => (value & EFER_NXE) === 0n && context.fail(`EFER.NXE is off (EFER ${hex(value)})`);
    return {
      begin() {
        const { cr0, cr4, efer } = context.machine.controls;
        judgeCr0(cr0);
        judgeCr4(cr4);
        judgeEfer(efer);
        context.judged();
      },
      controlRegister(_at, n, _before, after) {
        if (n === 0) judgeCr0(after);
        if (n === 4) judgeCr4(after);
        context.judged();
      },
      msr(_at, index, _before, after) {
        if (BigInt(index) === IA32_EFER) judgeEfer(after);
        context.judged();
      },
    };
  },
});

export const tablesOfTheCpuAreConstant = invariant({
  id: 'INV-18',
  title: 'CR3 takes the roots of live processes and of the kernel only; IDT, GDT, TSS and LSTAR do not change after boot.',
  because: 'who can choose a root or a gate chooses what the processor does next',
  judge: (context) => ({
    controlRegister(_at, n, _before, after) {
      if (n !== 3) return;
      context.judged();
      const root = context.machine.rootFrame;
      if (root !== context.kernel.kernelRoot && !context.kernel.isLive(root))
        context.fail(`CR3 takes ${hex(after)}, which is the root of no live process`);
    },
    msr(_at, index, before, after) {
      if (BigInt(index) !== IA32_LSTAR) return;
      context.judged();
      if (before !== after) context.fail(`LSTAR changes from ${hex(before)} to ${hex(after)} after boot`);
    },
    descriptorTable(_at, table, base, limit) {
      context.judged();
      if (table !== 'ldt') context.fail(`${table.toUpperCase()} is loaded after boot, with base ${hex(base)} and limit ${hex(limit)}`);
    },
  }),
});

const GPR_NAMES = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'];
const RAX = 0;
const RCX = 1;
const RSP = 4;
const R11 = 11;

const CALL_CHANGES: readonly number[] = [RAX, RCX, R11];

/** The first register that differs and may not, described; or null. */
function firstChange(before: RegisterCapture, after: RegisterCapture, mayChange: readonly number[], mayMoveBases: boolean): string | null {
  for (let index = 0; index < CAPTURE.words; index++) {
    if (isSame(before, after, index)) continue;
    if (index < 16) {
      if (!mayChange.includes(index)) return describe(GPR_NAMES[index] ?? '', before, after, index);
    } else if (index === CAPTURE.fsBase || index === CAPTURE.gsBase) {
      if (!mayMoveBases) return describe(index === CAPTURE.fsBase ? 'FS base' : 'GS base', before, after, index);
    } else if (index === CAPTURE.mxcsr) {
      return describe('MXCSR', before, after, index);
    } else if (index >= CAPTURE.x87) {
      return describe(`x87 state, word ${index - CAPTURE.x87}`, before, after, index);
    } else if (index >= CAPTURE.xmm) {
      return describe(`XMM${(index - CAPTURE.xmm) >> 1}`, before, after, index);
    } else if (index >= CAPTURE.dr && index < CAPTURE.mxcsr) {
      return describe(`debug register word ${index - CAPTURE.dr}`, before, after, index);
    }
  }
  return null;
}

const isSame = (before: RegisterCapture, after: RegisterCapture, index: number): boolean =>
  low(before, index) === low(after, index) && high(before, index) === high(after, index);

const describe = (name: string, before: RegisterCapture, after: RegisterCapture, index: number): string =>
  `${name} was ${hex(word(before, index))} and is ${hex(word(after, index))}`;

/** arch_prctl may set the FS and GS base of its caller. */
const ARCH_PRCTL = 158n;
const mayMoveBases = ({ call }: Exit) => call === ARCH_PRCTL;

export const threadsFindTheirRegisters = invariant({
  id: 'INV-19',
  title:
    'At a thread’s resumption every general, FPU/SSE, debug, FS and GS register is what it was at its last exit, plus the call’s result.',
  because: 'registers that are not restored carry one process’s data into another',
  judge: (context) => {
    context.threads.watch({
      resumed(exit, now) {
        context.judged();
        const change = firstChange(exit.registers, now, exit.call === null ? [] : CALL_CHANGES, mayMoveBases(exit));
        if (change) context.fail(`after ${exit.call === null ? 'an interruption' : `system call ${exit.call}`} ${change}`);
        else if (exit.call === null && word(exit.registers, CAPTURE.rip) !== word(now, CAPTURE.rip))
          context.fail(`interrupted at ${hex(word(exit.registers, CAPTURE.rip))}, the thread goes on at ${hex(word(now, CAPTURE.rip))}`);
      },
      forked(parents, child) {
        context.judged();
        let change: string | null = null;
        for (const { registers } of parents) {
          change = firstChange(registers, child, [...CALL_CHANGES, RSP], false);
          if (change === null) return;
        }
        if (change) context.fail(`a fork’s child does not start as its parent: ${change}`);
      },
    });
    return {};
  },
});

/** The first general register that differs and may not; −1: none. */
function changedBesides(before: RegisterCapture, after: RegisterCapture, mayChange: readonly number[]): number {
  for (let index = 0; index < 16; index++) if (!isSame(before, after, index) && !mayChange.includes(index)) return index;
  return -1;
}

/** Flags that a system call keeps: all that user mode can set, but RF, and NT, which INV-15 wants cleared. */
const USER_FLAGS = 0x0024_0dd5; // CF PF AF ZF SF TF DF OF AC ID

export const callsChangeThreeRegisters = invariant({
  id: 'INV-20',
  title: 'A system call changes RAX, RCX and R11 only; RCX and R11 hold the user’s RIP and RFLAGS.',
  because: 'anything else is either a lost register of the program or a kernel value shown to it',
  judge: (context) => {
    context.threads.watch({ resumed: judgeCall });
    return {};

    function judgeCall({ registers, call }: Exit, now: RegisterCapture): void {
      if (call === null) return;
      context.judged();
      const rip = word(registers, CAPTURE.rip) + 2n;
      const change = changedBesides(registers, now, CALL_CHANGES);
      if (change >= 0) context.fail(`system call ${call}: ${describe(GPR_NAMES[change] ?? '', registers, now, change)}`);
      else if (word(now, CAPTURE.rip) !== rip)
        context.fail(`system call ${call} returns to ${hex(word(now, CAPTURE.rip))} instead of ${hex(rip)}`);
      else if (word(now, RCX) !== rip)
        context.fail(`after system call ${call} RCX is ${hex(word(now, RCX))}, the user’s RIP is ${hex(rip)}`);
      else if (((low(now, R11) ^ low(registers, CAPTURE.rflags)) & USER_FLAGS) !== 0)
        context.fail(
          `after system call ${call} R11 is ${hex(word(now, R11))}, the user’s RFLAGS were ${hex(word(registers, CAPTURE.rflags))}`,
        );
      else if (((low(now, CAPTURE.rflags) ^ low(registers, CAPTURE.rflags)) & USER_FLAGS) !== 0)
        context.fail(
          `system call ${call} changes RFLAGS from ${hex(word(registers, CAPTURE.rflags))} to ${hex(word(now, CAPTURE.rflags))}`,
        );
    }
  },
});
