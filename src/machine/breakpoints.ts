/** Where breakpoints stand, and which of them was told last: it is told once, however often the run comes back to it before the instruction begins. */
import type { Cpu } from './cpu/helpers/cpu.ts';
import { SEG } from './cpu/helpers/cpu.ts';
import { DELIVERIES, RIP } from './cpu/state.ts';
import type { Breakpoint } from './probes.ts';

export class Breakpoints {
  readonly #cpu: Cpu;
  /** By address: frames of root tables; null: any. */
  readonly #roots = new Map<bigint, Set<number> | null>();
  #told = { count: -1, rip: 0n, deliveries: 0 };

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  set(breakpoints: readonly Breakpoint[]): void {
    this.#roots.clear();
    for (const { address, root } of breakpoints) {
      const at = BigInt.asUintN(64, address);
      const roots = this.#roots.get(at);
      if (roots === null || root === undefined) this.#roots.set(at, null);
      else this.#roots.set(at, (roots ?? new Set()).add(Number(root >> 12n)));
    }
  }

  /** The state is another one. */
  forget(): void {
    this.#told = { count: -1, rip: 0n, deliveries: 0 };
  }

  get addresses(): Iterable<bigint> {
    return this.#roots.keys();
  }

  /** Tells the breakpoint at RIP, if there is one for this root that was not told. */
  tell(): void {
    const { state, mmu, observer, at } = this.#cpu;
    const rip = state.get64(RIP);
    const address = this.#cpu.linearOf(SEG.CS, rip);
    const roots = this.#roots.get(address);
    if (roots === undefined || (roots !== null && !(mmu.paging && roots.has(mmu.root)))) return;
    const { retired: count } = state;
    const deliveries = state.get32(DELIVERIES);
    const { count: toldCount, rip: toldRip, deliveries: toldDeliveries } = this.#told;
    if (toldCount === count && toldRip === rip && toldDeliveries === deliveries) return;
    this.#told = { count, rip, deliveries };
    observer?.breakpoint?.(at, address);
  }
}
