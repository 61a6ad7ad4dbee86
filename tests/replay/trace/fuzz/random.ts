/** Choices that come from a seed. */
import seedrandom from 'seedrandom';

export class Choices {
  readonly #random: seedrandom.PRNG;

  constructor(seed: string) {
    this.#random = seedrandom.alea(seed);
  }

  /** 0 … n − 1. */
  below(n: number): number {
    return Math.floor(this.#random.quick() * n);
  }

  chance(probability: number): boolean {
    return this.#random.quick() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }

  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    let left = this.below(names.reduce((sum, name) => sum + weights[name], 0));
    return names.find((name) => (left -= weights[name]) < 0) ?? this.pick(names);
  }

  byte(): number {
    return this.below(256);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.byte());
  }
}
