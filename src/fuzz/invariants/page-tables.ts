/** Invariants of page tables and memory: who maps what, and with which rights. All are judged from the tables as they lie in RAM. */
import { type AddressSpaces, isExecutable, isUser, isWritable, linearOf, type Mapping } from './address-spaces.ts';
import { type Context, hex, invariant, type Judgement } from './invariant.ts';

/** A judgement that looks at all mappings whenever a page table has changed, at the first quiescent moment after. */
function whenTablesChange(context: Context, check: (spaces: AddressSpaces) => void): Judgement {
  let seen = -1;
  return {
    quiescent() {
      const generation = context.spaces.refresh();
      if (generation === seen) return;
      seen = generation;
      check(context.spaces);
      context.judged();
    },
  };
}

const at = (mapping: Mapping): string => hex(linearOf(mapping.page));

export const leavesMapOwnFrames = invariant({
  id: 'INV-01',
  title: 'Every present leaf of a live address space maps a frame that user memory owns or that is declared shared.',
  because: 'a leaf to any other frame gives user mode the kernel, a page table or somebody else’s memory',
  judge: (context) =>
    whenTablesChange(context, (spaces) => {
      for (const { root, mappings } of spaces.users())
        for (const mapping of mappings)
          for (let i = 0; i < mapping.pages; i++) {
            const kind = context.kernel.frameKind(mapping.frame + i);
            if (kind !== 'user' && kind !== 'shared')
              return context.fail(`the space ${hex(root)} maps ${at(mapping)} to frame ${hex(mapping.frame + i)}, which is ${kind}`);
          }
    }),
});

export const tablesHaveOneParent = invariant({
  id: 'INV-03',
  title: 'A page table of the user half belongs to one address space, and is no mapped page.',
  because: 'a table with two parents lets one process edit the mappings of another',
  judge: (context) =>
    whenTablesChange(context, (spaces) => {
      const owner = new Map<number, bigint>();
      const kernelTables = new Set<number>();
      context.machine.walkTables(context.kernel.kernelRoot, (frame) => kernelTables.add(frame));
      for (const { root, tables } of spaces.users())
        for (const frame of tables) {
          if (kernelTables.has(frame)) continue;
          const other = owner.get(frame);
          if (other !== undefined) return context.fail(`the table in frame ${hex(frame)} hangs in ${hex(other)} and in ${hex(root)}`);
          owner.set(frame, root);
        }
    }),
});

export const kernelHalfIsSupervisor = invariant({
  id: 'INV-04',
  title: 'No leaf with U=1 maps kernel text, data, heap, stacks or metadata, and none lies in the kernel half.',
  because: 'user mode would read or write the kernel without a system call',
  judge: (context) =>
    whenTablesChange(context, (spaces) => {
      for (const mapping of spaces.kernelHalf) if (isUser(mapping)) return context.fail(`the kernel half has U=1 at ${at(mapping)}`);
      for (const { root, mappings } of spaces.users())
        for (const mapping of mappings)
          if (isUser(mapping) && context.kernel.frameKind(mapping.frame) === 'kernel')
            return context.fail(`the space ${hex(root)} maps kernel frame ${hex(mapping.frame)} with U=1 at ${at(mapping)}`);
    }),
});

export const kernelHalfIsTheSameEverywhere = invariant({
  id: 'INV-05',
  title: 'The kernel half is identical in every root.',
  because: 'a process with a kernel half of its own sees another kernel than the one that was judged',
  judge: (context) => {
    const half = (root: bigint) => {
      const entries = new BigUint64Array(context.machine.readPhysical(root + 2048n, 2048).buffer);
      return entries.map((entry) => entry & ~0x60n); // accessed and dirty bits are the processor's
    };
    return whenTablesChange(context, (spaces) => {
      const wanted = half(context.kernel.kernelRoot);
      for (const { root } of spaces.users()) {
        const differs = half(root).findIndex((entry, index) => entry !== wanted[index]);
        if (differs >= 0) return context.fail(`entry ${256 + differs} of the root ${hex(root)} differs from the kernel’s own`);
      }
    });
  },
});

