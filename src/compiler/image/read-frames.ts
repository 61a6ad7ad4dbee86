/**
 * `.debug_frame` read back (DWARF 5, section 6.4): how to find the caller of the code at an address.
 *
 *     const row = frames.at(pc);    // where the frame is, and where it has saved registers
 */
import { ByteReader } from './byte-reader.ts';

/** What became of a register of the caller. */
export type RegisterRule =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'same' }
  /** Saved at the frame's address plus this. */
  | { readonly kind: 'saved'; readonly offset: number }
  /** It is the frame's address plus this. */
  | { readonly kind: 'value'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'saved-at' | 'computed'; readonly expression: Uint8Array };

export interface FrameRules {
  /** The frame's address: a register and an offset, or an expression. */
  readonly frame: { readonly register: number; readonly offset: number } | { readonly expression: Uint8Array };
  /** By DWARF number. */
  readonly registers: ReadonlyMap<number, RegisterRule>;
  readonly returnRegister: number;
  /** An interrupt or signal came between: the address of the caller is that of the next instruction, which need not follow a call. */
  readonly isSignal: boolean;
}

interface Common {
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly returnRegister: number;
  readonly isSignal: boolean;
  readonly hasAugmentationData: boolean;
  readonly program: ByteReaderFrom;
}

interface Description {
  readonly from: bigint;
  readonly to: bigint;
  readonly common: Common;
  readonly program: ByteReaderFrom;
}

/** A reader from the start, each time. */
type ByteReaderFrom = () => ByteReader;

/** Instructions of one description; remembered states. */
const mostInstructions = 100_000;
const deepestState = 100;

export class FrameTable {
  readonly #descriptions: Description[] = [];

  constructor(section: Uint8Array, name: string) {
    const reader = new ByteReader(section, `${name}: .debug_frame`);
    const commons = new Map<number, Common | null>();
    while (!reader.isAtEnd) {
      const offset = reader.at;
      const length = reader.u32();
      if (length === 0) continue;
      if (length >= 0xfffffff0) reader.fail('is in the 64-bit DWARF format, which is not read');
      const body = reader.part(length);
      const end = reader.at;
      const id = body.u32();
      if (id === commonId) commons.set(offset, readCommon(body, section, end, name));
      else {
        const common = commons.get(id);
        if (common === undefined || common === null) continue;
        const from = body.u64();
        const to = from + body.u64();
        if (common.hasAugmentationData) body.skip(body.uleb());
        const start = body.at;
        this.#descriptions.push({ from, to, common, program: () => new ByteReader(section, `${name}: .debug_frame`, start, end) });
      }
    }
    this.#descriptions.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  }

  at(address: bigint): FrameRules | null {
    let low = 0;
    let high = this.#descriptions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#descriptions[middle]?.from ?? 0n) <= address) low = middle + 1;
      else high = middle;
    }
    const description = this.#descriptions[low - 1];
    return description === undefined || address >= description.to ? null : rulesAt(description, address);
  }
}

const commonId = 0xffffffff;

/** null: of a kind that is not read. */
function readCommon(body: ByteReader, section: Uint8Array, end: number, name: string): Common | null {
  const version = body.u8();
  if (version !== 1 && version !== 3 && version !== 4) return null;
  const augmentation = body.string();
  if (!/^(z?[SRB]*)?$/.test(augmentation)) return null;
  if (version === 4 && (body.u8() !== 8 || body.u8() !== 0)) return null;
  const codeAlignment = body.uleb();
  const dataAlignment = body.sleb();
  const returnRegister = version === 1 ? body.u8() : body.uleb();
  const hasAugmentationData = augmentation.startsWith('z');
  if (hasAugmentationData) body.skip(body.uleb());
  const start = body.at;
  return {
    codeAlignment,
    dataAlignment,
    returnRegister,
    isSignal: augmentation.includes('S'),
    hasAugmentationData,
    program: () => new ByteReader(section, `${name}: .debug_frame`, start, end),
  };
}

interface State {
  frame: FrameRules['frame'];
  registers: Map<number, RegisterRule>;
}

function rulesAt({ from, common, program }: Description, address: bigint): FrameRules | null {
  const state: State = { frame: { register: 7, offset: 8 }, registers: new Map() };
  run(common.program(), common, state, null, 0n, address);
  const initial = new Map(state.registers);
  run(program(), common, state, initial, from, address);
  return { frame: state.frame, registers: state.registers, returnRegister: common.returnRegister, isSignal: common.isSignal };
}

