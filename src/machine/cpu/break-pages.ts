/** Breakpoints by linear page: code with breakpoints is other code (code-pages.ts), whose instructions there are led up to by an entry of their own. */

/** Offsets in a page; the same object for the same offsets. */
export interface Breaks {
  readonly number: number;
  readonly offsets: ReadonlySet<number>;
}

export const NO_BREAKS: Breaks = { number: 0, offsets: new Set() };

export class BreakPages {
  readonly #known = new Map<string, Breaks>();
  #pages = new Map<number, Breaks>();

  /** Linear addresses, from now on. */
  set(addresses: Iterable<bigint>): void {
    const offsets = new Map<number, number[]>();
    for (const address of addresses) {
      const page = Number(address >> 12n);
      const list = offsets.get(page);
      if (list === undefined) offsets.set(page, [Number(address & 0xfffn)]);
      else list.push(Number(address & 0xfffn));
    }
    this.#pages = new Map([...offsets].map(([page, list]) => [page, this.#breaks(list.sort((a, b) => a - b))]));
  }

  /** Of the page of a linear address, given by its unsigned halves. */
  of(low: number, high: number): Breaks {
    return this.#pages.size === 0 ? NO_BREAKS : (this.#pages.get(high * 0x10_0000 + (low >>> 12)) ?? NO_BREAKS);
  }

  #breaks(offsets: readonly number[]): Breaks {
    const key = offsets.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const breaks = { number: this.#known.size + 1, offsets: new Set(offsets) };
    this.#known.set(key, breaks);
    return breaks;
  }
}
