/**
 * Two machines that run one program in different tiers, cut at the same random points, and are compared there: registers, flags, memory,
 * counts, faults, and the path where it is recorded. Programs are a function of the seed: loops, calls, branches, stores into the code
 * itself, accesses that fault, instructions across pages.
 */
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import { FAULT_CODE, FAULT_CR2, FAULT_VECTOR, MXCSR } from '../../../src/machine/cpu/state.ts';
import { decode } from '../../../src/machine/isa/decode.ts';
import type { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import type { Random } from '../cpu/interpreter-judge.ts';
import { FlatMachine } from './flat-machine.ts';

const CODE = 0x3000;
const DATA = 0x20000;
const STACK = 0x30000;
const RAM = 1 << 18;
const HLT = 0xf4;

// RSP and RBP (the data), R15 (a counter of rounds) and R14 (a counter of loops) are kept.
const R64 = ['rax', 'rcx', 'rdx', 'rbx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13'];
const R32 = ['eax', 'ecx', 'edx', 'ebx', 'esi', 'edi', 'r8d', 'r9d', 'r10d', 'r11d', 'r12d', 'r13d'];
const R16 = ['ax', 'cx', 'dx', 'bx', 'si', 'di', 'r8w', 'r9w'];
const R8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh', 'sil', 'r8b', 'r9b'];
const LOW8 = ['al', 'cl', 'dl', 'bl', 'r8b', 'r9b'];
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

class Program {
  readonly #r: Random;
  readonly #lines: string[] = [];
  #labels = 0;
  #functions = 0;

  constructor(r: Random) {
    this.#r = r;
  }

  text(): string {
    const functions = 2 + this.#r.below(4);
    this.#lines.push('again:');
    this.#blocks(3, 0);
    for (let i = 0; i < functions; i++) this.#lines.push(`call f${i}`);
    this.#lines.push('dec r15', 'jnz again', 'hlt');
    for (this.#functions = 0; this.#functions < functions; this.#functions++) {
      if (this.#r.below(3) === 0) this.#lines.push(...Array.from({ length: this.#r.below(1500) }, () => 'nop'));
      this.#lines.push(`f${this.#functions}:`, 'push r14');
      this.#blocks(1 + this.#r.below(4), 0);
      this.#lines.push('pop r14', 'ret');
    }
    return this.#lines.join('\n');
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#r.below(from.length)] as T;
  }

  #label(): string {
    return `l${this.#labels++}`;
  }

  #blocks(count: number, depth: number): void {
    for (let i = 0; i < count; i++) {
      this.#straight();
      const kind = this.#r.below(8);
      const label = this.#label();
      if (kind < 2) {
        this.#lines.push(`j${this.#pick(CONDITIONS)} ${label}`);
        this.#straight();
        this.#lines.push(`${label}:`);
      } else if (kind < 4 && depth < 2) {
        this.#lines.push('push r14', `mov r14d, ${1 + this.#r.below(9)}`, `${label}:`);
        this.#blocks(1 + this.#r.below(2), depth + 1);
        this.#lines.push('dec r14', `jnz ${label}`, 'pop r14');
      } else if (kind === 4 && this.#functions > 0) this.#lines.push(`call f${this.#r.below(this.#functions)}`);
      else if (kind === 5) {
        // A target in a register: an indirect jump, or an immediate that is stored into the code.
        if (this.#r.below(2) === 0) this.#lines.push(`lea r11, [rip + ${label}]`, 'jmp r11', 'ud2', `${label}:`);
        else this.#lines.push(`lea r11, [rip + ${label}]`, `mov byte ptr [r11 + 1], ${this.#pick(LOW8)}`, `${label}:`, 'mov r12d, 77');
      } else if (kind === 6) {
        const other = this.#label();
        this.#lines.push(`j${this.#pick(CONDITIONS)} ${label}`);
        this.#straight();
        this.#lines.push(`jmp ${other}`, `${label}:`);
        this.#straight();
        this.#lines.push(`${other}:`);
      } else this.#lines.push(`${label}:`);
    }
  }

  #straight(): void {
    for (let n = this.#r.below(7); n >= 0; n--) this.#lines.push(this.#instruction());
  }

  #instruction(): string {
    const r = this.#r;
    const size = r.below(4);
    const registers = [R64, R32, R16, R8][size] ?? R64;
    const name = ['qword', 'dword', 'word', 'byte'][size];
    const memory = () => `${name} ptr [rbp + ${r.below(8000)}]`;
    const [a, b] = [this.#pick(registers), this.#pick(registers)];
    const low = size === 3 ? [this.#pick(LOW8), this.#pick(LOW8)] : [a, b];
    switch (r.below(22)) {
      case 0:
      case 1:
      case 2:
        return `${this.#pick(['add', 'sub', 'xor', 'and', 'or', 'adc', 'sbb', 'cmp', 'test', 'mov'])} ${low[0]}, ${low[1]}`;
      case 3:
      case 4:
        return `${this.#pick(['add', 'sub', 'xor', 'and', 'or', 'adc', 'sbb', 'cmp', 'test'])} ${a}, ${r.below(128)}`;
      case 5:
        return `${this.#pick(['inc', 'dec', 'neg', 'not'])} ${a}`;
      case 6:
        return `${this.#pick(['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr'])} ${a}, ${r.below(20)}`;
      case 7:
        return `${this.#pick(['shl', 'shr', 'sar', 'rol', 'ror'])} ${low[0]}, cl`;
      case 8:
      case 9:
        return `mov ${low[0]}, ${memory()}`;
      case 10:
        return `mov ${memory()}, ${low[0]}`;
      case 11:
        return `${this.#pick(['add', 'sub', 'xor', 'adc', 'cmp', 'xchg'])} ${memory()}, ${low[0]}`;
      case 12:
        return `${this.#pick(['add', 'sub', 'cmp', 'and'])} ${low[0]}, ${memory()}`;
      case 13:
        return `cmov${this.#pick(CONDITIONS)} ${this.#pick(R32)}, ${this.#pick(R32)}`;
      case 14:
        return `set${this.#pick(CONDITIONS)} ${this.#pick(LOW8)}`;
      case 15:
        return `lea ${this.#pick(R64)}, [${this.#pick(R64)} + ${this.#pick(R64)}*4 + ${r.below(1000)}]`;
      case 16:
        return `imul ${this.#pick(R64)}, ${this.#pick(R64)}`;
      case 17:
        return `${this.#pick(['movzx', 'movsx'])} ${this.#pick(R64)}, ${this.#pick(LOW8)}`;
      case 18:
        return `bt ${this.#pick(R64)}, ${r.below(64)}`;
      case 19:
        return this.#rare();
      case 20:
        return `mov ${this.#pick(R64)}, ${r.operand()}`;
      default:
        return `${this.#pick(['movq xmm0, rax', 'addsd xmm0, xmm1', 'mulsd xmm1, xmm0', 'movq rcx, xmm1', 'cvtsi2sd xmm1, edx', 'comisd xmm0, xmm1', 'pxor xmm0, xmm0', 'movups [rbp + 64], xmm1'])}`;
    }
  }

  #rare(): string {
    switch (this.#r.below(8)) {
      case 0:
        return 'cpuid';
      case 1:
        return 'div rcx';
      case 2:
        return `mov eax, [${this.#pick(R64)}]`;
      case 3:
        return 'and ecx, 15\nlea rdi, [rbp + 100]\nrep stosb';
      case 4:
        return 'pushfq\npop rax';
      case 5:
        return 'stc';
      case 6:
        return 'mov [rsp - 300], rax';
      default:
        return `movsxd ${this.#pick(R64)}, ${this.#pick(R32)}`;
    }
  }
}

export interface LockstepOptions {
  readonly tiers: readonly [Tier, Tier];
  readonly library: FormLibrary;
}

/** Runs one program; the first difference, null: none. */
export function lockstep(
  r: Random,
  { tiers, library }: LockstepOptions,
): { difference: string | null; instructions: number; text: string } {
  const text = new Program(r).text();
  const { bytes } = assembleInline(text);
  const at = CODE + r.below(4096);
  const machines = tiers.map((tier) => {
    const m = new FlatMachine({ library, tier, ramBytes: RAM, helper: (name, _d, { state }) => helper(name, state) });
    m.ram.fill(HLT, 0, DATA);
    m.ram.set(bytes, at);
    m.state.rip = BigInt(at);
    return m;
  });
  const values = Array.from({ length: 16 }, () => r.operand());
  const floats = Array.from({ length: 16 }, () => r.float());
  for (const { state } of machines) {
    for (let i = 0; i < 16; i++) state.gpr[i] = values[i] ?? 0n;
    for (let i = 0; i < 16; i++) state.setXmm(i, floats[i] ?? 0n);
    state.gpr[4] = BigInt(STACK);
    state.gpr[5] = BigInt(DATA);
    state.gpr[15] = 60n;
  }
  for (let cut = 0; cut < 400; cut++) {
    const budget = 1 + (r.below(4) === 0 ? r.below(20) : r.below(3000));
    const reasons = machines.map((m) => m.interpreter.run(budget));
    const seen = machines.map((m, i) => describe(m, reasons[i] ?? ''));
    if (seen[0] !== seen[1])
      return { difference: firstDifference(seen[0] ?? '', seen[1] ?? ''), instructions: machines[0]?.state.retired ?? 0, text };
    if (reasons[0] === 'stop') break;
    // A handler that goes on behind the instruction.
    if (reasons[0] === 'fault') {
      for (const { state, ram } of machines) {
        const decoded = decode(ram, Number(state.rip & 0x3ffffn), 64, 15);
        state.clearFault();
        state.rip += BigInt(typeof decoded === 'string' ? 1 : decoded.length);
      }
    }
  }
  return { difference: null, instructions: machines[0]?.state.retired ?? 0, text };
}

function helper(name: string, state: FlatMachine['state']): number {
  if (name === 'CPUID') {
    state.gpr[0] = 7n;
    return 0;
  }
  return 4;
}

function describe({ state, ram, interpreter }: FlatMachine, reason: string): string {
  let hash = 0;
  const words = new Int32Array(ram.buffer, ram.byteOffset, ram.length / 4);
  for (const w of words) hash = (Math.imul(hash, 31) + w) | 0;
  const path = interpreter.drainPath();
  return [
    reason,
    `count ${state.retired}`,
    `rip ${state.rip.toString(16)}`,
    `rflags ${state.readRflags().toString(16)}`,
    ...[...state.gpr].map((v, i) => `gpr${i} ${v.toString(16)}`),
    ...Array.from({ length: 4 }, (_, i) => `xmm${i} ${state.xmm(i).toString(16)}`),
    `mxcsr ${state.get32(MXCSR).toString(16)}`,
    reason === 'fault' ? `fault ${state.get32(FAULT_VECTOR)} ${state.get32(FAULT_CODE)} ${state.get64(FAULT_CR2).toString(16)}` : '',
    `memory ${hash}`,
    `bits ${path.bitCount} ${[...path.bits].join()}`,
    `targets ${[...path.targets].join()}`,
  ].join('\n');
}

function firstDifference(a: string, b: string): string {
  const [x, y] = [a.split('\n'), b.split('\n')];
  return x.flatMap((line, i) => (line === y[i] ? [] : [`${line} against ${y[i]}`])).join('; ');
}
