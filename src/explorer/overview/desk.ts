/** The thread that knows the trace as it lies in the file, and executes nothing: tiles, spaces, events. */
import { setImmediate } from 'node:timers/promises';
import { Bug } from '../../machine/index.ts';
import type { Trace } from '../../replay/index.ts';
import { encodeTile, type SpacesInfo } from '../protocol.ts';
import type { Desk, ThreadRequest } from '../thread.ts';
import type { Beginning } from './beginning.ts';
import { type EventsQuery, eventsPage } from './events.ts';
import { Summary } from './summary.ts';

export class OverviewDesk implements Desk {
  readonly #trace: Trace;
  readonly #summary: Summary;
  /** What stopped the scan: told to everybody who asks. */
  #failure: unknown = null;

  constructor(trace: Trace, beginning: Beginning) {
    this.#trace = trace;
    this.#summary = new Summary(trace, beginning);
    void this.#scan();
  }

  /** Between blocks requests are answered. */
  async #scan(): Promise<void> {
    try {
      while (this.#summary.scanNext()) await setImmediate();
    } catch (error) {
      this.#failure = error;
    }
  }

  answer({ operation, query }: ThreadRequest): Promise<unknown> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    switch (operation) {
      case 'tile': {
        const { level, index } = query as { level: number; index: number };
        return Promise.resolve(encodeTile(this.#summary.tile(level, index)));
      }
      case 'spaces':
        return Promise.resolve(this.#spaces());
      case 'events':
        return Promise.resolve(eventsPage(this.#trace, query as unknown as EventsQuery));
      default:
        return Promise.reject(new Bug(`no operation ${operation}`));
    }
  }

  #spaces(): SpacesInfo {
    const { spaces, scanned, isComplete } = this.#summary;
    return { roots: spaces.roots.map((root) => `0x${root.toString(16)}`), scanned, isComplete };
  }
}