export const writableIsNotExecutable = invariant({
  id: 'INV-06',
  title: 'No page is writable and executable: in user space, or in kernel space, through one mapping or through two aliases.',
  because: 'who can write code that is executed needs no other bug',
  judge: (context) =>
    whenTablesChange(context, (spaces) => {
      const executable = new Map<number, string>();
      const judgeSet = (mappings: readonly Mapping[], where: string, both: (text: string) => void) => {
        for (const mapping of mappings) {
          if (isExecutable(mapping) && isWritable(mapping)) return both(`${where} maps ${at(mapping)} writable and executable`);
          if (isExecutable(mapping))
            for (let i = 0; i < mapping.pages; i++) executable.set(mapping.frame + i, `${where} at ${at(mapping)}`);
        }
        for (const mapping of mappings)
          if (isWritable(mapping))
            for (let i = 0; i < mapping.pages; i++) {
              const alias = executable.get(mapping.frame + i);
              if (alias)
                return both(`frame ${hex(mapping.frame + i)} is executable by ${alias} and writable by ${where} at ${at(mapping)}`);
            }
      };
      judgeSet(spaces.kernelHalf, 'the kernel', context.fail);
      executable.clear();
      for (const { root, mappings } of spaces.users()) judgeSet(mappings.filter(isUser), `the space ${hex(root)}`, context.fail);
    }),
});

export const sharedFramesAreReadOnly = invariant({
  id: 'INV-08',
  title: 'Copy-on-write: a frame that several address spaces map privately is read-only in all of them.',
  because: 'a write by one process changes the memory of another',
  judge: (context) =>
    whenTablesChange(context, (spaces) => {
      const users = new Map<number, { root: bigint; mapping: Mapping }>();
      for (const { root, mappings } of spaces.users())
        for (const mapping of mappings)
          for (let i = 0; i < mapping.pages; i++) {
            const frame = mapping.frame + i;
            const other = users.get(frame);
            if (other === undefined) users.set(frame, { root, mapping });
            else if ((isWritable(mapping) || isWritable(other.mapping)) && context.kernel.frameKind(frame) !== 'shared')
              return context.fail(
                `frame ${hex(frame)} is mapped by ${hex(other.root)} at ${at(other.mapping)} and by ${hex(root)} at ${at(mapping)}, and one may write`,
              );
          }
    }),
});

export const framesAreCounted = invariant({
  id: 'INV-09',
  title: 'A frame’s count is at least the number of leaves that map it; a free frame is mapped nowhere.',
  because: 'a frame that is freed while it is mapped is given to the next process with this one still looking on',
  judge: (context) =>
    whenTablesChange(context, (spaces) => {
      const leaves = new Map<number, number>();
      for (const { mappings } of spaces.users())
        for (const { frame, pages } of mappings) for (let i = 0; i < pages; i++) leaves.set(frame + i, (leaves.get(frame + i) ?? 0) + 1);
      for (const [frame, count] of leaves) {
        const counted = context.kernel.frameCount(frame);
        if (counted < count) return context.fail(`frame ${hex(frame)} is mapped by ${count} leaves and counted ${counted} times`);
      }
    }),
});

export const guardsAreUnmapped = invariant({
  id: 'INV-13',
  title: 'Page 0 and the guard pages of kernel stacks are unmapped; at entry RSP lies in a kernel stack.',
  because: 'a null pointer or an overflowing stack reaches memory instead of faulting',
  judge: (context) => {
    const { stacks } = context.kernel;
    const tables = whenTablesChange(context, (spaces) => {
      for (const { root, mappings } of spaces.users())
        if (mappings[0]?.page === 0) return context.fail(`the space ${hex(root)} maps page 0`);
      for (const mapping of spaces.kernelHalf) {
        const from = linearOf(mapping.page);
        if (from < stacks.from || from >= stacks.to) continue;
        if ((from - stacks.from) % stacks.stride < stacks.guardBytes)
          return context.fail(`the guard page ${at(mapping)} of a kernel stack is mapped`);
      }
    });
    return {
      ...tables,
      enterKernel() {
        const rsp = context.machine.register(4);
        context.judged();
        if (rsp <= stacks.from || rsp > stacks.to)
          context.fail(`the kernel is entered with RSP ${hex(rsp)}, outside of every kernel stack`);
      },
    };
  },
});
