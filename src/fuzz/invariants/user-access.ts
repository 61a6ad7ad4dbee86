/** Invariants of the system-call boundary: how the kernel touches user memory. All need `watch.supervisorUserAccess` of the machine. */
import { SYSCALLS } from '../../kernel/abi/syscalls.ts';
import type { SupervisorUserAccess } from '../../machine/index.ts';
import { ByteRanges } from './byte-ranges.ts';
import { type Context, hex, invariant } from './invariant.ts';
import { isWithin } from './kernel-view.ts';

const USER_END = 0x8000_0000_0000;
const FIRST_USER_ADDRESS = 0x1000;

const isCopying = ({ kernel }: Context, rip: bigint): boolean => isWithin(rip, kernel.copyIn) || isWithin(rip, kernel.copyOut);

const show = ({ rip, linear, size, write }: SupervisorUserAccess): string =>
  `the kernel at ${hex(rip)} ${write ? 'writes' : 'reads'} ${size} bytes at ${hex(linear)}`;

export const kernelTouchesUserMemoryInOnePlace = invariant({
  id: 'INV-17',
  title: 'CPL 0 touches user pages only with AC=1 and RIP inside the declared copy routines, and never executes them.',
  because: 'a kernel that can be led to follow a user’s pointer anywhere is the user’s tool',
  judge: (context) => ({
    supervisorUserAccess(_at, access) {
      if (!access.user || access.implicit) return;
      context.judged();
      if (access.execute) context.fail(`the kernel executes user memory at ${hex(access.linear)}`);
      else if (!access.ac) context.fail(`${show(access)}, a user page, with AC=0`);
      else if (!isCopying(context, access.rip)) context.fail(`${show(access)}, a user page, outside of the copy routines`);
    },
  }),
});

export const userPointersStayInTheUserHalf = invariant({
  id: 'INV-29',
  title: 'The kernel’s accesses by user pointer stay in the user half; the copy routines never read (in) or write (out) anything else.',
  because: 'a pointer into the kernel half, followed for its caller, reads or writes the kernel',
  judge: (context) => ({
    supervisorUserAccess(_at, access) {
      if (access.implicit || access.execute) return;
      const { copyIn, copyOut } = context.kernel;
      if (!isWithin(access.rip, access.write ? copyOut : copyIn)) return;
      context.judged();
      // As a number: exact for what lies in the user half.
      const linear = Number(access.linear);
      if (linear < FIRST_USER_ADDRESS || linear + access.size > USER_END) context.fail(`${show(access)} by a user’s pointer`);
    },
  }),
});

/** Calls whose arguments name their buffers in a list, or in the frame that they read (rt_sigreturn's FPU state): two of them may be one. */
const LIST_CALLS = new Set(
  SYSCALLS.filter(
    (call) =>
      call.name === 'rt_sigreturn' || call.arguments.some(({ kind }) => kind === 'iovec-in' || kind === 'iovec-out' || kind === 'strings'),
  ).map(({ number }) => BigInt(number)),
);

export const userBytesAreFetchedOnce = invariant({
  id: 'INV-30',
  title: 'Each user byte is fetched at most once in a system call (but for calls that take a list of buffers, which may overlap it).',
  because: 'a value that is checked and then fetched again can have changed in between',
  judge: (context) => {
    const fetched = new ByteRanges();
    /** What the instruction at `pendingAt` has fetched, as addresses and sizes: it counts once the instruction retires. */
    const pending: { readonly linear: number; readonly size: number }[] = [];
    let pendingAt = -1n;
    let takesList = false;
    const clear = () => {
      fetched.clear();
      pending.length = 0;
    };
    return {
      begin() {
        clear();
        pendingAt = -1n;
        takesList = false;
      },
      syscall(_at, nr) {
        clear();
        takesList = LIST_CALLS.has(nr);
      },
      enterUser: clear,
      exception(at) {
        if (at === pendingAt) pending.length = 0;
      },
      supervisorUserAccess(at, access) {
        if (takesList || access.write || access.faulted || !access.user || access.implicit || access.execute) return;
        context.judged();
        if (at !== pendingAt) {
          for (const { linear, size } of pending) fetched.add(linear, size);
          pending.length = 0;
          pendingAt = at;
        }
        const { size } = access;
        const linear = Number(access.linear);
        if (fetched.overlaps(linear, size)) context.fail(`${show(access)} for the second time in one system call`);
        else pending.push({ linear, size });
      },
    };
  },
});

export const writesHonourPermissions = invariant({
  id: 'INV-31',
  title: 'Kernel writes to user memory honour the process’s own page permissions.',
  because: 'a program could have its read-only pages, and those it shares, changed by the kernel',
  judge: (context) => ({
    supervisorUserAccess(_at, access) {
      if (!access.write || !access.user || access.faulted || access.implicit) return;
      context.judged();
      if (!access.writable) context.fail(`${show(access)}, a page that the process may not write`);
    },
  }),
});
