/** Where a run failed, by how it ended. */
import { DEBUG_EXIT_PANIC, HARNESS_PANIC } from '../../kernel/abi/harness.ts';
import { stopText } from '../../machine/index.ts';
import type { Trace } from '../trace/reader.ts';
import type { EventFinder } from './event-finder.ts';

/** The position of the failure: of the kernel's panic where it told one, else the end of a run that ended badly; null: it did not fail. */
export function failureOf(trace: Trace, events: EventFinder): bigint | null {
  const isPanic = (event: { readonly kind: string; readonly command?: number }): boolean => event.command === HARNESS_PANIC;
  const panic = events.next({ kinds: ['harness'], matches: isPanic }, -1n);
  if (panic !== null) return panic.at;
  const stop = trace.end?.stop;
  switch (stop?.reason) {
    case 'triple-fault':
    case 'stuck':
    case 'init':
    case 'unsupported':
    case 'panic':
      return trace.instructions;
    case 'finished':
      return stop.status === 0 ? null : trace.instructions;
    case 'debug-exit':
      return stop.code === DEBUG_EXIT_PANIC ? trace.instructions : null;
    default:
      return null;
  }
}

/** How the run ended, for people. */
export function endingOf({ end, instructions }: Trace): string {
  if (end === null) return `the trace was cut at ${instructions}`;
  return `it ended with ${stopText(end.stop)} at ${end.at}`;
}
