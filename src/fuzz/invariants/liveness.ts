/** Invariants of time: the kernel survives every call, and user mode never holds the CPU for good. */
import { hex, invariant } from './invariant.ts';

/** The most instructions that the kernel may execute for one call without idling: more than unmapping or zeroing all memory takes. */
const LONGEST_STAY = 10_000_000n;

export const callsAreSurvived = invariant({
  id: 'INV-32',
  title: 'No call with any arguments panics, hangs or starves the kernel.',
  because: 'one program would end all others',
  judge: (context) => {
    /** When the kernel was entered, or idled last; null while user mode runs. */
    let entered: bigint | null = null;
    let number: bigint | null = null;
    const values: bigint[] = [];
    const describe = () => (number === null ? 'no system call' : `system call ${number}(${values.map(hex).join(', ')})`);
    const judgeStay = (at: bigint) => {
      if (entered !== null && at - entered > LONGEST_STAY)
        context.fail(`the kernel is at work for ${at - entered} instructions after ${describe()}`);
    };
    return {
      begin() {
        entered = null;
        number = null;
        values.length = 0;
      },
      syscall(_at, nr, args) {
        number = nr;
        for (let i = 0; i < args.length; i++) values[i] = args[i] ?? 0n;
      },
      enterKernel(at) {
        entered = at;
      },
      halt(at) {
        entered = at;
      },
      enterUser(at) {
        context.judged();
        judgeStay(at);
        entered = null;
      },
      end({ reason, status }) {
        context.judged();
        if (reason === 'panic') context.fail(`the kernel ends (status ${status}) after ${describe()}`);
        if (reason === 'limit') judgeStay(context.machine.count);
      },
    };
  },
});

/** The longest time slice that a kernel may give, in instructions. */
const LONGEST_SLICE = 20_000_000n;

export const userModeIsPreempted = invariant({
  id: 'INV-35',
  title: 'CPL 3 always has an armed preemption bound; a run ends within its fuel.',
  because: 'a program that loops would be alone on the machine',
  judge: (context) => ({
    enterUser() {
      context.judged();
      const left = context.machine.preemption();
      if (left === null) context.fail('user mode starts with no timer armed');
      else if (left > LONGEST_SLICE) context.fail(`user mode starts with the timer ${left} instructions away`);
    },
    end({ reason, instructions }) {
      context.judged();
      if (reason === 'limit') context.fail(`the run goes on after ${instructions} instructions, long after its fuel is used up`);
    },
  }),
});
