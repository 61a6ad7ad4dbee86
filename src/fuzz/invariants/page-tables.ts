/**
 * Invariants of page tables and memory: who maps what, and with which rights. All are judged from the tables as they lie in RAM, at quiescent
 * moments: a space when its tables have changed, and the running one also where only the kernel's books may have.
 */
import { isExecutable, isUser, isWritable, linearOf } from './address-spaces.ts';
import { type Context, hex, invariant, type Judgement } from './invariant.ts';
import type { Half, Mapping } from './table-reader.ts';

const ROOT_MASK = 0x000f_ffff_ffff_f000n;
const at = (mapping: Mapping): string => hex(linearOf(mapping.page));

/** Judges each user space that has changed. */
const eachChangedSpace = (context: Context, check: (space: Half) => void): Judgement => ({
  quiescent(at) {
    for (const space of context.spaces.changes(at).spaces) {
      check(space);
      context.judged();
    }
  },
});

/** As {@link eachChangedSpace}, and the running space each time: its tables may be as they were and the frames behind them not. */
const eachChangedAndTheRunning = (context: Context, check: (space: Half) => void): Judgement => ({
  quiescent(at) {
    const { spaces } = context.spaces.changes(at);
    const running = context.spaces.user(context.machine.cr3 & ROOT_MASK);
    for (const space of running && !spaces.includes(running) ? [...spaces, running] : spaces) {
      check(space);
      context.judged();
    }
  },
});

/** Judges the kernel half where it has changed. */
const kernelHalf = (context: Context, check: (mappings: readonly Mapping[]) => void): Judgement => ({
  quiescent(at) {
    if (!context.spaces.changes(at).kernel) return;
    check(context.spaces.kernelHalf);
    context.judged();
  },
});

/** Calls `visit` for each frame of each mapping, until it gives a text: what is wrong. */
function eachFrame(mappings: readonly Mapping[], visit: (frame: number, mapping: Mapping) => string | null): string | null {
  for (const mapping of mappings)
    for (let frame = mapping.frame; frame < mapping.frame + mapping.pages; frame++) {
      const wrong = visit(frame, mapping);
      if (wrong !== null) return wrong;
    }
  return null;
}

export const leavesMapOwnFrames = invariant({
  id: 'INV-01',
  title: 'Every present leaf of a live address space maps a frame that user memory owns or that is declared shared.',
  because: 'a leaf to any other frame gives user mode the kernel, a page table or somebody else’s memory',
  judge: (context) =>
    eachChangedAndTheRunning(context, ({ root, mappings }) => {
      const wrong = eachFrame(mappings, (frame, mapping) => {
        const kind = context.kernel.frameKind(frame);
        return kind === 'user' || kind === 'shared'
          ? null
          : `the space ${hex(root)} maps ${at(mapping)} to frame ${hex(frame)}, which is ${kind}`;
      });
      if (wrong) context.fail(wrong);
    }),
});

export const tablesHaveOneParent = invariant({
  id: 'INV-03',
  title: 'A page table of the user half hangs in one address space only.',
  because: 'a table with two parents lets one process edit the mappings of another',
  judge: (context) =>
    eachChangedSpace(context, ({ root, tables }) => {
      for (const other of context.spaces.users()) {
        if (other.root === root) continue;
        for (const frame of tables.keys())
          if (other.tables.has(frame))
            return context.fail(`the table in frame ${hex(frame)} hangs in ${hex(root)} and in ${hex(other.root)}`);
      }
      for (const frame of tables.keys())
        if (context.spaces.kernelTables.has(frame))
          return context.fail(`the table in frame ${hex(frame)} is the kernel’s and hangs in the user half of ${hex(root)}`);
    }),
});

export const kernelHalfIsSupervisor = invariant({
  id: 'INV-04',
  title: 'No leaf with U=1 maps kernel text, data, heap, stacks or metadata, and none lies in the kernel half.',
  because: 'user mode would read or write the kernel without a system call',
  judge: (context) => {
    const halves = kernelHalf(context, (mappings) => {
      const open = mappings.find(isUser);
      if (open) context.fail(`the kernel half has U=1 at ${at(open)}`);
    });
    const spaces = eachChangedSpace(context, ({ root, mappings }) => {
      const wrong = eachFrame(mappings, (frame, mapping) =>
        isUser(mapping) && context.kernel.frameKind(frame) === 'kernel'
          ? `the space ${hex(root)} maps kernel frame ${hex(frame)} with U=1 at ${at(mapping)}`
          : null,
      );
      if (wrong) context.fail(wrong);
    });
    return {
      quiescent(at) {
        halves.quiescent?.(at);
        spaces.quiescent?.(at);
      },
    };
  },
});

