/** The thread that says who wrote a byte, and what it was copied from (replay/who): it has an index beside the trace, built at the first question, and a machine of its own. */
import { Bug, UserError } from '../machine/index.ts';
import { hexOf, type Link, placeName, type Trace, Who } from '../replay/index.ts';
import { lineOf } from './moment/lines.ts';
import type { WriterLink, WriterView } from './protocol.ts';
import type { Desk, ThreadRequest } from './thread.ts';

export interface WhoQuery {
  readonly at: number;
  readonly space: 'linear' | 'physical';
  readonly address: string;
  readonly length: number;
}

/** How far copies are followed. */
const MOST_LINKS = 24;

export class WhoDesk implements Desk {
  readonly #who: Who;

  private constructor(who: Who) {
    this.#who = who;
  }

  static async open(trace: Trace, path: string): Promise<WhoDesk> {
    return new WhoDesk(await Who.open(trace, { path }));
  }

  answer({ operation, query }: ThreadRequest): Promise<unknown> {
    if (operation !== 'who') return Promise.reject(new Bug(`no operation ${operation}`));
    return Promise.resolve().then(() => this.#writer(query as unknown as WhoQuery));
  }

  #writer({ at, space, address, length }: WhoQuery): WriterView {
    const position = BigInt(at);
    if (position > this.#who.end) throw new UserError(`the trace ends at ${this.#who.end}; ${at} lies behind that`);
    const bytes = this.#who.resolve(space === 'physical' ? `phys:${address}` : address, { length, at: position, process: null });
    const links: WriterLink[] = [];
    for (const link of this.#who.chain(bytes, position, { links: MOST_LINKS })) flatten(link, null, 0, links);
    return { address, text: sentence(address, links[0]), links };
  }
}

/** A link, and those behind it one level deeper. */
function flatten(link: Link, how: WriterLink['how'], depth: number, into: WriterLink[]): void {
  const { place, by, at, instruction, process, before, after, end, sources } = link;
  into.push({
    depth,
    how,
    place: place.kind === 'memory' && place.name !== null ? `${placeName(place)} ${place.name}` : placeName(place),
    by,
    at: at === null ? null : Number(at),
    instruction: instruction === null ? null : lineOf(instruction),
    process,
    before: before === null ? null : hexOf(before),
    after: hexOf(after),
    end,
  });
  for (const source of sources) flatten(source.link, source.how, depth + 1, into);
}

function sentence(address: string, link: WriterLink | undefined): string {
  if (link === undefined || link.at === null) return `${address}: ${link?.end ?? 'nobody wrote it since the begin of the trace'}.`;
  const code =
    link.instruction === null ? (link.end ?? link.by) : `${link.instruction.text} in ${link.instruction.symbol ?? link.instruction.rip}`;
  return `Instruction ${link.at} wrote ${address}: ${link.before ?? '?'} became ${link.after}, by ${code}.`;
}
