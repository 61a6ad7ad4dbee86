/**
 * Random programs for machines in lockstep, a function of the seed: loops, calls, branches, stores into the code itself, accesses that fault,
 * functions across pages. What surrounds them (how they end, what a fault leads to, what else happens) is the machine's.
 */
import type { Random } from '../cpu/interpreter-judge.ts';

// RSP and RBP (the data), R15 (a counter of rounds) and R14 (a counter of loops) are kept.
const R64 = ['rax', 'rcx', 'rdx', 'rbx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13'];
const R32 = ['eax', 'ecx', 'edx', 'ebx', 'esi', 'edi', 'r8d', 'r9d', 'r10d', 'r11d', 'r12d', 'r13d'];
const R16 = ['ax', 'cx', 'dx', 'bx', 'si', 'di', 'r8w', 'r9w'];
const R8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh', 'sil', 'r8b', 'r9b'];
const LOW8 = ['al', 'cl', 'dl', 'bl', 'r8b', 'r9b'];
/** Denormals above all: a computation with one may have an ordinary result, and still be no ordinary one. */
const SPECIAL = [
  '1',
  '0x800fffffffffffff',
  '0xfffffffffffff',
  '0x8000000000000001',
  '0x7ff0000000000000',
  '0x7ff8000000000000',
  '0',
  '0x3ff8000000000000',
];
/** MXCSR: PE set and not, DAZ (then a denormal taken for an ordinary number shows in results, else in DE alone), FTZ, another rounding. */
const CONTROLS = ['0x1f80', '0x1fa0', '0x1fa0', '0x1fe0', '0x1fe0', '0x9fa0', '0x5fa0'];
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

/** What a program needs of the machine that it is for. */
export interface Surroundings {
  /** At the front of each round. */
  readonly round: readonly string[];
  /** When all rounds are done. */
  readonly end: readonly string[];
  /** The byte of MOV R12D, imm32 that programs store into: 1 is the opcode, which may become anything, 2 the immediate. */
  readonly patch: 1 | 2;
  /** An instruction that may fault, with what brings the program on behind it. */
  readonly risky: (instruction: string) => readonly string[];
  /** Something that happens between two instructions now and then; it may change R11. */
  readonly event: (r: Random) => readonly string[];
}

export class RandomProgram {
  readonly #r: Random;
  readonly #around: Surroundings;
  readonly #lines: string[] = [];
  /** Half of its instructions compute with floating-point numbers. */
  readonly #isFloat: boolean;
  #labels = 0;
  #functions = 0;

  constructor(r: Random, around: Surroundings) {
    this.#r = r;
    this.#around = around;
    this.#isFloat = r.below(3) === 0;
  }

  text(): string {
    const functions = 2 + this.#r.below(4);
    this.#lines.push('again:', ...this.#around.round);
    this.#blocks(3, 0);
    for (let i = 0; i < functions; i++) this.#lines.push(`call f${i}`);
    this.#lines.push('dec r15', 'jnz again', ...this.#around.end);
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
        // A target in a register: an indirect jump, or a byte that is stored into the code.
        if (this.#r.below(2) === 0) this.#lines.push(`lea r11, [rip + ${label}]`, 'jmp r11', 'ud2', `${label}:`);
        else
          this.#lines.push(
            `lea r11, [rip + ${label}]`,
            `mov byte ptr [r11 + ${this.#around.patch}], ${this.#pick(LOW8)}`,
            `${label}:`,
            'mov r12d, 77',
          );
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
    this.#lines.push(...this.#around.event(this.#r));
  }

  #instruction(): string {
    const r = this.#r;
    if (this.#isFloat && r.below(2) === 0) return this.#float();
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

  #float(): string {
    const r = this.#r;
    const xmm = () => `xmm${r.below(3)}`;
    const memory = () => `[rbp + ${8 * r.below(16)}]`;
    const operand = (size: string) => (r.below(3) === 0 ? `${size} ptr ${memory()}` : xmm());
    const operation = this.#pick(['add', 'sub', 'mul', 'div', 'min', 'max']);
    switch (r.below(18)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return `${operation}sd ${xmm()}, ${operand('qword')}`;
      case 4:
        return `${operation}ss ${xmm()}, ${operand('dword')}`;
      case 5:
        return `${operation}${this.#pick(['pd', 'ps'])} ${xmm()}, ${xmm()}`;
      case 6:
        return `sqrt${this.#pick(['sd', 'pd', 'ss'])} ${xmm()}, ${xmm()}`;
      case 7:
        return `${this.#pick(['movapd', 'movsd', 'movss', 'unpcklpd', 'unpckhpd', 'movhlps', 'xorpd', 'andpd', 'pxor', 'paddd'])} ${xmm()}, ${xmm()}`;
      case 8:
        return `${this.#pick(['comisd', 'ucomisd', 'ucomiss'])} ${xmm()}, ${xmm()}`;
      case 9:
        return this.#pick([
          `cvtsd2ss ${xmm()}, ${xmm()}`,
          `cvtss2sd ${xmm()}, ${xmm()}`,
          `cvtsd2si rax, ${xmm()}`,
          `cvttsd2si ecx, ${xmm()}`,
        ]);
      case 10:
        return `movsd ${xmm()}, qword ptr ${memory()}`;
      case 11:
        return this.#pick([`movsd qword ptr ${memory()}, ${xmm()}`, `movups [rbp + ${16 * r.below(8)}], ${xmm()}`, `movq rdx, ${xmm()}`]);
      case 12:
        return `mov rax, ${this.#pick(SPECIAL)}\nmovq ${xmm()}, rax`;
      case 13:
        return `cvtsi2sd ${xmm()}, ${this.#pick(R64)}`;
      case 14:
        return `mov dword ptr [rbp + 8100], ${this.#pick(CONTROLS)}\nldmxcsr [rbp + 8100]`;
      default:
        return `cvtsi2sd ${xmm()}, ${this.#pick(R32)}`;
    }
  }

  #rare(): string {
    switch (this.#r.below(8)) {
      case 0:
        return 'cpuid';
      case 1:
        return this.#around.risky('div rcx').join('\n');
      case 2:
        return this.#around.risky(`mov eax, [${this.#pick(R64)}]`).join('\n');
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
