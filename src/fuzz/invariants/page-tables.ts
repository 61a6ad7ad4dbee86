/**
 * Invariants of page tables and memory: who maps what, and with which rights. All are judged from the tables as they lie in RAM, at quiescent
 * moments: the entries of a space that have changed, and the running space as a whole where only the kernel's books may have changed.
 */
import { addressOf, isExecutable, isUser, isWritable, linearOf, pageOf } from './address-spaces.ts';
import { type Context, hex, invariant, type Judgement } from './invariant.ts';
import type { Half, Mapping } from './table-reader.ts';

const at = (mapping: Mapping): string => hex(linearOf(mapping.page));
const address = (root: number): string => hex(addressOf(root));

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
    for (const space of spaces) {
      check(space);
      context.judged();
    }
    const running = context.spaces.user(context.machine.rootFrame);
    if (running === null || spaces.includes(running)) return;
    check(running);
    context.judged();
  },
});

/** Judges the kernel half once a run, and where it has changed. `check` says what is wrong; it is asked once of what runs share. */
function kernelHalf(context: Context, check: (mappings: readonly Mapping[]) => string | null): Judgement {
  let checked: Half | null = null;
  let wrong: string | null = null;
  return {
    quiescent(at) {
      if (!context.spaces.changes(at).kernel) return;
      const half = context.spaces.kernelHalf;
      if (half !== checked) wrong = check(half?.mappings ?? []);
      checked = half;
      if (wrong !== null) context.fail(wrong);
      context.judged();
    },
  };
}

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
      const { kernel } = context;
      for (const mapping of mappings)
        for (let frame = mapping.frame; frame < mapping.frame + mapping.pages; frame++) {
          const kind = kernel.frameKind(frame);
          if (kind === 'user' || kind === 'shared') continue;
          return context.fail(`the space ${address(root)} maps ${at(mapping)} to frame ${hex(frame)}, which is ${kind}`);
        }
    }),
});

export const tablesHaveOneParent = invariant({
  id: 'INV-03',
  title: 'A page table of the user half hangs in one address space only.',
  because: 'a table with two parents lets one process edit the mappings of another',
  judge: (context) =>
    eachChangedSpace(context, ({ root, tables }) => {
      for (const frame of tables) {
        if (context.spaces.tableUses(frame) > 1) {
          const other = [...context.spaces.users()].find((each) => each.root !== root && each.tables.includes(frame));
          return context.fail(`the table in frame ${hex(frame)} hangs in ${address(root)} and in ${address(other?.root ?? 0)}`);
        }
        if (context.spaces.isKernelTable(frame))
          return context.fail(`the table in frame ${hex(frame)} is the kernel’s and hangs in the user half of ${address(root)}`);
      }
    }),
});

export const kernelHalfIsSupervisor = invariant({
  id: 'INV-04',
  title: 'No leaf with U=1 maps kernel text, data, heap, stacks or metadata, and none lies in the kernel half.',
  because: 'user mode would read or write the kernel without a system call',
  judge: (context) => {
    const halves = kernelHalf(context, (mappings) => {
      const open = mappings.find(isUser);
      return open ? `the kernel half has U=1 at ${at(open)}` : null;
    });
    const spaces = eachChangedSpace(context, ({ root, added }) => {
      const wrong = eachFrame(added, (frame, mapping) =>
        isUser(mapping) && context.kernel.frameKind(frame) === 'kernel'
          ? `the space ${address(root)} maps kernel frame ${hex(frame)} with U=1 at ${at(mapping)}`
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
    const kernel = context.kernel.kernelRoot * 4096;
    /** The accessed and dirty bits are the processor's. */
    const differs = (root: number, index: number) =>
      ((ram.getUint32(root + index * 8, true) ^ ram.getUint32(kernel + index * 8, true)) & ~0x60) !== 0 ||
      ram.getUint32(root + index * 8 + 4, true) !== ram.getUint32(kernel + index * 8 + 4, true);
    /** Versions of roots when they were last compared with the kernel's, which had the version `kernelVersion`. */
    const compared = new Map<number, number>();
    let kernelVersion = -1;
    return {
      begin: () => compared.clear(),
      ...eachChangedSpace(context, ({ root, versions: [version = -1] }) => {
        const [kernelNow = -1] = context.spaces.kernelHalf?.versions ?? [];
        if (kernelNow !== kernelVersion) compared.clear();
        kernelVersion = kernelNow;
        if (compared.get(root) === version) return;
        compared.set(root, version);
        for (let index = 256; index < 512; index++)
          if (differs(root * 4096, index)) return context.fail(`entry ${index} of the root ${address(root)} differs from the kernel’s own`);
      }),
    };
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
      return eachFrame(mappings.filter(isWritable), (frame, mapping) =>
        executable.has(frame) ? `the kernel may execute frame ${hex(frame)} and write it at ${at(mapping)}` : null,
      );
    });
    const users = eachChangedSpace(context, ({ root, added }) => {
      const wrong = eachFrame(added, (frame, mapping) =>
        (isWritable(mapping) && spaces.executors(frame) > 0) || (isExecutable(mapping) && spaces.writers(frame) > 0)
          ? `the space ${address(root)} maps ${at(mapping)} to frame ${hex(frame)}, which user mode may both write and execute`
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
    eachChangedSpace(context, ({ root, added }) => {
      const { spaces, kernel } = context;
      const wrong = eachFrame(added, (frame, mapping) =>
        spaces.mappers(frame) > 1 && spaces.writers(frame) > 0 && kernel.frameKind(frame) !== 'shared'
          ? `frame ${hex(frame)} is mapped by ${spaces.mappers(frame)} leaves, ${address(root)} at ${at(mapping)} among them, and ${spaces.writers(frame)} may write`
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
      const { kernel, spaces } = context;
      for (const { frame: first, pages } of mappings)
        for (let frame = first; frame < first + pages; frame++) {
          const counted = kernel.frameCount(frame);
          const mapped = spaces.mappers(frame);
          if (counted < mapped) return context.fail(`frame ${hex(frame)} is mapped by ${mapped} leaves and counted ${counted} times`);
        }
    }),
});

export const guardsAreUnmapped = invariant({
  id: 'INV-13',
  title: 'Page 0 and the guard pages of kernel stacks are unmapped; at entry RSP lies in a kernel stack.',
  because: 'a null pointer or an overflowing stack reaches memory instead of faulting',
  judge: (context) => {
    const { stacks } = context.kernel;
    const first = pageOf(stacks.from);
    const end = pageOf(stacks.to);
    const stridePages = Number(stacks.stride >> 12n);
    const guardPages = Number(stacks.guardBytes >> 12n);
    const isGuard = ({ page }: Mapping) => page >= first && page < end && (page - first) % stridePages < guardPages;
    const guards = kernelHalf(context, (mappings) => {
      const mapped = mappings.find(isGuard);
      return mapped ? `the guard page ${at(mapped)} of a kernel stack is mapped` : null;
    });
    const pageZero = eachChangedSpace(context, ({ root, mappings }) => {
      if (mappings[0]?.page === 0) context.fail(`the space ${address(root)} maps page 0`);
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
