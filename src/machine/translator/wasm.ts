/**
 * A small WebAssembly binary module builder: enough of the format for generated code, nothing more.
 *
 * Words: a *label* is an open block, loop or if; branches name labels, and the builder turns them into depths. Function bodies are
 * emitted instruction by instruction into one growing buffer; operands are on the Wasm stack as usual.
 *
 *     const m = new ModuleBuilder();
 *     m.importMemory('env', 'memory', 1);
 *     const f = m.func(m.type(['i32', 'i64'], ['i64']));       // all imports come before the first func()
 *     f.get(0); f.load('i64', 8); f.get(1); f.op(OP.i64.add);
 *     m.exportFunction('f', f);
 *     new WebAssembly.Module(m.build());
 *
 * It checks only what would otherwise give a wrong module silently (label order, imports after functions, unclosed blocks); the rest
 * WebAssembly's own validation finds.
 */
import { bug } from '../isa/bug.ts';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
const VALUE_TYPE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const VOID = 0x40;

/** One-byte instructions without immediates, by type. */
export const OP = {
  unreachable: 0x00,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  i32: {
    eqz: 0x45, eq: 0x46, ne: 0x47, lt_s: 0x48, lt_u: 0x49, gt_s: 0x4a, gt_u: 0x4b, le_s: 0x4c, le_u: 0x4d, ge_s: 0x4e, ge_u: 0x4f,
    clz: 0x67, ctz: 0x68, popcnt: 0x69, add: 0x6a, sub: 0x6b, mul: 0x6c, div_s: 0x6d, div_u: 0x6e, rem_s: 0x6f, rem_u: 0x70,
    and: 0x71, or: 0x72, xor: 0x73, shl: 0x74, shr_s: 0x75, shr_u: 0x76, rotl: 0x77, rotr: 0x78,
    wrap_i64: 0xa7, trunc_f64_s: 0xaa, extend8_s: 0xc0, extend16_s: 0xc1, reinterpret_f32: 0xbc,
  },
  i64: {
    eqz: 0x50, eq: 0x51, ne: 0x52, lt_s: 0x53, lt_u: 0x54, gt_s: 0x55, gt_u: 0x56, le_s: 0x57, le_u: 0x58, ge_s: 0x59, ge_u: 0x5a,
    clz: 0x79, ctz: 0x7a, popcnt: 0x7b, add: 0x7c, sub: 0x7d, mul: 0x7e, div_s: 0x7f, div_u: 0x80, rem_s: 0x81, rem_u: 0x82,
    and: 0x83, or: 0x84, xor: 0x85, shl: 0x86, shr_s: 0x87, shr_u: 0x88, rotl: 0x89, rotr: 0x8a,
    extend_i32_s: 0xac, extend_i32_u: 0xad, trunc_f64_s: 0xb0, extend8_s: 0xc2, extend16_s: 0xc3, extend32_s: 0xc4, reinterpret_f64: 0xbd,
  },
  f32: {
    eq: 0x5b, ne: 0x5c, lt: 0x5d, gt: 0x5e, abs: 0x8b, neg: 0x8c, sqrt: 0x91, add: 0x92, sub: 0x93, mul: 0x94, div: 0x95,
    convert_i32_s: 0xb2, convert_i64_s: 0xb4, demote_f64: 0xb6, reinterpret_i32: 0xbe,
  },
  f64: {
    eq: 0x61, ne: 0x62, lt: 0x63, gt: 0x64, le: 0x65, ge: 0x66, abs: 0x99, neg: 0x9a, sqrt: 0x9f, add: 0xa0, sub: 0xa1, mul: 0xa2, div: 0xa3,
    nearest: 0x9e, convert_i32_s: 0xb7, convert_i64_s: 0xb9, promote_f32: 0xbb, reinterpret_i64: 0xbf,
  },
} as const; // biome-ignore format: one line a group

