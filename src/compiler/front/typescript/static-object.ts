/** The bytes of a static object while they are written, and how they become data of the IR. */

import type { Relocation } from '../../image/object.ts';
import type { Program } from './context.ts';

export class StaticObject {
  readonly symbol: string;
  readonly size: number;
  readonly align: number;
  bytes: Uint8Array | null = null;
  relocations: Relocation[] = [];
  /** Code writes to it, so it is not read-only. */
  hasCode = false;

  constructor(symbol: string, size: number, align: number) {
    this.symbol = symbol;
    this.size = size;
    this.align = align;
  }

  write(offset: number, bytes: number, value: bigint): void {
    if (value === 0n && this.bytes === null) return;
    this.bytes ??= new Uint8Array(this.size);
    for (let i = 0; i < bytes; i++) this.bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }

  float(offset: number, value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, true);
    this.write(offset, 8, view.getBigUint64(0, true));
  }

  address(offset: number, symbol: string, addend: number): void {
    this.bytes ??= new Uint8Array(this.size);
    this.relocations.push({ kind: 'abs64', offset, symbol, addend });
  }

  /** Back to zero. */
  clear(offset: number, size: number): void {
    this.bytes?.fill(0, offset, offset + size);
    this.relocations = this.relocations.filter((r) => r.offset < offset || r.offset >= offset + size);
  }

  /** Repeats what stands at `offset` for `count` elements in all. */
  repeat(offset: number, size: number, count: number): void {
    if (this.bytes === null) return;
    const own = this.relocations.filter((r) => r.offset >= offset && r.offset < offset + size);
    for (let i = 1; i < count; i++) {
      this.bytes.copyWithin(offset + i * size, offset, offset + size);
      for (const r of own) this.relocations.push({ ...r, offset: r.offset + i * size });
    }
  }
}

/** Hands the object over: read-only if nothing may or does write to it, without bytes if they are all zero. */
export function emit(p: Program, o: StaticObject, isReadonly: boolean, section: string | undefined, exported: boolean): void {
  const isZero = o.relocations.length === 0 && (o.bytes === null || o.bytes.every((b) => b === 0));
  const kind = isReadonly && !o.hasCode ? 'rodata' : isZero ? 'bss' : 'data';
  p.ir.data.push({
    symbol: o.symbol,
    section: section ?? `.${kind}`,
    kind,
    align: o.align,
    size: Math.max(1, o.size),
    bytes: kind === 'bss' ? null : (o.bytes ?? new Uint8Array(Math.max(1, o.size))),
    relocations: [...o.relocations].sort((a, b) => a.offset - b.offset),
    exported,
  });
}
