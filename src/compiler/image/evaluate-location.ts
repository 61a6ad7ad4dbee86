/** DWARF expressions (DWARF 5, sections 2.5 and 2.6): where a value is, and its bytes. What is not known or not read gives nothing, never a guess. */
import { ByteReader } from './byte-reader.ts';

/** What expressions look at: a thread's registers by DWARF number, as far as they are known in the frame, and its memory. */
export interface DebugContext {
  /** The low 64 bits. */
  register(number: number): bigint | null;
  memory(address: bigint, length: number): Uint8Array | null;
}

export interface EvaluationFrame extends DebugContext {
  /** The canonical frame address. */
  frameAddress(): bigint | null;
  /** The frame base's expression. */
  readonly frameBase: Uint8Array | null;
}

/** A value's bytes, with 0 in `isKnown` for those that are not there; its address, if it lies in memory as a whole. */
export interface FoundValue {
  readonly bytes: Uint8Array;
  readonly isKnown: Uint8Array;
  readonly address: bigint | null;
}

type Place =
  | { readonly kind: 'memory'; readonly address: bigint }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'bits'; readonly value: bigint }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

const mostOperations = 10_000;
const deepestStack = 256;

/** The value of `size` bytes that the expression finds; null if nothing of it is there. */
export function evaluateLocation(expression: Uint8Array, size: number, frame: EvaluationFrame): FoundValue | null {
  const bytes = new Uint8Array(size);
  const isKnown = new Uint8Array(size);
  const reader = new ByteReader(expression, 'a location');
  if (reader.isAtEnd) return null;
  let at = 0;
  let isInParts = false;
  let address: bigint | null = null;
  while (!reader.isAtEnd) {
    const place = onePlace(reader, frame);
    let length = size - at;
    if (!reader.isAtEnd) {
      if (reader.u8() !== opPiece) return null;
      length = Math.min(reader.uleb(), size - at);
      isInParts = true;
    }
    const found = place === null ? null : bytesAt(place, length, frame);
    if (found !== null) {
      bytes.set(found, at);
      isKnown.fill(1, at, at + found.length);
    }
    if (place?.kind === 'memory' && !isInParts) ({ address } = place);
    at += length;
  }
  return isKnown.includes(1) || size === 0 ? { bytes, isKnown, address } : null;
}

const opPiece = 0x93;

function bytesAt(place: Place, length: number, frame: EvaluationFrame): Uint8Array | null {
  switch (place.kind) {
    case 'memory':
      return frame.memory(place.address, length);
    case 'bytes':
      return place.bytes.subarray(0, length);
    case 'bits':
      return bytesOf(place.value, Math.min(length, 8));
    case 'register': {
      const value = frame.register(place.register);
      return value === null ? null : bytesOf(value, Math.min(length, 8));
    }
  }
}

function bytesOf(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return bytes.subarray(0, length);
}

/** Up to a piece or the end. null: optimised away, or of an operation that is not read (then the reader is at its end). */
function onePlace(reader: ByteReader, frame: EvaluationFrame): Place | null {
  const stack: bigint[] = [];
  const giveUp = (): null => {
    reader.skipAll();
    return null;
  };
  const push = (value: bigint): void => {
    stack.push(BigInt.asUintN(64, value));
  };
  for (let count = 0; ; count++) {
    if (count > mostOperations || stack.length > deepestStack) return giveUp();
    const opcode = reader.isAtEnd ? opPiece : reader.peek();
    if (opcode === opPiece) {
      const address = stack.pop();
      return address === undefined ? null : { kind: 'memory', address };
    }
    reader.skip(1);
    if (opcode >= 0x30 && opcode < 0x50) push(BigInt(opcode - 0x30));
    else if (opcode >= 0x50 && opcode < 0x70) return { kind: 'register', register: opcode - 0x50 };
    else if (opcode === 0x90) return { kind: 'register', register: reader.uleb() };
    else if (opcode === 0x9e) return { kind: 'bytes', bytes: reader.take(reader.uleb()) };
    else if (opcode === 0x9f) {
      const value = stack.pop();
      return value === undefined ? giveUp() : { kind: 'bits', value };
    } else if ((opcode >= 0x70 && opcode < 0x90) || opcode === 0x92) {
      const register = frame.register(opcode === 0x92 ? reader.uleb() : opcode - 0x70);
      const offset = reader.sleb64();
      if (register === null) return giveUp();
      push(register + offset);
    } else if (opcode === 0x91) {
      const base = frameBaseOf(frame);
      const offset = reader.sleb64();
      if (base === null) return giveUp();
      push(base + offset);
    } else if (opcode === 0x9c) {
      const address = frame.frameAddress();
      if (address === null) return giveUp();
      push(address);
    } else if (!operate(opcode, reader, stack, push, frame)) return giveUp();
  }
}

