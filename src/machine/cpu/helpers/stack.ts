/** Reading several words from the stack without moving RSP: what IRET and far returns pop. */
import { isCanonical } from '../../memory/linear.ts';
import { READ } from '../../memory/mmu-control.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { GPR, SCRATCH, SEGMENT_BASE } from '../state.ts';
import { type Cpu, SEG } from './cpu.ts';
import { stackWidth } from './segments.ts';

const RSP = GPR + 8 * 4;

/** The words as pairs of 32-bit halves, zero-extended. One object is used again and again. */
export class StackWords {
  readonly low = new Int32Array(8);
  readonly high = new Int32Array(8);

  /** Reads `words` words of `size` bytes (2, 4, 8) from `skip` bytes above RSP. False: a fault is pending. */
  read(cpu: Cpu, words: number, size: number, skip: number): boolean {
    if (!cpu.is64) return this.#readLegacy(cpu, words, size, skip);
    const sum = (cpu.low(RSP) >>> 0) + skip;
    const low = sum | 0;
    const high = sum >= 2 ** 32 ? (cpu.high(RSP) + 1) | 0 : cpu.high(RSP);
    if (!isCanonical(high)) return fail(cpu);
    const { mmu } = cpu;
    const bytes = words * size;
    const from = size === 8 ? mmu.window(low, high, bytes, READ) : -1;
    if (from >= 0) {
      const { i32 } = mmu.physical;
      for (let i = 0; i < words; i++) {
        this.low[i] = i32[from + 2 * i] ?? 0;
        this.high[i] = i32[from + 2 * i + 1] ?? 0;
      }
      return true;
    }
    if ((low & 0xfff) + bytes <= 4096) {
      const address = mmu.translate(low, high, bytes, READ);
      if (address < 0) return false;
      mmu.watchpoints.access(low, high, bytes, READ, Math.floor(address / 4096));
      const { physical } = mmu;
      for (let i = 0; i < words; i++) {
        this.low[i] = physical.read(address + i * size, Math.min(size, 4));
        this.high[i] = size === 8 ? physical.read(address + i * 8 + 4, 4) : 0;
      }
      return true;
    }
    return this.#readEach(cpu, low, high, words, size);
  }

  /** SP wraps from word to word: they may lie on both ends of the segment. */
  #readLegacy(cpu: Cpu, words: number, size: number, skip: number): boolean {
    const width = stackWidth(cpu);
    const places = Array.from({ length: words }, (_, i) => BigInt.asUintN(width, cpu.gpr(4) + BigInt(skip + i * size)));
    if (places.some((sp) => cpu.checkedLinear(SEG.SS, sp, size, false) === null)) return false;
    const base = cpu.low(SEGMENT_BASE + 8 * SEG.SS);
    for (const [i, sp] of places.entries()) {
      if (!cpu.mmu.readScratch((base + Number(BigInt.asIntN(32, sp))) | 0, 0, size, READ)) return false;
      this.low[i] = cpu.low(SCRATCH);
      this.high[i] = cpu.high(SCRATCH);
    }
    return true;
  }

  #readEach(cpu: Cpu, low: number, high: number, words: number, size: number): boolean {
    for (let i = 0; i < words; i++) {
      const sum = (low >>> 0) + i * size;
      const carry = sum >= 2 ** 32 ? 1 : 0;
      if (!isCanonical(high + carry)) return fail(cpu);
      if (!cpu.mmu.readScratch(sum | 0, (high + carry) | 0, size, READ)) return false;
      this.low[i] = cpu.low(SCRATCH);
      this.high[i] = cpu.high(SCRATCH);
    }
    return true;
  }
}

function fail(cpu: Cpu): boolean {
  cpu.state.raise(VECTOR.SS, 0);
  return false;
}
