/** Invariants of the translation look-aside buffer: no translation outlives what it was made from. */
import { hex, invariant } from './invariant.ts';

export const changedEntriesAreInvalidated = invariant({
  id: 'INV-10',
  title: 'A changed page-table entry is invalidated before its stale translation is used again.',
  because: 'a process goes on reading or writing a frame that is somebody else’s by now',
  judge: (context) => ({
    tlbFlush: () => context.judged(),
    pageTableWrite: () => context.judged(),
    stale(_at, { linear, access, cpl, rip, used, now }) {
      context.judged();
      const rights = (view: { writable: boolean; user: boolean; executable: boolean }) =>
        `${view.writable ? 'w' : '-'}${view.executable ? 'x' : '-'}${view.user ? 'u' : '-'}`;
      const tables = now ? `frame ${hex(now.frame)} ${rights(now)}` : 'nothing';
      context.fail(
        `at CPL ${cpl}, RIP ${hex(rip)}, a stale translation of ${hex(linear)} is used to ${access}: frame ${hex(used.frame)} ${rights(used)}, where the tables map ${tables}`,
      );
    },
  }),
});

const PCID_MASK = 0xfffn;
const ROOT_MASK = 0x000f_ffff_ffff_f000n;
const NO_PCID = 0n;

export const pcidsAreNotShared = invariant({
  id: 'INV-12',
  title: 'A PCID is never live for two roots: its translations are dropped before another root takes it.',
  because: 'the second process would run on the first one’s translations',
  judge: (context) => {
    const rootOf = new Map<bigint, bigint>();
    return {
      begin: () => rootOf.clear(),
      tlbFlush(_at, kind, pcid) {
        if (kind === 'pcid') rootOf.delete(BigInt(pcid));
        else if (kind !== 'page') rootOf.clear();
      },
      controlRegister(_at, n, _before, after) {
        if (n !== 3) return;
        const pcid = after & PCID_MASK;
        const root = after & ROOT_MASK;
        if (pcid === NO_PCID) return;
        context.judged();
        const other = rootOf.get(pcid);
        if (other !== undefined && other !== root)
          context.fail(`PCID ${pcid} is taken by root ${hex(root)} with translations of root ${hex(other)} in it`);
        rootOf.set(pcid, root);
      },
    };
  },
});
