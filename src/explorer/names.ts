/** The thread that says who had an address space: it plays the trace to the switches that led there (replay/processes.ts), beside the machine of the moment. */
import { Bug } from '../machine/index.ts';
import { Processes, type Trace } from '../replay/index.ts';
import { beginningOf } from './overview/beginning.ts';
import { TAG } from './overview/lanes.ts';
import type { NameView } from './protocol.ts';
import type { Desk, ThreadRequest } from './thread.ts';

interface NameQuery {
  /** The root, and where to look for the last switch to it. */
  readonly root: string;
  readonly from: number;
  readonly to: number;
}

/** Blocks that are looked into for a switch. */
const MOST_BLOCKS = 64;
const SWITCHES = 1n << BigInt(TAG['context-switch']);

export class NamesDesk implements Desk {
  readonly #trace: Trace;
  readonly #processes: Processes | null;
  /** The page tables with which the trace begins. */
  readonly #began: number;
  readonly #known = new Map<bigint, string | null>();

  private constructor(trace: Trace, processes: Processes | null, began: number) {
    this.#began = began;
    this.#trace = trace;
    this.#processes = processes;
  }

  static async open(trace: Trace): Promise<NamesDesk> {
    return new NamesDesk(trace, await Processes.open(trace), (await beginningOf(trace)).root);
  }

  answer({ operation, query }: ThreadRequest, isCancelled: () => boolean): Promise<unknown> {
    if (operation !== 'name') return Promise.reject(new Bug(`no operation ${operation}`));
    return Promise.resolve(this.#name(query as unknown as NameQuery, isCancelled));
  }

  #name({ root, from, to }: NameQuery, isCancelled: () => boolean): NameView {
    const nobody = { root, name: null };
    const trace = this.#trace;
    if (this.#processes === null || trace.runs === 0) return nobody;
    const wanted = BigInt(root);
    const last = trace.runAt(BigInt(to));
    for (let run = last; run >= 0 && run > last - MOST_BLOCKS && !isCancelled(); run--) {
      const event = trace.events(run, SWITCHES).findLast((each) => each.kind === 'context-switch' && each.to === wanted && each.at < to);
      if (event?.kind === 'context-switch') {
        if (!this.#known.has(event.at)) this.#known.set(event.at, this.#processes.around(event).to);
        return { root, name: this.#known.get(event.at) ?? null };
      }
      if (trace.firstOf(run) < from) break;
    }
    const isOfBeginning = last < MOST_BLOCKS && trace.runAt(BigInt(from)) === 0 && wanted === BigInt(this.#began);
    return isOfBeginning && trace.header.branch !== null ? { root, name: this.#processes.at(trace.start) } : nobody;
  }
}
