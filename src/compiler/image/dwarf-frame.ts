/** `.debug_frame`, DWARF 5 section 6.4: how to find a function's caller, from its frame rows. */
import { ByteWriter } from './byte-writer.ts';
import { type DwarfRegisterName, dwarfRegister, type FrameRow, type FrameRule } from './object.ts';
import type { PlacedAtom } from './place.ts';

const cfa = {
  nop: 0x00,
  advanceLoc1: 0x02,
  advanceLoc2: 0x03,
  advanceLoc4: 0x04,
  undefined: 0x07,
  register: 0x09,
  defCfa: 0x0c,
  advanceLoc: 0x40,
  offset: 0x80,
  restore: 0xc0,
} as const;
const dataAlignment = -8;
const pointerBytes = 8;

/** Registers that a called function may change: of its caller's nobody knows them. */
const callerSaved: readonly DwarfRegisterName[] = ['rax', 'rdx', 'rcx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11'];

export function encodeFrames(atoms: readonly PlacedAtom[]): Uint8Array {
  const out = new ByteWriter(4096);
  const called = out.length;
  entry(out, commonEntry('', callerSaved));
  const descriptions = atoms.flatMap(({ atom, address }) => (atom.frames ?? []).map((frames) => ({ frames, address })));
  const interrupted = out.length;
  if (descriptions.some(({ frames }) => frames.isSignal)) entry(out, commonEntry('zS', []));
  for (const { frames, address } of descriptions) {
    const { from, to, isSignal, rows } = frames;
    if (to <= from) continue;
    const description = new ByteWriter();
    description
      .u32(isSignal ? interrupted : called)
      .u64(address + from)
      .u64(to - from);
    if (isSignal) description.uleb(0); // no augmentation data
    encodeRows(description, from, rows);
    entry(out, description);
  }
  return out.written;
}

/** CIE: id, version, augmentation, address size, segment size. */
function commonEntry(augmentation: string, lost: readonly DwarfRegisterName[]): ByteWriter {
  const common = new ByteWriter();
  common.u32(0xffffffff).u8(4).string(augmentation).u8(pointerBytes).u8(0);
  common.uleb(1).sleb(dataAlignment).uleb(dwarfRegister.rip);
  if (augmentation !== '') common.uleb(0);
  common.u8(cfa.defCfa).uleb(dwarfRegister.rsp).uleb(8);
  common.u8(cfa.offset | dwarfRegister.rip).uleb(1);
  for (const register of lost) common.u8(cfa.undefined).uleb(dwarfRegister[register]);
  return common;
}

/** An entry with its length in front, filled with no-operations to a multiple of the address size. */
function entry(out: ByteWriter, body: ByteWriter): void {
  while ((body.length + 4) % pointerBytes !== 0) body.u8(cfa.nop);
  out.u32(body.length).bytes(body.written);
}

function encodeRows(out: ByteWriter, from: number, rows: readonly FrameRow[]): void {
  let offset = from;
  let base = 'rsp+8';
  let before = new Map<DwarfRegisterName, string>();
  for (const row of rows) {
    advance(out, row.offset - offset);
    offset = row.offset;
    const key = `${row.cfa.register}+${row.cfa.offset}`;
    if (key !== base) out.u8(cfa.defCfa).uleb(dwarfRegister[row.cfa.register]).uleb(row.cfa.offset);
    base = key;
    const now = new Map<DwarfRegisterName, string>();
    for (const [register, rule] of row.rules) now.set(register, JSON.stringify(rule));
    for (const register of before.keys()) if (!now.has(register)) out.u8(cfa.restore | dwarfRegister[register]);
    for (const [register, rule] of row.rules)
      if (before.get(register) !== now.get(register)) encodeRule(out, dwarfRegister[register], rule);
    before = now;
  }
}

function encodeRule(out: ByteWriter, register: number, rule: FrameRule): void {
  if (rule.kind === 'saved') out.u8(cfa.offset | register).uleb(rule.offset / dataAlignment);
  else if (rule.kind === 'register') out.u8(cfa.register).uleb(register).uleb(dwarfRegister[rule.register]);
  else out.u8(cfa.undefined).uleb(register);
}

function advance(out: ByteWriter, bytes: number): void {
  if (bytes === 0) return;
  if (bytes < 0x40) out.u8(cfa.advanceLoc | bytes);
  else if (bytes < 0x100) out.u8(cfa.advanceLoc1).u8(bytes);
  else if (bytes < 0x10000) out.u8(cfa.advanceLoc2).u16(bytes);
  else out.u8(cfa.advanceLoc4).u32(bytes);
}
