/** Invariants of information flow, judged by secrets: 64-bit words that only the victim was given. */
import { CAPTURE } from '../../machine/index.ts';
import { VICTIM_HARMED } from '../campaign/victim.ts';
import { isUser, isWritable, linearOf } from './address-spaces.ts';
import { hex, invariant } from './invariant.ts';

export const freshFramesAreClean = invariant({
  id: 'INV-14',
  title: 'The first read of a fresh frame by user mode gives zero or the process’s own data.',
  because: 'memory of a process that has ended, or of the kernel, is handed to the next one',
  judge: (context) => {
    /** Frames that each root has been seen to map: a mapping that is not among them is fresh. */
    const known = new Map<bigint, Map<number, number>>();
    const secrets = new Set(context.secrets);
    let seen = -1;
    return {
      quiescent() {
        const generation = context.spaces.refresh();
        if (generation === seen) return;
        seen = generation;
        const live = new Map<bigint, Map<number, number>>();
        for (const { root, mappings } of context.spaces.users()) {
          const before = known.get(root);
          const now = new Map<number, number>();
          live.set(root, now);
          for (const mapping of mappings) {
            now.set(mapping.page, mapping.frame);
            const isFresh = before !== undefined && before.get(mapping.page) !== mapping.frame && isUser(mapping) && isWritable(mapping);
            if (!isFresh || root === context.kernel.victimRoot()) continue;
            context.judged();
            const words = new BigUint64Array(context.machine.readPhysical(BigInt(mapping.frame) << 12n, 4096).buffer);
            const found = words.findIndex((value) => secrets.has(value));
            if (found >= 0)
              context.fail(
                `the fresh page ${hex(linearOf(mapping.page))} of the space ${hex(root)} holds the victim’s secret ${hex(words[found] ?? 0n)}`,
              );
          }
        }
        known.clear();
        for (const [root, frames] of live) known.set(root, frames);
      },
    };
  },
});

export const secretsStayWithTheirOwner = invariant({
  id: 'INV-25',
  title: 'What a process observes does not depend on another’s secrets: none of its registers ever holds one.',
  because: 'a secret in a register is a secret told',
  judge: (context) => {
    const secrets = new Set(context.secrets);
    const capture = new BigUint64Array(CAPTURE.words);
    return {
      enterUser() {
        if ((context.machine.cr3 & 0x000f_ffff_ffff_f000n) === context.kernel.victimRoot()) return;
        context.machine.captureRegisters(capture);
        context.judged();
        const index = capture.findIndex((value) => secrets.has(value));
        if (index >= 0)
          context.fail(`a process goes on with the victim’s secret ${hex(capture[index] ?? 0n)} in its registers (word ${index})`);
      },
    };
  },
});

export const victimIsUnharmed = invariant({
  id: 'INV-26',
  title:
    'The bytes that a step changes lie within the authority of the running subject: the victim finds its memory, registers and pipe as it left them.',
  because: 'a program that can change another’s state needs no secret of it',
  judge: (context) => ({
    end({ reason, status }) {
      context.judged();
      if (reason === 'exit' && status === VICTIM_HARMED) context.fail('the victim found its own state changed');
    },
  }),
});
