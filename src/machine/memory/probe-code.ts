/**
 * What slow paths ask of watchpoints (watchpoints.ts): which of a page's entries must be guarded, and whether an access is to be told. Most slow accesses are
 * to pages that nobody watches: a flag of the frame and a bit of the linear page decide that here; TypeScript knows exactly.
 */
import { MMU } from '../cpu/state.ts';
import { type CodeModule, I32, type Routine } from '../translator/code.ts';
import { FRAME, PROBED } from './frames.ts';
import { KIND, MMU_CONTROL } from './mmu-control.ts';

/** What it leaves to TypeScript: (low, high) → bits of KIND for a linear page, and (low, high, size, kind, frame) of an access within a page. */
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
  const flagsOf = (frame: I32): I32 =>
    flags
      .add(frame.where(frame.ltU(frames), 0))
      .load8()
      .where(frame.ltU(frames), I32.of(0));
  const mayBe = (low: I32): I32 => base.load64(MMU.probedPages).shrU(low.shrU(12).and(63).unsigned64).low.has(1);

  const probedKinds = module.define(null, ['i32', 'i32', 'i32'], 'i32', (code, [low, high, frame]) => {
    code.if(isOff, () => code.return(0));
    const kinds = code.var32(flagsOf(frame).has(FRAME.probedRead).mul(KIND.read).or(flagsOf(frame).has(FRAME.probedWrite).mul(KIND.write)));
    code.rarely(mayBe(low), () => kinds.set(kinds.or(probedPage(low, high))));
    code.return(kinds);
  });

  const tellAccess = module.define(null, ['i32', 'i32', 'i32', 'i32', 'i32'], null, (code, [low, high, size, kind, frame]) => {
    code.if(isOff, () => code.return());
    code.rarely(mayBe(low).or(flagsOf(frame).has(PROBED)), () => code.do(probed(low, high, size, kind, frame)));
  });
  return { probedKinds, tellAccess };
}
