/** `.debug_frame`, DWARF 5 section 6.4: how to find a function's caller, from its frame rows. */
import { ByteWriter } from './byte-writer.ts';
import { dwarfRegister, type FrameRow } from './object.ts';
import type { PlacedAtom } from './place.ts';

const cfa = {
  nop: 0x00,
  advanceLoc1: 0x02,
  advanceLoc2: 0x03,
  advanceLoc4: 0x04,
  defCfa: 0x0c,
  advanceLoc: 0x40,
  offset: 0x80,
  restore: 0xc0,
} as const;
const dataAlignment = -8;
const pointerBytes = 8;

export function encodeFrames(atoms: readonly PlacedAtom[]): Uint8Array {
  const out = new ByteWriter(4096);
  const common = new ByteWriter();
  common.u32(0xffffffff).u8(4).string('').u8(pointerBytes).u8(0); // CIE id, version, augmentation, address size, segment size
  common.uleb(1).sleb(dataAlignment).uleb(dwarfRegister.rip);
  common.u8(cfa.defCfa).uleb(dwarfRegister.rsp).uleb(8);
  common.u8(cfa.offset | dwarfRegister.rip).uleb(1);
  entry(out, common);
  for (const { atom, address } of atoms) {
    if (atom.frames === undefined) continue;
    const description = new ByteWriter();
    description.u32(0).u64(address).u64(atom.size);
    encodeRows(description, atom.frames);
    entry(out, description);
  }
  return out.written;
}

/** An entry with its length in front, filled with no-operations to a multiple of the address size. */
function entry(out: ByteWriter, body: ByteWriter): void {
  while ((body.length + 4) % pointerBytes !== 0) body.u8(cfa.nop);
  out.u32(body.length).bytes(body.written);
}

function encodeRows(out: ByteWriter, rows: readonly FrameRow[]): void {
  let offset = 0;
  let base = 'rsp+8';
  let saved = new Map<number, number>();
  for (const row of rows) {
    advance(out, row.offset - offset);
    offset = row.offset;
    const key = `${row.cfa.register}+${row.cfa.offset}`;
    if (key !== base) out.u8(cfa.defCfa).uleb(dwarfRegister[row.cfa.register]).uleb(row.cfa.offset);
    base = key;
    const now = new Map<number, number>(row.saved.map(([register, at]) => [dwarfRegister[register], at]));
    for (const register of saved.keys()) if (!now.has(register)) out.u8(cfa.restore | register);
    for (const [register, at] of now) if (saved.get(register) !== at) out.u8(cfa.offset | register).uleb(at / dataAlignment);
    saved = now;
  }
}

function advance(out: ByteWriter, bytes: number): void {
  if (bytes === 0) return;
  if (bytes < 0x40) out.u8(cfa.advanceLoc | bytes);
  else if (bytes < 0x100) out.u8(cfa.advanceLoc1).u8(bytes);
  else if (bytes < 0x10000) out.u8(cfa.advanceLoc2).u16(bytes);
  else out.u8(cfa.advanceLoc4).u32(bytes);
}
