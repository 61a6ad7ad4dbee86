/**
 * What slow paths ask of watchpoints (watchpoints.ts): which of a page's entries must be guarded, and whether an access is to be told. Most slow accesses are
 * to pages that nobody watches, or to other bytes: a flag of the frame, a bit of the linear page and the range of all watchpoints decide that here;
 * TypeScript knows exactly.
 */
import { MMU } from '../cpu/state.ts';
import { type Code, type CodeModule, I32, I64, type Routine } from '../translator/code.ts';
import { FRAME, PROBED } from './frames.ts';
import { KIND, MMU_CONTROL } from './mmu-control.ts';

/** What it leaves to TypeScript: (low, high) → bits of KIND that the software TLB must not serve of a linear page, and (low, high, size, kind, frame) of an access within a page. */
export type ProbeRare = Record<'probedPage' | 'probed', Routine>;

export interface ProbeRoutines {
  /** (low, high, frame) → bits of KIND: accesses that the software TLB must not serve. */
  readonly probedKinds: Routine;
  /** (low, high, size, kind of mmu-control.ts, frame): such an access is about to be made. */
  readonly tellAccess: Routine;
}

export const importProbeRare = (module: CodeModule): ProbeRare => ({
  probedPage: module.import('probedPage', ['i32', 'i32'], 'i32'),
  probed: module.import('probed', ['i32', 'i32', 'i32', 'i32', 'i32'], null),
});

export function defineProbes(
  module: CodeModule,
  { base, frames, flags }: Record<'base' | 'frames' | 'flags', I32>,
  { probedPage, probed }: ProbeRare,
): ProbeRoutines {
  const isOff = base.load32(MMU.control).lacks(MMU_CONTROL.probes);
  /** Outside of RAM every access is slow, and may be watched. */
  const flagsOf = (frame: I32): I32 =>
    flags
      .add(frame.where(frame.ltU(frames), 0))
      .load8()
      .where(frame.ltU(frames), I32.of(PROBED));
  const isWithin = (at: I64, size: I64, from: number, to: number): I32 => at.ltU(base.load64(to)).and(base.load64(from).ltU(at.add(size)));
  /** Whether bytes of linear memory may be watched. */
  const mayBe = (code: Code, low: I32, high: I32, size: I32): I32 => {
    const at = code.var64(I64.join(low, high.and(0xffff)));
    const bit = base.load64(MMU.probedPages).shrU(low.shrU(12).and(63).unsigned64).low.has(1);
    return bit.and(isWithin(at, size.unsigned64, MMU.probedFrom, MMU.probedTo));
  };

  const probedKinds = module.define(null, ['i32', 'i32', 'i32'], 'i32', (code, [low, high, frame]) => {
    code.if(isOff, () => code.return(0));
    const kinds = code.var32(flagsOf(frame).has(FRAME.probedRead).mul(KIND.read).or(flagsOf(frame).has(FRAME.probedWrite).mul(KIND.write)));
    code.rarely(mayBe(code, low.and(~0xfff), high, I32.of(4096)), () => kinds.set(kinds.or(probedPage(low, high))));
    code.return(kinds);
  });

  const tellAccess = module.define(null, ['i32', 'i32', 'i32', 'i32', 'i32'], null, (code, [low, high, size, kind, frame]) => {
    code.if(isOff, () => code.return());
    const physical = code.var64(frame.unsigned64.shl(12n).or(low.and(0xfff).unsigned64));
    const mayBeFrame = flagsOf(frame)
      .has(PROBED)
      .and(isWithin(physical, size.unsigned64, MMU.probedPhysicalFrom, MMU.probedPhysicalTo));
    code.rarely(mayBe(code, low, high, size).or(mayBeFrame), () => code.do(probed(low, high, size, kind, frame)));
  });
  return { probedKinds, tellAccess };
}
