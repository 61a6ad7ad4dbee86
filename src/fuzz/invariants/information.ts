/** Invariants of information flow, judged by secrets: 64-bit words that only the victim was given. */
import { CAPTURE } from '../../machine/index.ts';
import { VICTIM_HARMED } from '../campaign/victim.ts';
import { addressOf, isUser, isWritable, linearOf } from './address-spaces.ts';
import { hex, invariant } from './invariant.ts';

export const freshFramesAreClean = invariant({
  id: 'INV-14',
  title: 'The first read of a fresh frame by user mode gives zero or the process’s own data.',
  because: 'memory of a process that has ended, or of the kernel, is handed to the next one',
  judge: (context) => {
    const { secrets } = context;
    const { ram } = context.machine;
    return {
      quiescent(at) {
        for (const { root, added, removed } of context.spaces.changes(at).spaces) {
          if (context.kernel.isVictim(root)) continue;
          for (const mapping of added) {
            const isFresh = !removed.some(({ page, frame }) => page === mapping.page && frame === mapping.frame);
            if (!isFresh || !isUser(mapping) || !isWritable(mapping)) continue;
            context.judged();
            const secret = secrets.findIn(ram, mapping.frame * 4096, 4096);
            if (secret === null) continue;
            return context.fail(
              `the fresh page ${hex(linearOf(mapping.page))} of the space ${hex(addressOf(root))} holds the victim’s secret ${hex(secret)}`,
            );
          }
        }
      },
    };
  },
});

export const secretsStayWithTheirOwner = invariant({
  id: 'INV-25',
  title: 'What a process observes does not depend on another’s secrets: none of its registers ever holds one.',
  because: 'a secret in a register is a secret told',
  judge: (context) => {
    const { secrets } = context;
    const { now } = context.threads;
    const words = new DataView(now.words.buffer);
    return {
      enterUser() {
        if (context.kernel.isVictim(context.machine.rootFrame)) return;
        context.judged();
        const secret = secrets.findIn(words, 0, 8 * CAPTURE.words);
        if (secret !== null)
          context.fail(`a process goes on with the victim’s secret ${hex(secret)} in its registers (word ${now.words.indexOf(secret)})`);
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
