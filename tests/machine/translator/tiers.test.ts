import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import { MXCSR } from '../../../src/machine/cpu/state.ts';
import { decode } from '../../../src/machine/isa/decode.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Random } from '../cpu/interpreter-judge.ts';
import { FlatMachine, type FlatOptions } from './flat-machine.ts';
import { lockstep } from './lockstep.ts';

const SEED = Number(process.env['SEED'] ?? 1);

describe.each([
  [false, false],
  [true, false],
  [true, true],
])('random programs, path recorded: %s, addresses recorded: %s', (hasPath, hasAddresses) => {
  test('tier 1 does what tier 0 does, however runs are cut', { timeout: 120_000 }, () => {
    const library = new FormLibrary({ hasPath, hasAddresses });
    let instructions = 0;
    for (let n = 0; n < 12; n++) {
      const verdict = lockstep(new Random(SEED * 1000 + n), { tiers: [0, 1], library });
      expect(verdict.difference, `seed ${SEED}, program ${n}:\n${verdict.text}`).toBeNull();
      instructions += verdict.instructions;
    }
    // Programs that end at once would find nothing.
    expect(instructions).toBeGreaterThan(20_000);
  });
});

/** R15 rounds of loops of 1 to 200 turns, each of which has one bit of the path: the branch back is taken, or the way out is, or there is a call on the way. */
const TURNS = `again:
imul r12, r12, 0x5851f42d
add r12, 12345
mov rdx, r12
shr rdx, 20
and edx, 127
mov rcx, rdx
inc rcx
back: mov [rbp + rcx * 8], rcx
dec rcx
jnz back
test r12, 0x40000000
jz out
inc rbx
out: dec rdx
js left
add rbx, rdx
jmp out
left: mov ecx, 70
both: add rbx, rcx
jmp next
next: dec rcx
jnz both
dec r15
jnz again
hlt`;

test.each([1000, 100_000])('turns of a loop are bits of the path when it is left, by its end or within (runs of up to %i)', (most) => {
  const r = new Random(SEED);
  const library = new FormLibrary({ hasPath: true });
  const machines = ([0, 1] as const).map((tier) => {
    const m = new FlatMachine({ library, tier });
    m.ram.set(assembleInline(TURNS).bytes, 0x4000);
    m.state.gpr[5] = 0x20000n;
    m.state.gpr[15] = 300n;
    m.state.rip = 0x4000n;
    return m;
  });
  let bits = 0;
  for (let isOver = false; !isOver; ) {
    const budget = 1 + r.below(most);
    const [a, b] = machines.map(({ interpreter, state }) => {
      const stop = interpreter.run(budget);
      const path = interpreter.drainPath();
      bits += path.bitCount;
      isOver = stop === 'stop';
      return `${stop} ${state.retired} ${state.rip} ${path.bitCount} ${path.bits.join()}`;
    });
    expect(b).toBe(a);
  }
  expect(bits).toBeGreaterThan(50_000);
});

/** A program that calls into the next page, over and over, for a machine whose fetches go where `mapped` says. */
function twoPages(tier: Tier): FlatMachine {
  const text =
    'again: call there\nadd rbx, rax\nlea rdx, [rip + 0]\nadd rcx, rdx\ndec r15\njnz again\nhlt\n.balign 4096\nthere: mov eax, 1\nret';
  const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier });
  const { bytes } = assembleInline(text);
  m.ram.set(bytes, 0x4000);
  // The same code with another callee.
  m.ram.set(bytes.subarray(4096), 0x8000);
  m.ram[0x8001] = 7;
  m.state.gpr[4] = 0x20000n;
  return m;
}

function run(m: FlatMachine, rip: bigint): readonly bigint[] {
  m.state.rip = rip;
  m.state.gpr[1] = 0n;
  m.state.gpr[3] = 0n;
  m.state.gpr[15] = 100n;
  expect(m.interpreter.run(100_000)).toBe('stop');
  return [m.state.gpr[3] ?? 0n, m.state.gpr[1] ?? 0n, m.state.rip];
}

