/** Mnemonics for the encoder: every name and alias, with its encodings sorted by length. */
import { CONDITIONS } from './instructions/common.ts';
import type { Encoding, OperandCode } from './notation.ts';
import { encodings } from './table.ts';

/** Other names of the manual and of assemblers → the table's name. */
function aliases(): Map<string, string> {
  const all = new Map([
    ['SAL', 'SHL'],
    ['XLAT', 'XLATB'],
    ['LOOPZ', 'LOOPE'],
    ['LOOPNZ', 'LOOPNE'],
    ['FWAIT', 'WAIT'],
    ['MOVABS', 'MOV'],
    ['RETN', 'RET'],
    ['LRET', 'RETF'],
    ['LJMP', 'JMPF'],
    ['LCALL', 'CALLF'],
    ['ICEBP', 'INT1'],
    ['UD2A', 'UD2'],
    ['SYSRETL', 'SYSRET'],
  ]);
  for (const c of CONDITIONS)
    for (const a of c.aliases) for (const stem of ['J', 'SET', 'CMOV']) all.set(`${stem}${a}`, `${stem}${c.name}`);
  return all;
}

function immediateBytes(o: OperandCode): number {
  if (o.what === 'A') return 6;
  if (o.what !== 'I' && o.what !== 'sI' && o.what !== 'J') return 0;
  return o.size === 'b' ? 1 : o.size === 'w' ? 2 : 4;
}

/** Bytes of an encoding, without what all forms of one instruction share: an offset without ModRM is as long as a displacement. */
function cost(e: Encoding): number {
  const prefixes =
    (e.map === 0 ? 0 : e.map === 1 ? 1 : 2) +
    (e.vex ? 3 : 0) +
    (e.mandatory === '66' || e.mandatory === 'f3' || e.mandatory === 'f2' ? 1 : 0) +
    (e.w === 1 ? 1 : 0);
  return prefixes + 1 + (e.hasModrm ? 1 : 0) + e.operands.reduce((sum, o) => sum + immediateBytes(o), 0);
}

function byMnemonic(): ReadonlyMap<string, readonly Encoding[]> {
  const all = new Map<string, Encoding[]>();
  for (const e of encodings) {
    const list = all.get(e.row.name);
    if (list === undefined) all.set(e.row.name, [e]);
    else list.push(e);
  }
  // Assemblers say MOVSX for 32-bit sources too.
  all.get('MOVSX')?.push(...(all.get('MOVSXD') ?? []).filter((e) => e.operandSize !== 16));
  for (const list of all.values()) list.sort((a, b) => cost(a) - cost(b));
  for (const [alias, name] of aliases()) {
    const list = all.get(name);
    if (list !== undefined) all.set(alias, list);
  }
  for (const [name, list] of [...all]) all.set(name.toLowerCase(), list);
  return all;
}

/** Upper- and lower-case names and aliases → encodings, the shortest first. */
export const encodingsByMnemonic: ReadonlyMap<string, readonly Encoding[]> = byMnemonic();
