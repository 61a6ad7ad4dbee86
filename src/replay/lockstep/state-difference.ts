/** In which registers, bytes of memory and translations two machines differ: by name, for people. */
import type { Machine, Registers } from '../../machine/index.ts';

const GPR = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];

/** Every register by name, as a number. */
export function registerValues(registers: Registers): Map<string, bigint> {
  const { segments, gdtr, idtr, xmm, x87, msr } = registers;
  const little = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return new Map<string, bigint>([
    ...GPR.map((name, i) => [name, registers.gpr[i] ?? 0n] as const),
    ...(['rip', 'rflags', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer', 'tsc'] as const).map((name) => [name, registers[name]] as const),
    ['cpl', BigInt(registers.cpl)],
    ['mxcsr', BigInt(registers.mxcsr)],
    ...Object.entries(segments).flatMap(([name, { selector, base, limit, attributes }]) => [
      [name, BigInt(selector)] as const,
      [`${name} base`, base] as const,
      [`${name} limit`, BigInt(limit)] as const,
      [`${name} attributes`, BigInt(attributes)] as const,
    ]),
    ...Object.entries({ gdtr, idtr }).flatMap(([name, { base, limit }]) => [
      [`${name} base`, base] as const,
      [`${name} limit`, BigInt(limit)] as const,
    ]),
    ...registers.dr.map((value, i) => [`dr${i}`, value] as const),
    ...Array.from({ length: 16 }, (_, i) => [`xmm${i}`, little(xmm.subarray(16 * i, 16 * i + 16))] as const),
    ...registers.x87Control.map((value, i) => [['fcw', 'fsw', 'ftw'][i] ?? '', BigInt(value)] as const),
    ...Array.from({ length: 8 }, (_, i) => [`st${i}`, little(x87.subarray(32 + 16 * i, 48 + 16 * i))] as const),
    ...Object.entries(msr),
  ]);
}

/** A page of RAM that differs. */
export interface DifferentPage {
  readonly frame: number;
  /** Physical address of the first word that does, and how many do. */
  readonly first: number;
  readonly words: number;
}

export interface StateDifference {
  /** Registers that differ, with both values. */
  readonly registers: ReadonlyMap<string, readonly [bigint, bigint]>;
  /** Physical addresses of the 8-byte words that differ, the first of them, and how many there are. */
  readonly words: readonly number[];
  readonly wordCount: number;
  /** The pages in which they lie. */
  readonly pages: readonly DifferentPage[];
  /** Translations that one machine has alone, as `translationTexts` gives them. */
  readonly translations: readonly string[];
  /** One line for each thing that differs. */
  readonly lines: readonly string[];
}

const MOST_WORDS = 16;
const MOST_LINES = 16;

export function stateDifference(a: Machine, b: Machine): StateDifference {
  const others = registerValues(b.registers());
  const registers = new Map<string, readonly [bigint, bigint]>();
  for (const [name, value] of registerValues(a.registers())) {
    const other = others.get(name) ?? 0n;
    if (value !== other) registers.set(name, [value, other]);
  }
  const { words, wordCount, pages } = differentWords(a.ram, b.ram);
  const first = translationTexts(a);
  const second = translationTexts(b);
  const translations = [...[...first].filter((text) => !second.has(text)), ...[...second].filter((text) => !first.has(text))];
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  const word = (machine: Machine, at: number) => hex(machine.ram.getBigUint64(at, true));
  const lines = [
    ...[...registers].map(([name, values]) => `${name}: ${values.map(hex).join(' against ')}`),
    ...words.map((at) => `memory at physical ${hex(BigInt(at))}: ${word(a, at)} against ${word(b, at)}`),
    ...(wordCount > words.length ? [`${wordCount - words.length} more words of memory`] : []),
    ...translations.slice(0, MOST_LINES).map((text) => `translation on the ${first.has(text) ? 'first' : 'second'} machine alone: ${text}`),
  ];
  return { registers, words, wordCount, pages, translations, lines };
}

function differentWords(a: DataView, b: DataView): { words: number[]; wordCount: number; pages: DifferentPage[] } {
  const different: DifferentPage[] = [];
  const [left, right] = [a, b].map((view) => new BigUint64Array(view.buffer, view.byteOffset, view.byteLength / 8)) as [
    BigUint64Array,
    BigUint64Array,
  ];
  const words: number[] = [];
  let wordCount = 0;
  for (let page = 0; page < left.length; page += 512) {
    const pages = [left.subarray(page, page + 512), right.subarray(page, page + 512)] as const;
    if (
      Buffer.compare(Buffer.from(pages[0].buffer, pages[0].byteOffset, 4096), Buffer.from(pages[1].buffer, pages[1].byteOffset, 4096)) === 0
    )
      continue;
    let [first, count] = [0, 0];
    for (let i = 511; i >= 0; i--) {
      if (pages[0][i] === pages[1][i]) continue;
      first = 8 * (page + i);
      count++;
    }
    for (let i = 0; i < 512 && words.length < MOST_WORDS; i++) if (pages[0][i] !== pages[1][i]) words.push(8 * (page + i));
    wordCount += count;
    different.push({ frame: page / 512, first, words: count });
  }
  return { words, wordCount, pages: different };
}

/** All translations of a machine, a text each. */
export function translationTexts(machine: Machine): Set<string> {
  return new Set(machine.translations().map((entry) => JSON.stringify(entry, plain)));
}

const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value);