test('a region serves every address at which its frames lie, and no other frames', () => {
  const [a, b] = [twoPages(0), twoPages(1)];
  for (const m of [a, b]) m.mapped.set(10, 4).set(11, 5);
  for (const rip of [0x4000n, 0xa000n, 0x4000n, 0xa000n]) expect(run(b, rip)).toEqual(run(a, rip));
  // Another frame behind the second page: the region may not go on into the old one.
  for (const m of [a, b]) {
    m.mapped.set(11, 8);
    m.state.flushExecuteTlb();
  }
  expect(run(b, 0xa000n)).toEqual(run(a, 0xa000n));
  expect(run(a, 0xa000n)[0]).toBe(700n);
  expect(run(b, 0x4000n)).toEqual(run(a, 0x4000n));
});

/** Denormals are taken for zeros (DAZ); xmm2 is 2^1000, r12 and xmm4 a denormal: xmm0 · xmm2 is 0 for it, and ordinary where the region believes that xmm0 is. */
test.each([
  ['it is written as an integer', 'cvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\nmovq xmm0, r12'],
  ['a part of it is written', 'cvtsi2sd xmm0, r11d\naddsd xmm0, xmm0\nmovss xmm0, xmm4'],
  ['another is copied to it', 'cvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\nmovapd xmm0, xmm4'],
  ['a load fills it', 'mov [rbp], r12\ncvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\nmovsd xmm0, [rbp]'],
  ['ways join', 'cvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\ntest r15, 1\njz odd\nnop\njmp join\nodd: movapd xmm0, xmm4\njoin: nop'],
  [
    'a way forks',
    'movapd xmm0, xmm4\ntest r15, 1\njz even\nmulsd xmm0, xmm2\nmovq rax, xmm0\nadd rcx, rax\njmp join\neven: cvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\njoin: nop',
  ],
  [
    'a loop goes round',
    'cvtsi2sd xmm0, r15d\nmov r14d, 3\nloop: mulsd xmm0, xmm2\nmovq rax, xmm0\nadd rcx, rax\nmovapd xmm0, xmm4\ndec r14\njnz loop',
  ],
])('what is known of a floating-point register is forgotten where %s', (_, body) => {
  const results = ([0, 1] as const).map((tier) => {
    const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier });
    const text = `again:\n${body}\nmulsd xmm0, xmm2\nmovq rax, xmm0\nadd rcx, rax\ndec r15\njnz again\nhlt`;
    m.ram.set(assembleInline(text).bytes, 0x4000);
    m.state.gpr[12] = 0x000f_ffff_ffff_ffffn;
    m.state.gpr[5] = 0x20000n;
    m.state.setXmm(2, 0x7e70n << 48n);
    m.state.setXmm(3, 0x3ff8n << 48n);
    m.state.setXmm(4, 0x000f_ffff_ffff_ffffn);
    m.state.set32(MXCSR, 0x1fe0);
    run(m, 0x4000n);
    return [m.state.gpr[1], m.state.xmm(0), m.state.get32(MXCSR)];
  });
  expect(results[1]).toEqual(results[0]);
});

test('a floating-point instruction of which nothing is needed still raises its exceptions', () => {
  for (const instruction of ['comisd xmm0, xmm1', 'addsd xmm2, xmm0', 'ucomisd xmm1, xmm0']) {
    const controls = ([0, 1] as const).map((tier) => {
      const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier });
      m.ram.set(
        assembleInline(`again: ${instruction}\nmov eax, 1\nmovapd xmm2, xmm1\nxor edx, edx\ndec r15\njnz again\nhlt`).bytes,
        0x4000,
      );
      run(m, 0x4000n);
      m.state.setXmm(0, 1n);
      m.state.setXmm(1, 0x3ff0n << 48n);
      m.state.set32(MXCSR, 0x1fa0);
      run(m, 0x4000n);
      return m.state.get32(MXCSR);
    });
    expect(controls[0], instruction).toBe(0x1fa2);
    expect(controls[1], instruction).toBe(0x1fa2);
  }
});

