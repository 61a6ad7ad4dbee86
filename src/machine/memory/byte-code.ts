/** Moving bytes between RAM and SCRATCH, as parts of generated code. */
import type { Code, I32, Var32 } from '../translator/code.ts';

/** Copies words of 8 bytes, from the last to the first. */
export function copyWords(code: Code, from: I32, fromOffset: number, to: I32, toOffset: number, size: I32): void {
  const left = code.var32(size);
  code.loop((leave) => {
    code.if(left.isZero, leave);
    left.set(left.sub(8));
    code.store64(to.add(left), toOffset, from.add(left).load64(fromOffset));
  });
}

/** Eight bytes at a time, then one by one. */
export function inPieces(code: Code, from: Var32, to: I32, size: Var32, copy: (source: Var32, target: Var32, bytes: 8 | 1) => void): void {
  const target = code.var32(to);
  const left = code.var32(size);
  for (const bytes of [8, 1] as const) {
    code.loop((leave) => {
      code.if(left.ltU(bytes), leave);
      copy(from, target, bytes);
      from.set(from.add(bytes));
      target.set(target.add(bytes));
      left.set(left.sub(bytes));
    });
  }
}
