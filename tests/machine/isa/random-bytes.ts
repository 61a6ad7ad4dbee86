/** Random instruction bytes that meet every encoding of the table: prefixes, a skeleton of some encoding or plain noise, then noise. */
import seedrandom from 'seedrandom';
import type { Mode } from '../../../src/machine/isa/operands.ts';
import { encodings } from '../../../src/machine/isa/table.ts';

const PREFIXES = [0x66, 0xf2, 0xf3, 0x67, 0x64, 0x65, 0x2e, 0xf0, 0x36, 0x26];

export class RandomBytes {
  private readonly random: () => number;

  constructor(seed: string) {
    this.random = seedrandom(seed);
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  mode(): Mode {
    return ([64, 64, 32, 16] as const)[this.below(4)] ?? 64;
  }

  /** 16 bytes. */
  next(mode: Mode): Uint8Array {
    const b: number[] = [];
    while (this.below(3) === 0) b.push(PREFIXES[this.below(PREFIXES.length)] ?? 0x66);
    const start = this.below(4);
    if (start < 2) this.skeleton(b, mode);
    else if (start === 2) b.push(0x0f);
    while (b.length < 16) b.push(this.below(3) > 0 ? this.below(256) : this.below(2) === 0 ? 0 : 0xff);
    return Uint8Array.from(b.slice(0, 16));
  }

  private skeleton(b: number[], mode: Mode): void {
    const e = encodings[this.below(encodings.length)];
    if (e === undefined) return;
    if (e.vex) {
      b.length = 0;
      const pp = ['np', '66', 'f3', 'f2'].indexOf(e.mandatory);
      b.push(0xc4, (this.below(8) << 5) | e.map, (this.below(2) << 7) | (this.below(4) === 0 ? this.below(16) << 3 : 0x78) | pp);
    } else {
      if (e.mandatory === '66') b.push(0x66);
      if (e.mandatory === 'f3') b.push(0xf3);
      if (e.mandatory === 'f2') b.push(0xf2);
      if ((mode === 64 && this.below(2) === 0) || e.w === 1) b.push(0x40 | this.below(16) | (e.w === 1 ? 8 : 0));
      if (e.map !== 0) b.push(0x0f);
      if (e.map > 1) b.push(e.map === 2 ? 0x38 : 0x3a);
    }
    b.push(e.opcode + (e.plusR ? this.below(8) : 0));
    if (e.fixedModrm >= 0 && this.below(2) === 0) b.push(e.fixedModrm);
    else if (e.hasModrm)
      b.push((this.below(4) << 6) | ((e.digit >= 0 && this.below(2) === 0 ? e.digit : this.below(8)) << 3) | this.below(8));
  }
}
