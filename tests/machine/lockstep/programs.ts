/** Random programs for the whole PC in tier 0 and tier 1: see pc-program.ts for what happens in them. */
import { expect } from 'vitest';
import { Random } from '../cpu/interpreter-judge.ts';
import { tlbProgram } from '../system/tlb-random.ts';
import { judgeTiers } from './judge.ts';
import { type PcOptions, pcProgram } from './pc-program.ts';

const SEED = Number(process.env['SEED'] ?? 1);

/** Programs `from` … `to` − 1, every second with the path recorded, every fourth with addresses, too. Gives the number of instructions that were compared. */
export async function judgePrograms(from: number, to: number, options: PcOptions): Promise<number> {
  let instructions = 0;
  for (let n = from; n < to; n++) {
    const r = new Random(SEED * 1_000_000 + n);
    const judged = await judgeTiers(`seed ${SEED}, program ${n}`, pcProgram(r, options), r, {
      tier: 1,
      path: n % 2 === 1,
      addresses: n % 4 === 3,
    });
    instructions += judged.instructions;
  }
  return instructions;
}

/** Programs that edit page tables, in rounds, so that each runs compiled. */
export async function judgeTables(from: number, to: number): Promise<number> {
  let instructions = 0;
  for (let n = from; n < to; n++) {
    const r = new Random(SEED * 1_000_000 + n);
    const judged = await judgeTiers(`seed ${SEED}, tables ${n}`, tlbProgram(SEED * 1_000_000 + n, 12), r, {
      tier: 1,
      path: n % 2 === 1,
      addresses: n % 4 === 3,
    });
    expect(judged.text).not.toBe('');
    instructions += judged.instructions;
  }
  return instructions;
}
