/** What a chain of copies is made of, for people and programs. */
import type { InstructionView } from '../step.ts';

/** Where bytes lie. */
export type Place =
  | {
      readonly kind: 'memory';
      readonly physical: bigint;
      /** By which address they were written; null: by physical address. */
      readonly linear: bigint | null;
      readonly length: number;
      /** `keel:scheduler+0x8`; null: no symbol is known there. */
      readonly name: string | null;
    }
  | { readonly kind: 'register'; readonly name: string; readonly low: number; readonly length: number };

/** Who put them there. `boot`: nobody, they are what the machine began with. `beyond`: it was not looked for. */
export type Writer = 'instruction' | 'delivery' | 'page-walk' | 'cpu' | 'input' | 'device' | 'boot' | 'beyond';

export interface Link {
  readonly place: Place;
  readonly by: Writer;
  /** Position of the write; null for `boot` and `beyond`. */
  readonly at: bigint | null;
  readonly instruction: InstructionView | null;
  /** `kernel`, `pid 17 hello`; null: not known. */
  readonly process: string | null;
  /** What the place held before, of memory; null: not known. */
  readonly before: Uint8Array | null;
  /** What it held after. */
  readonly after: Uint8Array;
  /** Where the value ends: an immediate, a computation, an input …; null: all of it is in `sources`. */
  readonly end: string | null;
  readonly sources: readonly Source[];
}

export interface Source {
  /** `copied`: these bytes were moved. `computed`: the value hangs on them. */
  readonly how: 'copied' | 'computed';
  /** Which bytes of the link's value: the lowest, and how many. */
  readonly low: number;
  readonly length: number;
  readonly link: Link;
}