export const kernelHalfIsTheSameEverywhere = invariant({
  id: 'INV-05',
  title: 'The kernel half is identical in every root.',
  because: 'a process with a kernel half of its own sees another kernel than the one that was judged',
  judge: (context) => {
    const { ram } = context.machine;
    const kernel = Number(context.kernel.kernelRoot);
    /** The accessed and dirty bits are the processor's. */
    const differs = (root: number, index: number) =>
      ((ram.getUint32(root + index * 8, true) ^ ram.getUint32(kernel + index * 8, true)) & ~0x60) !== 0 ||
      ram.getUint32(root + index * 8 + 4, true) !== ram.getUint32(kernel + index * 8 + 4, true);
    /** Versions of the kernel's root and of each other one when they were last compared. */
    const compared = new Map<bigint, string>();
    return eachChangedSpace(context, ({ root, tables }) => {
      const versions = `${tables.get(Number(root >> 12n))} ${context.spaces.kernelTables.get(kernel / 4096)}`;
      if (compared.get(root) === versions) return;
      compared.set(root, versions);
      for (let index = 256; index < 512; index++)
        if (differs(Number(root), index)) return context.fail(`entry ${index} of the root ${hex(root)} differs from the kernel’s own`);
    });
  },
});

export const writableIsNotExecutable = invariant({
  id: 'INV-06',
  title: 'No page is writable and executable: in user space, or in kernel space, through one mapping or through two aliases.',
  because: 'who can write code that is executed needs no other bug',
  judge: (context) => {
    const { spaces } = context;
    const kernel = kernelHalf(context, (mappings) => {
      const executable = new Set<number>();
      for (const mapping of mappings.filter(isExecutable)) for (let i = 0; i < mapping.pages; i++) executable.add(mapping.frame + i);
      const wrong = eachFrame(mappings.filter(isWritable), (frame, mapping) =>
        executable.has(frame) ? `the kernel may execute frame ${hex(frame)} and write it at ${at(mapping)}` : null,
      );
      if (wrong) context.fail(wrong);
    });
    const users = eachChangedSpace(context, ({ root, mappings }) => {
      const wrong = eachFrame(mappings, (frame, mapping) =>
        (isWritable(mapping) && spaces.executors(frame) > 0) || (isExecutable(mapping) && spaces.writers(frame) > 0)
          ? `the space ${hex(root)} maps ${at(mapping)} to frame ${hex(frame)}, which user mode may both write and execute`
          : null,
      );
      if (wrong) context.fail(wrong);
    });
    return {
      quiescent(at) {
        kernel.quiescent?.(at);
        users.quiescent?.(at);
      },
    };
  },
});

export const sharedFramesAreReadOnly = invariant({
  id: 'INV-08',
  title: 'Copy-on-write: a frame that several leaves map privately is read-only in all of them.',
  because: 'a write by one process changes the memory of another',
  judge: (context) =>
    eachChangedSpace(context, ({ root, mappings }) => {
      const { spaces, kernel } = context;
      const wrong = eachFrame(mappings, (frame, mapping) =>
        spaces.mappers(frame) > 1 && spaces.writers(frame) > 0 && kernel.frameKind(frame) !== 'shared'
          ? `frame ${hex(frame)} is mapped by ${spaces.mappers(frame)} leaves, ${hex(root)} at ${at(mapping)} among them, and ${spaces.writers(frame)} may write`
          : null,
      );
      if (wrong) context.fail(wrong);
    }),
});

export const framesAreCounted = invariant({
  id: 'INV-09',
  title: 'A frame’s count is at least the number of leaves that map it; a free frame is mapped nowhere.',
  because: 'a frame that is freed while it is mapped is given to the next process with this one still looking on',
  judge: (context) =>
    eachChangedAndTheRunning(context, ({ mappings }) => {
      const wrong = eachFrame(mappings, (frame) => {
        const counted = context.kernel.frameCount(frame);
        const mapped = context.spaces.mappers(frame);
        return counted < mapped ? `frame ${hex(frame)} is mapped by ${mapped} leaves and counted ${counted} times` : null;
      });
      if (wrong) context.fail(wrong);
    }),
});

export const guardsAreUnmapped = invariant({
  id: 'INV-13',
  title: 'Page 0 and the guard pages of kernel stacks are unmapped; at entry RSP lies in a kernel stack.',
  because: 'a null pointer or an overflowing stack reaches memory instead of faulting',
  judge: (context) => {
    const { stacks } = context.kernel;
    const guards = kernelHalf(context, (mappings) => {
      for (const mapping of mappings) {
        const from = linearOf(mapping.page);
        if (from < stacks.from || from >= stacks.to) continue;
        if ((from - stacks.from) % stacks.stride < stacks.guardBytes)
          return context.fail(`the guard page ${at(mapping)} of a kernel stack is mapped`);
      }
    });
    const pageZero = eachChangedSpace(context, ({ root, mappings }) => {
      if (mappings[0]?.page === 0) context.fail(`the space ${hex(root)} maps page 0`);
    });
    return {
      quiescent(at) {
        guards.quiescent?.(at);
        pageZero.quiescent?.(at);
      },
      enterKernel(_at, cause) {
        if (cause === 'syscall') return; // SYSCALL leaves RSP to the kernel's first instructions
        const rsp = context.machine.register(4);
        context.judged();
        if (rsp <= stacks.from || rsp > stacks.to)
          context.fail(`the kernel is entered with RSP ${hex(rsp)}, outside of every kernel stack`);
      },
    };
  },
});