function frameBaseOf(frame: EvaluationFrame): bigint | null {
  if (frame.frameBase === null) return null;
  const [first] = frame.frameBase;
  if (first === 0x9c) return frame.frameAddress();
  const place = onePlace(new ByteReader(frame.frameBase, 'a frame base'), { ...frame, frameBase: null });
  if (place?.kind === 'register') return frame.register(place.register);
  return place?.kind === 'memory' ? place.address : null;
}

/** Constants and arithmetic. @returns false for what is not read */
function operate(opcode: number, reader: ByteReader, stack: bigint[], push: (value: bigint) => void, frame: EvaluationFrame): boolean {
  const unary = (work: (a: bigint) => bigint): boolean => {
    const a = stack.pop();
    if (a === undefined) return false;
    push(work(a));
    return true;
  };
  const binary = (work: (a: bigint, b: bigint) => bigint): boolean => {
    const b = stack.pop();
    return b !== undefined && unary((a) => work(a, b));
  };
  const constant = (value: bigint): boolean => {
    push(value);
    return true;
  };
  switch (opcode) {
    case 0x03: // DW_OP_addr
    case 0x0e: // DW_OP_const8u
    case 0x0f: // DW_OP_const8s
      return constant(reader.u64());
    case 0x08: // DW_OP_const1u
      return constant(BigInt(reader.u8()));
    case 0x09: // DW_OP_const1s
      return constant(BigInt(reader.i8()));
    case 0x0a: // DW_OP_const2u
      return constant(BigInt(reader.u16()));
    case 0x0b: // DW_OP_const2s
      return constant(BigInt.asIntN(16, BigInt(reader.u16())));
    case 0x0c: // DW_OP_const4u
      return constant(BigInt(reader.u32()));
    case 0x0d: // DW_OP_const4s
      return constant(BigInt.asIntN(32, BigInt(reader.u32())));
    case 0x10: // DW_OP_constu
      return constant(reader.uleb64());
    case 0x11: // DW_OP_consts
      return constant(reader.sleb64());
    case 0x12: {
      // DW_OP_dup
      const top = stack.at(-1);
      return top !== undefined && constant(top);
    }
    case 0x13: // DW_OP_drop
      return stack.pop() !== undefined;
    case 0x06: {
      // DW_OP_deref
      const address = stack.pop();
      const bytes = address === undefined ? null : frame.memory(address, 8);
      return bytes !== null && constant(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    }
    case 0x1a: // DW_OP_and
      return binary((a, b) => a & b);
    case 0x1c: // DW_OP_minus
      return binary((a, b) => a - b);
    case 0x1e: // DW_OP_mul
      return binary((a, b) => a * b);
    case 0x1f: // DW_OP_neg
      return unary((a) => -a);
    case 0x20: // DW_OP_not
      return unary((a) => ~a);
    case 0x21: // DW_OP_or
      return binary((a, b) => a | b);
    case 0x22: // DW_OP_plus
      return binary((a, b) => a + b);
    case 0x23: {
      // DW_OP_plus_uconst
      const more = reader.uleb64();
      return unary((a) => a + more);
    }
    case 0x24: // DW_OP_shl
      return binary((a, b) => (b > 63n ? 0n : a << b));
    case 0x25: // DW_OP_shr
      return binary((a, b) => (b > 63n ? 0n : a >> b));
    case 0x27: // DW_OP_xor
      return binary((a, b) => a ^ b);
    default:
      return false;
  }
}
