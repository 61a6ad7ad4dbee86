/** Invariants of time: the kernel survives every call, and user mode never holds the CPU for good. */
import { hex, invariant } from './invariant.ts';

/** The most instructions that the kernel may execute for one call without idling: more than unmapping or zeroing all memory takes. */
const LONGEST_STAY = 10_000_000n;

/** The kernel that waits for a sleeper executes HLT at least this often. */
const LONGEST_IDLE = 1_000_000n;

export const callsAreSurvived = invariant({
  id: 'INV-32',
  title: 'No call with any arguments panics, hangs or starves the kernel.',
  because: 'one program would end all others',
  judge: (context) => {
    let entered: bigint | null = null;
    let idled = 0n;
    let call = 'no system call';
    return {
      syscall(at, nr, args) {
        entered = at;
        call = `system call ${nr}(${args.map(hex).join(', ')})`;
      },
      halt(at) {
        idled = at;
        entered = null;
      },
      enterUser(at) {
        context.judged();
        if (entered !== null && at - entered > LONGEST_STAY) context.fail(`${call} keeps the kernel for ${at - entered} instructions`);
        entered = null;
      },
      end({ reason, status }) {
        context.judged();
        if (reason === 'panic') context.fail(`the kernel ends (status ${status}); before: ${call}`);
        const isIdle = context.machine.count - idled < LONGEST_IDLE;
        if (reason === 'limit' && context.machine.cpl !== 3 && !isIdle)
          context.fail(`the run ends at its limit with the kernel at work at ${hex(context.machine.rip)}; before: ${call}`);
      },
    };
  },
});

/** The longest time slice that a kernel may give, in instructions. */
const LONGEST_SLICE = 20_000_000n;

export const userModeIsPreempted = invariant({
  id: 'INV-35',
  title: 'CPL 3 always has an armed preemption bound.',
  because: 'a program that loops would be alone on the machine',
  judge: (context) => ({
    enterUser() {
      context.judged();
      const left = context.machine.preemption();
      if (left === null) context.fail('user mode starts with no timer armed');
      else if (left > LONGEST_SLICE) context.fail(`user mode starts with the timer ${left} instructions away`);
    },
  }),
});
