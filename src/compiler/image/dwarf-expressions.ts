/** Where values are, as DWARF says it: location expressions and `.debug_loclists` (DWARF 5, sections 2.5, 2.6 and 7.7). */
import { ByteWriter } from './byte-writer.ts';
import type { Piece, VariablePlace } from './debug-info.ts';

const op = { addr: 0x03, reg0: 0x50, regx: 0x90, fbreg: 0x91, piece: 0x93, implicitValue: 0x9e, stackValue: 0x9f } as const;
const listEntry = { endOfList: 0x00, startLength: 0x08 } as const;
const registersWithAnOpcode = 32;

/** The address of a symbol; null: it is not in the image. */
export type AddressOf = (symbol: string) => number | null;

/** A value in parts; what of `bytes` they leave is padding. Empty if nothing of it is anywhere. */
export function encodeParts(parts: VariablePlace['parts'], bytes: number, addressOf: AddressOf): Uint8Array {
  const out = new ByteWriter(16);
  const encoded = parts.map((part) => (part.piece === null ? none : encodePiece(part.piece, Math.min(part.bytes, bytes), addressOf)));
  const covered = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (encoded.every((each) => each.length === 0)) return none;
  if (encoded.length === 1 && covered >= bytes) return encoded[0] ?? none;
  for (const [k, part] of parts.entries())
    out
      .bytes(encoded[k] ?? none)
      .u8(op.piece)
      .uleb(part.bytes);
  if (covered < bytes) out.u8(op.piece).uleb(bytes - covered);
  return out.written;
}

const none = new Uint8Array(0);

function encodePiece(piece: Piece, bytes: number, addressOf: AddressOf): Uint8Array {
  const out = new ByteWriter(16);
  switch (piece.kind) {
    case 'register':
      if (piece.register < registersWithAnOpcode) out.u8(op.reg0 + piece.register);
      else out.u8(op.regx).uleb(piece.register);
      break;
    case 'frame':
      out.u8(op.fbreg).sleb(piece.offset);
      break;
    case 'frame-address':
      out.u8(op.fbreg).sleb(piece.offset).u8(op.stackValue);
      break;
    case 'constant':
      out.u8(op.implicitValue).uleb(bytes);
      for (let rest = piece.value, n = 0; n < bytes; n++, rest >>= 8n) out.u8(Number(rest & 0xffn));
      break;
    case 'address': {
      const address = addressOf(piece.symbol);
      if (address !== null)
        out
          .u8(op.addr)
          .u64(address + piece.addend)
          .u8(op.stackValue);
    }
  }
  return out.written;
}

export function encodeAddress(address: number): Uint8Array {
  return new ByteWriter(16).u8(op.addr).u64(address).written;
}

/** `.debug_loclists`: a header and the lists, which entries find by their offset. */
export class LocationLists {
  readonly #out = new ByteWriter(4096);
  isEmpty = true;

  constructor() {
    this.#out.u32(0).u16(5).u8(8).u8(0).u32(0);
  }

  /**
   * @param base address of the function's atom
   * @returns where the list is; null if it would be empty
   */
  add(places: readonly VariablePlace[], bytes: number, base: number, addressOf: AddressOf): number | null {
    const offset = this.#out.length;
    for (const { from, to, parts } of places) {
      const expression = encodeParts(parts, bytes, addressOf);
      if (expression.length === 0) continue;
      this.#out
        .u8(listEntry.startLength)
        .u64(base + from)
        .uleb(to - from);
      this.#out.uleb(expression.length).bytes(expression);
    }
    if (this.#out.length === offset) return null;
    this.#out.u8(listEntry.endOfList);
    this.isEmpty = false;
    return offset;
  }

  get bytes(): Uint8Array {
    this.#out.patchU32(0, this.#out.length - 4);
    return this.#out.written;
  }
}

/** `.debug_rnglists`: the same for ranges of addresses. */
export class RangeLists {
  readonly #out = new ByteWriter(1024);

  constructor() {
    this.#out.u32(0).u16(5).u8(8).u8(0).u32(0);
  }

  add(ranges: readonly { readonly address: number; readonly size: number }[]): number {
    const offset = this.#out.length;
    for (const { address, size } of ranges) this.#out.u8(rangeEntry.startLength).u64(address).uleb(size);
    this.#out.u8(rangeEntry.endOfList);
    return offset;
  }

  get bytes(): Uint8Array {
    this.#out.patchU32(0, this.#out.length - 4);
    return this.#out.written;
  }
}

const rangeEntry = { endOfList: 0x00, startLength: 0x07 } as const;
