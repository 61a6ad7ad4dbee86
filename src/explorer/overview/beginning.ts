/** Who runs where a trace begins. The events of a branch do not say it, its first checkpoint does. */
import { UserError } from '../../machine/index.ts';
import { Player, type Trace } from '../../replay/index.ts';

export interface Beginning {
  /** The physical address of the page tables, which lies below 4 GiB; 0: the machine was started there. */
  readonly root: number;
  readonly isUser: boolean;
}

const STARTED: Beginning = { root: 0, isUser: false };

export async function beginningOf(trace: Trace): Promise<Beginning> {
  if (trace.header.branch === null) return STARTED;
  try {
    const { machine } = await Player.open(trace);
    return { root: Number(machine.cr3 & 0xffff_f000n), isUser: machine.cpl === 3 };
  } catch (error) {
    // What cannot be played can still be shown.
    if (error instanceof UserError) return STARTED;
    throw error;
  }
}
