/** PUSH POP, flags and all registers on the stack, ENTER LEAVE (SDM Vol. 2). */
import type { Context, Instruction, Outcome } from '../dsl.ts';
import { RFLAGS } from '../flags.ts';
import { RBP, RSP } from '../registers.ts';
import { and, constant, or, type Term } from '../term.ts';

function pushSegment(c: Context): undefined {
  c.push(c.dst.zext(c.operandSize));
}
const popSegment = (c: Context) => c.helper('POP_SEG') as undefined;

/** POP to memory: an address based on rSP takes the rSP after the pop. */
function popMemory(c: Context): Outcome | undefined {
  const value = c.pop(c.width(0));
  const moved = c.baseRegister(0) === RSP ? constant(value.width / 8, 64) : constant(0, 64);
  c.store({ operand: 0 }, c.wrap(c.offset(0).add(moved)), value);
  return undefined;
}

const inOrder = [0, 1, 2, 3, 4, 5, 6, 7];

function pushAll(c: Context): undefined {
  const size = c.operandSize;
  for (const r of inOrder) c.push(c.gpr(r, size));
}
function popAll(c: Context): undefined {
  const size = c.operandSize;
  for (const r of [...inOrder].reverse()) {
    const value = c.pop(size);
    if (r !== RSP) c.setGpr(r, value);
  }
}

/** In virtual-8086 mode PUSHF, POPF and the like need IOPL 3. */
function virtual8086(c: Context): void {
  if (c.mode === 64) return;
  const rflags = c.special('rflags', 64);
  c.fault(rflags.bit(17).and(rflags.extract(12, 1).and(rflags.extract(13, 1)).not), 13, 0);
}

function pushFlags(c: Context): undefined {
  virtual8086(c);
  // VM and RF are pushed as zero.
  c.push(
    c
      .special('rflags', 64)
      .and(constant(~BigInt(RFLAGS.vm | RFLAGS.rf), 64))
      .trunc(c.operandSize),
  );
}

/** Which bits POPF may change: IOPL at CPL 0 alone, IF if CPL ≤ IOPL, VM VIF VIP never; RF is cleared. */
function popFlags(c: Context): undefined {
  virtual8086(c);
  const value = c.pop(c.operandSize).zext(64);
  const old = c.special('rflags', 64);
  const cpl = c.special('cpl', 64);
  const iopl = old.lshr(constant(12, 64)).and(constant(3, 64));
  const always = RFLAGS.cf | RFLAGS.pf | RFLAGS.af | RFLAGS.zf | RFLAGS.sf | RFLAGS.tf | RFLAGS.df | RFLAGS.of | RFLAGS.nt;
  const wide = c.operandSize === 16 ? 0 : RFLAGS.ac | RFLAGS.id;
  const k = (bits: number) => constant(bits, 64);
  const mask = or(k(always | wide), cpl.isZero.ite(k(RFLAGS.iopl), k(0)), iopl.ult(cpl).ite(k(0), k(RFLAGS.if)));
  const cleared = c.operandSize === 16 ? mask.not : mask.or(k(RFLAGS.rf)).not;
  c.setSpecial('rflags', old.and(cleared).or(and(value, mask)));
}

/** One level of nesting copies one frame pointer; the last store is checked even where nothing is allocated (SDM: ENTER). */
function enter(c: Context): undefined {
  const size = c.operandSize;
  const level = Number(c.immediate(1) & 31n);
  const bytes = size / 8;
  const frame = c.gpr(RBP, 64);
  c.push(c.gpr(RBP, size));
  const top = c.stackPointer;
  for (let i = 1; i < level; i++) c.push(c.load(2, c.stackOffset(frame.sub(constant(i * bytes, 64))), size));
  if (level > 0) c.push(top.trunc(size));
  c.setGpr(RBP, top.trunc(size));
  c.moveStack(c.stackPointer.sub(c.dst.zext(64)));
  // The new top of the stack must be writable.
  c.load(2, c.stackOffset(c.stackPointer), size, true);
}

function leave(c: Context): undefined {
  const frame: Term = c.gpr(RBP, 64);
  c.moveStack(frame);
  c.setGpr(RBP, c.pop(c.operandSize));
}

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  { name: 'PUSH', text: 'rSP ← rSP − size; [rSP] ← src', encodings: ['50+r  Zv  d64', 'FF /6  Ev  d64', '6A  sIb  d64', '68  Iz  d64'], meaning: (c) => c.push(c.dst) as undefined },
  { name: 'PUSH', text: 'push a segment selector', encodings: ['06  ES  i64', '0E  CS  i64', '16  SS  i64', '1E  DS  i64', '0F A0  FS  d64', '0F A8  GS  d64'], meaning: pushSegment },
  { name: 'POP',  text: 'dst ← [rSP]; rSP ← rSP + size', encodings: ['58+r  Zv  d64', '8F /0  Rv  d64'], meaning: (c) => ({ dst: c.pop(c.width(0)) }) },
  { name: 'POP',  text: 'dst ← [rSP]; rSP ← rSP + size', byImmediate: true, encodings: ['8F /0  Mv  d64'], meaning: popMemory },
  { name: 'POP',  text: 'pop a segment register', raises: ['#GP', '#SS', '#NP'], encodings: ['07  ES  i64', '17  SS  i64', '1F  DS  i64', '0F A1  FS  d64', '0F A9  GS  d64'], meaning: popSegment },
  { name: 'PUSHA',  text: 'push AX CX DX BX SP BP SI DI',         encodings: ['60  -  i64 os16'], meaning: pushAll },
  { name: 'PUSHAD', text: 'push EAX ECX EDX EBX ESP EBP ESI EDI', encodings: ['60  -  i64 os32'], meaning: pushAll },
  { name: 'POPA',   text: 'pop DI SI BP (SP) BX DX CX AX',        encodings: ['61  -  i64 os16'], meaning: popAll },
  { name: 'POPAD',  text: 'pop EDI ESI EBP (ESP) EBX EDX ECX EAX', encodings: ['61  -  i64 os32'], meaning: popAll },
  { name: 'PUSHF',  text: 'push FLAGS',  encodings: ['9C  -  d64 os16'], meaning: pushFlags },
  { name: 'PUSHFD', text: 'push EFLAGS', encodings: ['9C  -  i64 os32'], meaning: pushFlags },
  { name: 'PUSHFQ', text: 'push RFLAGS', encodings: ['9C  -  d64 os64'], meaning: pushFlags },
  { name: 'POPF',   text: 'pop FLAGS',   encodings: ['9D  -  d64 os16'], meaning: popFlags },
  { name: 'POPFD',  text: 'pop EFLAGS',  encodings: ['9D  -  i64 os32'], meaning: popFlags },
  { name: 'POPFQ',  text: 'pop RFLAGS',  encodings: ['9D  -  d64 os64'], meaning: popFlags },
  { name: 'ENTER',  text: 'make a stack frame', byImmediate: true, encodings: ['C8  Iw,Ib  d64'], meaning: enter },
  { name: 'LEAVE',  text: 'rSP ← rBP; pop rBP', encodings: ['C9  -  d64'], meaning: leave },
];