/** Memory instructions: opcode and natural alignment (log2). */
const LOAD = {
  i32: [0x28, 2], i64: [0x29, 3], f32: [0x2a, 2], f64: [0x2b, 3],
  i32_8s: [0x2c, 0], i32_8u: [0x2d, 0], i32_16s: [0x2e, 1], i32_16u: [0x2f, 1],
  i64_8s: [0x30, 0], i64_8u: [0x31, 0], i64_16s: [0x32, 1], i64_16u: [0x33, 1], i64_32s: [0x34, 2], i64_32u: [0x35, 2],
} as const; // biome-ignore format: one line a group
const STORE = {
  i32: [0x36, 2], i64: [0x37, 3], f32: [0x38, 2], f64: [0x39, 3],
  i32_8: [0x3a, 0], i32_16: [0x3b, 1], i64_8: [0x3c, 0], i64_16: [0x3d, 1], i64_32: [0x3e, 2],
} as const; // biome-ignore format: one line a group
export type LoadKind = keyof typeof LOAD;
export type StoreKind = keyof typeof STORE;

/** Bytes with LEB128 writers; grows as needed. */
class Bytes {
  #data = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#data.length) this.#grow(1);
    this.#data[this.#length++] = value;
  }

  u32(value: number): void {
    let v = value >>> 0;
    while (v >= 0x80) {
      this.byte((v & 0x7f) | 0x80);
      v >>>= 7;
    }
    this.byte(v);
  }

  /** Signed LEB128 of a 32-bit number. */
  s32(value: number): void {
    let v = value | 0;
    while (v < -64 || v > 63) {
      this.byte((v & 0x7f) | 0x80);
      v >>= 7;
    }
    this.byte(v & 0x7f);
  }

  s64(value: bigint): void {
    let v = BigInt.asIntN(64, value);
    if (v >= -0x8000_0000n && v <= 0x7fff_ffffn) {
      this.s32(Number(v));
      return;
    }
    while (v < -64n || v > 63n) {
      this.byte(Number(v & 0x7fn) | 0x80);
      v >>= 7n;
    }
    this.byte(Number(v & 0x7fn));
  }

  text(value: string): void {
    this.u32(value.length);
    for (let i = 0; i < value.length; i++) this.byte(value.charCodeAt(i));
  }

  append(other: Uint8Array): void {
    if (this.#length + other.length > this.#data.length) this.#grow(other.length);
    this.#data.set(other, this.#length);
    this.#length += other.length;
  }

  view(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.#length);
  }

  #grow(by: number): void {
    const grown = new Uint8Array(Math.max(2 * this.#data.length, this.#length + by));
    grown.set(this.#data);
    this.#data = grown;
  }
}

/** An open block: what branches name. */
export interface Label {
  readonly depth: number;
}

/** The body of one function while it is written. Locals are numbered from the parameters on. */
export class FunctionBuilder {
  readonly index: number;
  readonly typeIndex: number;
  readonly #parameters: number;
  readonly #locals: number[] = [];
  #code = new Bytes();
  /** Offsets (in the code, without the declaration of locals) of branches with a hint. */
  #hints: { readonly at: number; readonly likely: boolean }[] = [];
  #depth = 0;

  constructor(index: number, typeIndex: number, parameters: number) {
    this.index = index;
    this.typeIndex = typeIndex;
    this.#parameters = parameters;
  }

  /** A new local, zero at first. */
  local(type: ValueType): number {
    return this.#parameters + this.#locals.push(VALUE_TYPE[type]) - 1;
  }

  /** What `emit` writes comes before all that was written so far: to load what has turned out to be needed. Between blocks only. */
  before(emit: () => void): void {
    const [code, hints] = [this.#code, this.#hints];
    this.#code = new Bytes();
    this.#hints = [];
    emit();
    const length = this.#code.length;
    this.#code.append(code.view());
    for (const { at, likely } of hints) this.#hints.push({ at: at + length, likely });
  }

  get size(): number {
    return this.#code.length;
  }

  op(...opcodes: number[]): void {
    for (const opcode of opcodes) this.#code.byte(opcode);
  }

  get(local: number): void {
    this.#code.byte(0x20);
    this.#code.u32(local);
  }

  set(local: number): void {
    this.#code.byte(0x21);
    this.#code.u32(local);
  }

  tee(local: number): void {
    this.#code.byte(0x22);
    this.#code.u32(local);
  }

  globalGet(index: number): void {
    this.#code.byte(0x23);
    this.#code.u32(index);
  }

  i32(value: number): void {
    this.#code.byte(0x41);
    this.#code.s32(value);
  }

  i64(value: bigint): void {
    this.#code.byte(0x42);
    this.#code.s64(value);
  }

  f64(value: number): void {
    this.#code.byte(0x44);
    this.#code.append(new Uint8Array(new Float64Array([value]).buffer));
  }

  f32(value: number): void {
    this.#code.byte(0x43);
    this.#code.append(new Uint8Array(new Float32Array([value]).buffer));
  }

  /** `memory`: by the order of imports. */
  load(kind: LoadKind, offset: number, memory = 0): void {
    this.#memory(LOAD[kind], offset, memory);
  }

  store(kind: StoreKind, offset: number, memory = 0): void {
    this.#memory(STORE[kind], offset, memory);
  }

  /** i64 saturating truncation of an f64 (signed). */
  truncSaturatedF64(to: 'i32' | 'i64'): void {
    this.op(0xfc, to === 'i32' ? 2 : 6);
  }

  memoryFill(memory = 0): void {
    this.op(0xfc, 11, memory);
  }

  memoryCopy(): void {
    this.op(0xfc, 10, 0, 0);
  }

  call(index: number): void {
    this.#code.byte(0x10);
    this.#code.u32(index);
  }

  callIndirect(typeIndex: number, table: number): void {
    this.#code.byte(0x11);
    this.#code.u32(typeIndex);
    this.#code.u32(table);
  }

  returnCallIndirect(typeIndex: number, table: number): void {
    this.#code.byte(0x13);
    this.#code.u32(typeIndex);
    this.#code.u32(table);
  }

  block(result?: ValueType): Label {
    return this.#open(0x02, result);
  }

  loop(result?: ValueType): Label {
    return this.#open(0x03, result);
  }

  /** Pops the condition. `likely` is a hint for the engine. */
  if(result?: ValueType, likely?: boolean): Label {
    if (likely !== undefined) this.#hints.push({ at: this.#code.length, likely });
    return this.#open(0x04, result);
  }

  else(): void {
    this.#code.byte(0x05);
  }

  end(): void {
    if (this.#depth === 0) bug('end() without an open block');
    this.#depth--;
    this.#code.byte(0x0b);
  }

  br(label: Label): void {
    this.#code.byte(0x0c);
    this.#code.u32(this.#distance(label));
  }

  brIf(label: Label, likely?: boolean): void {
    if (likely !== undefined) this.#hints.push({ at: this.#code.length, likely });
    this.#code.byte(0x0d);
    this.#code.u32(this.#distance(label));
  }

  brTable(labels: readonly Label[], otherwise: Label): void {
    this.#code.byte(0x0e);
    this.#code.u32(labels.length);
    for (const label of labels) this.#code.u32(this.#distance(label));
    this.#code.u32(this.#distance(otherwise));
  }

  /** The body as the code section holds it, and the offsets of hinted branches in it. */
  finish(): { body: Uint8Array<ArrayBuffer>; hints: { at: number; likely: boolean }[] } {
    if (this.#depth !== 0) bug(`${this.#depth} blocks are still open`);
    const body = new Bytes();
    const runs: [number, number][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last !== undefined && last[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    body.u32(runs.length);
    for (const [count, type] of runs) {
      body.u32(count);
      body.byte(type);
    }
    const start = body.length;
    body.append(this.#code.view());
    body.byte(0x0b);
    return { body: body.view(), hints: this.#hints.map((h) => ({ at: h.at + start, likely: h.likely })) };
  }

  #open(opcode: number, result: ValueType | undefined): Label {
    this.#code.byte(opcode);
    this.#code.byte(result === undefined ? VOID : VALUE_TYPE[result]);
    return { depth: ++this.#depth };
  }

  #distance(label: Label): number {
    const distance = this.#depth - label.depth;
    return distance >= 0 ? distance : bug('branch to a label that is closed');
  }

  #memory([opcode, alignment]: readonly [number, number], offset: number, memory: number): void {
    this.#code.byte(opcode);
    if (memory === 0) this.#code.byte(alignment);
    else {
      // Bit 6: the index of the memory follows.
      this.#code.byte(alignment | 0x40);
      this.#code.u32(memory);
    }
    this.#code.u32(offset);
  }
}

export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #typeBytes: Uint8Array[] = [];
  readonly #parameterCounts: number[] = [];
  readonly #imports = new Bytes();
  #importCount = 0;
  #importedFunctions = 0;
  #importedGlobals = 0;
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: { name: string; index: number }[] = [];
  readonly #elements: { table: number; offset: number; functions: readonly FunctionBuilder[] }[] = [];

  /** The index of a function type; equal types share one. */
  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters.join()}>${results.join()}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const bytes = new Bytes();
    bytes.byte(0x60);
    for (const list of [parameters, results]) {
      bytes.u32(list.length);
      for (const type of list) bytes.byte(VALUE_TYPE[type]);
    }
    this.#typeBytes.push(bytes.view());
    this.#parameterCounts.push(parameters.length);
    return this.#types.push(key) - 1;
  }

  importFunction(module: string, name: string, typeIndex: number): number {
    this.#import(module, name);
    this.#imports.byte(0);
    this.#imports.u32(typeIndex);
    return this.#importedFunctions++;
  }

  importMemory(module: string, name: string, minimumPages: number): void {
    this.#import(module, name);
    this.#imports.byte(2);
    this.#imports.byte(0);
    this.#imports.u32(minimumPages);
  }

  importTable(module: string, name: string, minimum: number): void {
    this.#import(module, name);
    this.#imports.byte(1);
    this.#imports.byte(0x70);
    this.#imports.byte(0);
    this.#imports.u32(minimum);
  }

  /** An immutable global; gives its index. */
  importGlobal(module: string, name: string, type: ValueType): number {
    this.#import(module, name);
    this.#imports.byte(3);
    this.#imports.byte(VALUE_TYPE[type]);
    this.#imports.byte(0);
    return this.#importedGlobals++;
  }

  func(typeIndex: number): FunctionBuilder {
    const f = new FunctionBuilder(
      this.#importedFunctions + this.#functions.length,
      typeIndex,
      this.#parameterCounts[typeIndex] ?? bug('no such type'),
    );
    this.#functions.push(f);
    return f;
  }

  exportFunction(name: string, f: { readonly index: number }): void {
    this.#exports.push({ name, index: f.index });
  }

  /** Puts functions into an imported table from `offset` on, when the module is instantiated. */
  elements(table: number, offset: number, functions: readonly FunctionBuilder[]): void {
    if (functions.length > 0) this.#elements.push({ table, offset, functions });
  }

  build(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const section = (id: number, count: number, write: (s: Bytes) => void) => {
      if (count === 0) return;
      const s = new Bytes();
      s.u32(count);
      write(s);
      out.byte(id);
      out.u32(s.length);
      out.append(s.view());
    };
    section(1, this.#typeBytes.length, (s) => {
      for (const type of this.#typeBytes) s.append(type);
    });
    section(2, this.#importCount, (s) => s.append(this.#imports.view()));
    section(3, this.#functions.length, (s) => {
      for (const f of this.#functions) s.u32(f.typeIndex);
    });
    section(7, this.#exports.length, (s) => {
      for (const { name, index } of this.#exports) {
        s.text(name);
        s.byte(0);
        s.u32(index);
      }
    });
    section(9, this.#elements.length, (s) => {
      for (const { table, offset, functions } of this.#elements) {
        // Active segment with an explicit table index and element kind funcref.
        s.u32(2);
        s.u32(table);
        s.byte(0x41);
        s.s32(offset);
        s.byte(0x0b);
        s.byte(0);
        s.u32(functions.length);
        for (const f of functions) s.u32(f.index);
      }
    });
    const bodies = this.#functions.map((f) => ({ index: f.index, ...f.finish() }));
    this.#branchHints(
      out,
      bodies.filter((b) => b.hints.length > 0),
    );
    section(10, bodies.length, (s) => {
      for (const { body } of bodies) {
        s.u32(body.length);
        s.append(body);
      }
    });
    return out.view().slice();
  }

  /** The custom section of the branch-hinting proposal; engines that do not know it skip it. */
  #branchHints(out: Bytes, functions: readonly { index: number; hints: { at: number; likely: boolean }[] }[]): void {
    if (functions.length === 0) return;
    const s = new Bytes();
    s.text('metadata.code.branch_hint');
    s.u32(functions.length);
    for (const { index, hints } of functions) {
      s.u32(index);
      s.u32(hints.length);
      for (const { at, likely } of hints) {
        s.u32(at);
        s.u32(1);
        s.byte(likely ? 1 : 0);
      }
    }
    out.byte(0);
    out.u32(s.length);
    out.append(s.view());
  }

  #import(module: string, name: string): void {
    if (this.#functions.length > 0) bug(`import ${module}.${name} after the first function`);
    this.#importCount++;
    this.#imports.text(module);
    this.#imports.text(name);
  }
}
