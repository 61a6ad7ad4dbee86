/** What a region knows of its general registers as sums: which values are others plus a constant. See known-places.ts. */
import type { MemoryOperand } from '../isa/operands.ts';
import type { Address } from './known-places.ts';

/** Sums beyond are not followed: their differences would not be exact. */
const FARTHEST = 2 ** 40;
const REGISTERS = 16;

export type Origins = readonly (Address | null)[];

export class RegisterOrigins {
  /** By register; null: nothing has been asked of its present value. */
  #now: (Address | null)[] = new Array<Address | null>(REGISTERS).fill(null);
  #values = 0;

  /** At the point that is being emitted. */
  get now(): Origins {
    return [...this.#now];
  }

  set now(origins: Origins) {
    this.#now = [...origins];
  }

  /** Ways join: nothing is known. */
  forget(): void {
    this.#now.fill(null);
  }

  of(register: number): Address {
    return (this.#now[register] ??= { origin: `${this.#values++}`, plus: 0 });
  }

  /** The register gets a value; null: any. */
  set(register: number, value: Address | null): void {
    this.#now[register] = value;
  }

  /** The offset that a memory operand gives; `next`: the address of the next instruction relative to the region's page. */
  ofMemory(m: MemoryOperand, next: number): Address | null {
    if (m.addressSize !== 64) return null;
    const parts: string[] = m.ripRelative ? ['rip'] : [];
    let plus = Number(BigInt.asIntN(64, m.disp)) + (m.ripRelative ? next : 0);
    if (m.base >= 0) {
      const base = this.of(m.base);
      parts.push(base.origin);
      plus += base.plus;
    }
    if (m.index >= 0) {
      const index = this.of(m.index);
      parts.push(`${index.origin}*${m.scale}`);
      plus += m.scale * index.plus;
    }
    return sum(parts.join('+'), plus);
  }
}

/** The sum, if it is one to be followed. */
export function sum(origin: string, plus: number): Address | null {
  return Math.abs(plus) < FARTHEST ? { origin, plus } : null;
}