/** Runs a program up to `address`. */
function run(
  program: ByteReader,
  { codeAlignment, dataAlignment }: Common,
  state: State,
  initial: ReadonlyMap<number, RegisterRule> | null,
  from: bigint,
  address: bigint,
): void {
  let location = from;
  const kept: State[] = [];
  /** False: the next row is of other code. */
  const advance = (delta: number): boolean => {
    location += BigInt(delta * codeAlignment);
    return location <= address;
  };
  const frame = (): { register: number; offset: number } => ('register' in state.frame ? state.frame : { register: 0, offset: 0 });
  for (let count = 0; !program.isAtEnd; count++) {
    if (count > mostInstructions) program.fail('has an endless program');
    const opcode = program.u8();
    const low = opcode & 0x3f;
    switch (opcode >> 6) {
      case 1: // DW_CFA_advance_loc
        if (!advance(low)) return;
        continue;
      case 2: // DW_CFA_offset
        state.registers.set(low, { kind: 'saved', offset: program.uleb() * dataAlignment });
        continue;
      case 3: // DW_CFA_restore
        restore(state, initial, low);
        continue;
    }
    switch (opcode) {
      case 0x00: // DW_CFA_nop
        break;
      case 0x01: // DW_CFA_set_loc
        location = program.u64();
        if (location > address) return;
        break;
      case 0x02: // DW_CFA_advance_loc1
        if (!advance(program.u8())) return;
        break;
      case 0x03: // DW_CFA_advance_loc2
        if (!advance(program.u16())) return;
        break;
      case 0x04: // DW_CFA_advance_loc4
        if (!advance(program.u32())) return;
        break;
      case 0x05: // DW_CFA_offset_extended
        state.registers.set(program.uleb(), { kind: 'saved', offset: program.uleb() * dataAlignment });
        break;
      case 0x06: // DW_CFA_restore_extended
        restore(state, initial, program.uleb());
        break;
      case 0x07: // DW_CFA_undefined
        state.registers.set(program.uleb(), { kind: 'undefined' });
        break;
      case 0x08: // DW_CFA_same_value
        state.registers.set(program.uleb(), { kind: 'same' });
        break;
      case 0x09: // DW_CFA_register
        state.registers.set(program.uleb(), { kind: 'register', register: program.uleb() });
        break;
      case 0x0a: // DW_CFA_remember_state
        if (kept.length >= deepestState) program.fail('remembers too many states');
        kept.push({ frame: state.frame, registers: new Map(state.registers) });
        break;
      case 0x0b: {
        // DW_CFA_restore_state
        const before = kept.pop();
        if (before !== undefined) [state.frame, state.registers] = [before.frame, before.registers];
        break;
      }
      case 0x0c: // DW_CFA_def_cfa
        state.frame = { register: program.uleb(), offset: program.uleb() };
        break;
      case 0x0d: // DW_CFA_def_cfa_register
        state.frame = { register: program.uleb(), offset: frame().offset };
        break;
      case 0x0e: // DW_CFA_def_cfa_offset
        state.frame = { register: frame().register, offset: program.uleb() };
        break;
      case 0x0f: // DW_CFA_def_cfa_expression
        state.frame = { expression: program.take(program.uleb()) };
        break;
      case 0x10: // DW_CFA_expression
        state.registers.set(program.uleb(), { kind: 'saved-at', expression: program.take(program.uleb()) });
        break;
      case 0x11: // DW_CFA_offset_extended_sf
        state.registers.set(program.uleb(), { kind: 'saved', offset: program.sleb() * dataAlignment });
        break;
      case 0x12: // DW_CFA_def_cfa_sf
        state.frame = { register: program.uleb(), offset: program.sleb() * dataAlignment };
        break;
      case 0x13: // DW_CFA_def_cfa_offset_sf
        state.frame = { register: frame().register, offset: program.sleb() * dataAlignment };
        break;
      case 0x14: // DW_CFA_val_offset
        state.registers.set(program.uleb(), { kind: 'value', offset: program.uleb() * dataAlignment });
        break;
      case 0x15: // DW_CFA_val_offset_sf
        state.registers.set(program.uleb(), { kind: 'value', offset: program.sleb() * dataAlignment });
        break;
      case 0x16: // DW_CFA_val_expression
        state.registers.set(program.uleb(), { kind: 'computed', expression: program.take(program.uleb()) });
        break;
      case 0x2e: // DW_CFA_GNU_args_size
        program.uleb();
        break;
      default:
        program.fail(`has the unknown frame instruction 0x${opcode.toString(16)}`);
    }
  }
}

function restore(state: State, initial: ReadonlyMap<number, RegisterRule> | null, register: number): void {
  const rule = initial?.get(register);
  if (rule === undefined) state.registers.delete(register);
  else state.registers.set(register, rule);
}
