/**
 * Goes through the events of a block and tells who ran from where to where: in which address space, and at which privilege. What it knows at the end of
 * a block is where the next begins.
 */
import type { SkimmedEvents } from '../../replay/index.ts';
import { MOST_SPACES } from '../protocol.ts';
import { TAG } from './lanes.ts';

/** Who runs: the place of the address space in `Spaces`, and whether at CPL 3. */
export interface Running {
  readonly space: number;
  readonly isUser: boolean;
}

/** Address spaces by order of their first appearance, known by the low 32 bits of their root (RAM ends below 4 GiB). Those beyond MOST_SPACES share the last place. */
export class Spaces {
  readonly roots: number[] = [0];
  readonly #places = new Map<number, number>([[0, 0]]);

  placeOf(root: number): number {
    const known = this.#places.get(root);
    if (known !== undefined) return known;
    if (this.roots.length >= MOST_SPACES) return MOST_SPACES - 1;
    const place = this.roots.push(root) - 1;
    this.#places.set(root, place);
    return place;
  }
}

export interface Visitor {
  /** From instruction `from` on, up to `to`. Never empty. */
  span(from: number, to: number, space: number, isUser: boolean): void;
  /** Bit 7 of the tag is cleared. */
  event(at: number, tag: number, value: number): void;
}

/** Bit 7 of a skimmed tag: the event changes the privilege level, too. */
const ENTERED = 0x80;

/** Whether what enters the kernel is an instruction, which is still the program's. */
const isInstruction = (tag: number): boolean => tag === TAG.syscall || tag === TAG['software-interrupt'];

/** Tells a visitor what block `events` from `first` to `end` holds, and returns who runs at its end. */
export function passThrough(events: SkimmedEvents, first: number, end: number, start: Running, spaces: Spaces, visitor: Visitor): Running {
  let { space, isUser } = start;
  let from = first;
  const change = (at: number, toSpace: number, toUser: boolean): void => {
    if (toSpace === space && toUser === isUser) return;
    if (at > from) visitor.span(from, at, space, isUser);
    from = Math.max(at, from);
    space = toSpace;
    isUser = toUser;
  };
  const { count, tags, offsets, values } = events;
  for (let i = 0; i < count; i++) {
    const tagged = tags[i] ?? 0;
    const tag = tagged & ~ENTERED;
    const at = first + (offsets[i] ?? 0);
    const value = values[i] ?? 0;
    visitor.event(at, tag, value);
    switch (tag) {
      // What an instruction does holds for the next one; what is delivered in front of an instruction, for that one.
      case TAG['context-switch']:
        change(at + 1, spaces.placeOf(value), isUser);
        break;
      case TAG['enter-user']:
        change(at + 1, space, true);
        break;
      case TAG['enter-kernel']:
        change(isInstruction((tags[i - 1] ?? 0) & ~ENTERED) ? at + 1 : at, space, false);
        break;
      case TAG.sysret:
        if (tagged !== tag) change(at + 1, space, true);
        break;
      case TAG.syscall:
      case TAG['software-interrupt']:
      case TAG.irq:
      case TAG.exception:
        if (tagged !== tag) change(isInstruction(tag) ? at + 1 : at, space, false);
        break;
      default:
    }
  }
  if (end > from) visitor.span(from, end, space, isUser);
  return { space, isUser };
}