/** RAX lies 16 bytes before a page that cannot be written, RBX in another page, the stack below it. What faults is left out. */
test.each([
  ['a sum crosses into the next page', 'mov [rax], rcx\nadd rax, 24\nmov [rax], r15'],
  ['an access crosses into it', 'mov [rax], rcx\nmov [rax + 12], r15'],
  ['it lies before the page', 'mov [rax], rcx\nmov [rax - 4090], r15'],
  ['the register gets another value', 'mov [rax], rcx\nimul rax, rax, 3\nand eax, 0x1fff8\nmov [rax + 0x20000], r15'],
  ['its lower half is written', 'mov [rax], rcx\nadd eax, 24\nmov [rax], r15'],
  ['it is written under a condition', 'mov [rax], rcx\ntest r15, 1\ncmovz rax, rbx\nmov [rax], r15'],
  ['registers are exchanged', 'mov [rax], rcx\nmov [rbx], rcx\nxchg rax, rbx\nmov [rax + 8], r15\nmov [rbx + 8], r15'],
  ['an index moves', 'mov [rax + rdx*8], rcx\nadd rdx, 3\nmov [rax + rdx*8], r15\nmov [rbx + rdx*8], r15'],
  ['ways join', 'mov [rax], rcx\nmov [rbx], rcx\ntest r15, 1\njz odd\nmov rax, rbx\nodd: mov [rax - 8], r15\nmov [rbx - 16], r15'],
  [
    'a way forks',
    'lea rax, [rax + r15*8 - 800]\nlea r8, [rax]\ntest r15, 1\njz odd\nmov [rax + 8], rcx\njmp both\nodd: mov [rax], r15\nboth: nop',
  ],
  ['a loop goes round', 'mov r14d, 3\nloop: mov [rax], r14\nadd rax, 2000\nmov [rax + 8], r15\ndec r14\njnz loop'],
  ['the stack crosses pages', 'push rcx\npush r15\npush rax\npop r8\nsub rsp, 4000\npush r8\npush r15\nadd rsp, 4032'],
])('what a region knows of an address holds where %s', (_, body) => {
  const seen = ([0, 1] as const).map((tier) => {
    const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier });
    const text = `again:\nlea rcx, [r15 + r15*8 + 5]\nxor edx, edx\nmov eax, 0x20ff0\nmov ebx, 0x22ff0\nmov esp, 0x25008\n${body}\nmov rdi, [rax]\nadd r9, rdi\ndec r15\njnz again\nhlt`;
    m.ram.set(assembleInline(text).bytes, 0x4000);
    m.readOnly.add(0x21);
    m.state.rip = 0x4000n;
    m.state.gpr[15] = 40n;
    let faults = 0;
    for (let reason = ''; reason !== 'stop'; ) {
      reason = m.interpreter.run(100_000);
      if (reason !== 'fault') continue;
      faults++;
      const decoded = decode(m.ram, Number(m.state.rip), 64, 15);
      m.state.clearFault();
      m.state.rip += BigInt(typeof decoded === 'string' ? 1 : decoded.length);
    }
    return [faults, createHash('sha256').update(m.ram).digest('hex'), ...m.state.gpr];
  });
  expect(seen[1]).toEqual(seen[0]);
});

test('what a region knows of an address does not outlive a refill by which stores there must be told', () => {
  const told = ([0, 1] as const).map((tier) => {
    let stores = 0;
    const missed: FlatOptions['missed'] = (how, low, machine) => {
      if (how === 'store' && low === 0x20008) stores++;
      else if (how !== 'store' && low >= 0x30000) machine.watchCode(0x20);
    };
    const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier, missed });
    const text = 'again: mov [rax], rcx\nmov rdi, [r12]\nmov [rax + 8], r15\nadd r12, 4096\ndec r15\njnz again\nhlt';
    m.ram.set(assembleInline(text).bytes, 0x4000);
    m.state.gpr[0] = 0x20000n;
    m.state.gpr[12] = 0x30000n;
    run(m, 0x4000n);
    return stores;
  });
  expect(told).toEqual([100, 100]);
});
