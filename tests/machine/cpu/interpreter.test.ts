import { describe, expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import { HELPER } from '../../../src/machine/cpu/ports.ts';
import { CPL, FAULT_CODE, FAULT_CR2, FAULT_VECTOR, SEGMENT_BASE, SEGMENT_LIMIT } from '../../../src/machine/cpu/state.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { FlatMachine, type FlatOptions } from '../translator/flat-machine.ts';

const CODE = 0x1000n;
const STACK = 0x9000n;
const library = new FormLibrary({ hasPath: false });
const pathLibrary = new FormLibrary({ hasPath: true });

/** A machine with this program at CODE; HLT stops. */
function machine(text: string, options: Partial<FlatOptions> = {}, at = CODE): FlatMachine {
  const m = new FlatMachine({ library, ...options });
  m.ram.set(assembleInline(text).bytes, Number(at));
  m.state.rip = at;
  m.state.gpr[4] = STACK;
  return m;
}

const rax = (m: FlatMachine) => m.state.gpr[0];
const read64 = (m: FlatMachine, at: number) => new DataView(m.ram.buffer, m.ram.byteOffset).getBigUint64(at, true);

describe('budgets', () => {
  const loop = 'xor eax, eax\nmov ecx, 1000\nagain: add rax, rcx\ndec ecx\njnz again\nhlt';

  test.each([1, 2, 3, 4, 5, 77, 1000, 3001])('run(%d) stops at exactly that count', (n) => {
    const m = machine(loop);
    expect(m.interpreter.run(n)).toBe('budget');
    expect(m.state.count).toBe(BigInt(n));
  });

  test('any slicing gives the same end', () => {
    const whole = machine(loop);
    expect(whole.interpreter.run(1_000_000)).toBe('stop');
    const sliced = machine(loop);
    for (let n = 1; sliced.interpreter.run((n++ % 7) + 1) === 'budget'; );
    expect([sliced.state.count, sliced.state.rip, rax(sliced)]).toEqual([whole.state.count, whole.state.rip, rax(whole)]);
    expect([whole.state.count, rax(whole)]).toEqual([3003n, 500500n]);
  });

  test('a helper can shorten the budget', () => {
    const m = machine('nop\ncpuid\nnop\nnop\nnop\nhlt', {
      helper: (name, _decoded, { state }) => {
        if (name === 'CPUID') state.shortenBudget(3);
        return name === 'CPUID' ? HELPER.next : HELPER.stop;
      },
    });
    expect(m.interpreter.run(10_000_000)).toBe('budget');
    expect(m.state.count).toBe(4n);
    expect(m.interpreter.run(10)).toBe('stop');
    expect(m.state.count).toBe(6n);
  });
});

describe('faults', () => {
  test.each([true, false])('leave registers, flags, RIP and count untouched (TLB: %s)', (hasTlb) => {
    const m = machine('mov rbx, 0x7fffff000000\nstc\nmov eax, 5\nadd [rbx], rax\nhlt', { hasTlb });
    expect(m.interpreter.run(100)).toBe('fault');
    expect([m.state.count, m.state.rip, rax(m), m.state.get32(FAULT_VECTOR), m.state.get32(FAULT_CODE), m.state.get64(FAULT_CR2)]).toEqual([
      3n, CODE + 16n, 5n, 14, 2, 0x7fff_ff00_0000n,
    ]); // biome-ignore format: one list
    expect(m.state.readRflags()).toBe(3n);
  });

  test('a push to a read-only page changes nothing, and the instruction restarts', () => {
    const m = machine('mov eax, 7\npush rax\nhlt');
    m.readOnly.add(8);
    expect(m.interpreter.run(100)).toBe('fault');
    expect([m.state.count, m.state.gpr[4]]).toEqual([1n, STACK]);
    m.readOnly.clear();
    m.state.clearFault();
    expect(m.interpreter.run(100)).toBe('stop');
    expect([m.state.count, m.state.gpr[4], read64(m, 0x8ff8)]).toEqual([3n, STACK - 8n, 7n]);
  });

  test('of a repeated instruction stand at the iteration that faulted, on a store that straddles into a read-only page', () => {
    const m = machine('mov ecx, 2\nmov esi, 0x2000\nmov edi, 0x3ffc\nstd\nlea rdi, [rdi]\nrep movsq\nhlt');
    m.readOnly.add(4);
    expect(m.interpreter.run(100)).toBe('fault');
    expect([m.state.gpr[1], m.state.gpr[6], m.state.gpr[7]]).toEqual([2n, 0x2000n, 0x3ffcn]);
  });

  test('an invalid instruction is #UD when it is reached, not when it is decoded', () => {
    const m = machine('nop\nud2');
    expect(m.interpreter.run(1)).toBe('budget');
    expect(m.interpreter.run(1)).toBe('fault');
    expect([m.state.get32(FAULT_VECTOR), m.state.count, m.state.rip]).toEqual([6, 1n, CODE + 1n]);
  });

  test('a jump to a non-canonical address is #GP at the jump', () => {
    const m = machine('mov rax, 0x1000000000000000\njmp rax');
    expect(m.interpreter.run(10)).toBe('fault');
    expect([m.state.get32(FAULT_VECTOR), m.state.count]).toEqual([13, 1n]);
  });

  test('division by zero is #DE', () => {
    const m = machine('xor ecx, ecx\nmov eax, 1\ndiv rcx\nhlt');
    expect(m.interpreter.run(10)).toBe('fault');
    expect([m.state.get32(FAULT_VECTOR), m.state.count]).toEqual([0, 2n]);
  });
});

describe('repeated string instructions', () => {
  const copy = 'mov esi, 0x2000\nmov edi, 0x3000\nmov ecx, 100\nrep movsb\nhlt';

  test('count one instruction an iteration and stop between any two', () => {
    const m = machine(copy);
    for (let i = 0; i < 100; i++) m.ram[0x2000 + i] = i + 1;
    expect(m.interpreter.run(3 + 40)).toBe('budget');
    expect([m.state.gpr[1], m.state.gpr[6], m.state.gpr[7], m.ram[0x3027], m.ram[0x3028]]).toEqual([60n, 0x2028n, 0x3028n, 40, 0]);
    expect(m.interpreter.run(1000)).toBe('stop');
    expect([m.state.count, m.ram[0x3063]]).toEqual([104n, 100]);
  });

  test('with a count of zero retire once and change nothing', () => {
    const m = machine('mov esi, 5\nxor ecx, ecx\nrep movsb\nhlt');
    expect(m.interpreter.run(1000)).toBe('stop');
    expect([m.state.count, m.state.gpr[6]]).toEqual([4n, 5n]);
  });

  test('REPNE SCASB stops at the byte', () => {
    const m = machine('mov edi, 0x2000\nmov ecx, 100\nmov eax, 9\nrepne scasb\nhlt');
    m.ram[0x2005] = 9;
    expect(m.interpreter.run(1000)).toBe('stop');
    expect([m.state.gpr[1], m.state.gpr[7], m.state.count]).toEqual([94n, 0x2006n, 10n]);
  });
});

describe('self-modifying code', () => {
  test('a store to the next instruction acts at once', () => {
    // mov eax, 1 becomes mov eax, 2.
    const m = machine('call next\nnext: pop rbx\nmov byte ptr [rbx + 6], 2\nnop\nmov eax, 1\nhlt'.replace('+ 6', '+ 7'));
    expect(m.interpreter.run(100)).toBe('stop');
    expect(rax(m)).toBe(2n);
  });

  test('code that was run is decoded anew after a store', () => {
    const patched = machine('xor eax, eax\nmov ecx, 3\nagain: add eax, 1\nmov byte ptr [0x1009], 5\ndec ecx\njnz again\nhlt');
    expect(patched.interpreter.run(100)).toBe('stop');
    expect(rax(patched)).toBe(11n);
  });

  test('REP STOSB over itself ends where its own bytes changed', () => {
    // The store turns the instruction (at RDI) into NOPs: the iterations after it are gone.
    const m = machine('mov edi, 0x1010\nmov eax, 0x90\nmov ecx, 64\nnop\nrep stosb\nhlt');
    expect(m.ram[0x1010]).toBe(0xf3);
    m.interpreter.run(4);
    expect(m.interpreter.run(2)).toBe('budget');
    expect([m.state.gpr[1], m.state.gpr[7]]).toEqual([63n, 0x1011n]);
  });
});

describe('versions of a page', () => {
  class Counting extends FormLibrary {
    found = 0;
    override find(...args: Parameters<FormLibrary['find']>): ReturnType<FormLibrary['find']> {
      this.found++;
      return super.find(...args);
    }
  }

  test('that were decoded before come back without decoding, as a restored snapshot brings them', () => {
    const counting = new Counting({ hasPath: false });
    const m = machine('mov eax, 1\nagain: add eax, 1\ncmp eax, 100\njb again\nhlt', { library: counting });
    const versions = [1, 2, 3].map((n) => assembleInline(`mov eax, ${n}\nagain: add eax, ${n}\ncmp eax, 100\njb again\nhlt`).bytes);
    const ends: (bigint | undefined)[] = [];
    let decoded = 0;
    for (let round = 0; round < 4; round++) {
      for (const bytes of versions) {
        m.ram.set(bytes, Number(CODE));
        m.interpreter.codeCache.written(1);
        m.state.rip = CODE;
        expect(m.interpreter.run(1000)).toBe('stop');
        ends.push(rax(m));
      }
      if (round === 0) decoded = counting.found;
    }
    expect(ends).toEqual(Array.from({ length: 4 }, () => [100n, 100n, 102n]).flat());
    expect(counting.found).toBe(decoded);
  });

  test('are told apart by every byte', () => {
    const m = machine('mov eax, 1\nhlt');
    for (const [last, expected] of [
      [1, 1n],
      [2, 2n],
      [1, 1n],
      [3, 3n],
      [2, 2n],
    ] as const) {
      m.ram[Number(CODE) + 1] = last;
      m.interpreter.codeCache.written(1);
      m.state.rip = CODE;
      m.interpreter.run(10);
      expect(rax(m)).toBe(expected);
    }
  });
});

describe('instructions that straddle pages', () => {
  const text = 'mov eax, 0x11223344\nhlt';

  test('run, and are decoded anew when either page changes', () => {
    const m = machine(text, {}, 0x1ffdn);
    expect(m.interpreter.run(100)).toBe('stop');
    expect(rax(m)).toBe(0x1122_3344n);
    m.ram[0x2001] = 0x99;
    m.interpreter.codeCache.written(2);
    m.state.rip = 0x1ffdn;
    expect(m.interpreter.run(100)).toBe('stop');
    expect(rax(m)).toBe(0x9922_3344n);
    m.ram[0x1ffe] = 0x88;
    m.interpreter.codeCache.written(1);
    m.state.rip = 0x1ffdn;
    m.interpreter.run(100);
    expect(rax(m)).toBe(0x9922_3388n);
  });

  test('fault in the second page with nothing done', () => {
    const m = machine('nop', { ramBytes: 1 << 20 });
    m.ram.set([0xb8, 1], (1 << 20) - 2);
    m.state.rip = (1n << 20n) - 2n;
    expect(m.interpreter.run(1)).toBe('fault');
    expect([m.state.get32(FAULT_VECTOR), m.state.get64(FAULT_CR2), m.state.rip]).toEqual([14, 1n << 20n, (1n << 20n) - 2n]);
  });

  test('are decoded anew when the second page is mapped to another frame', () => {
    const m = machine(text, {}, 0x1ffdn);
    m.interpreter.run(100);
    m.ram.set([0x77, 0x66, 0xf4], 0x5000);
    m.mapped.set(2, 5);
    m.state.flushTlb();
    m.state.rip = 0x1ffdn;
    expect(m.interpreter.run(100)).toBe('stop');
    expect(rax(m)).toBe(0x6677_3344n);
  });

  test('a hot loop across a page border runs', () => {
    const m = machine('mov ecx, 1000\nagain: add rax, 0x11223344\ndec ecx\njnz again\nhlt', {}, 0x1ff8n);
    expect(m.interpreter.run(100_000)).toBe('stop');
    expect(rax(m)).toBe(0x1122_3344n * 1000n);
  });
});

test('code goes on into the next page, in both orders of decoding', () => {
  // The first instruction ends exactly with its page; page 2 has its table before and after page 1's.
  for (const entries of [[0x1ffen], [0x2000n, 0x1ffen], [0x1ffen, 0x2000n]]) {
    const m = machine('xor eax, eax\ninc eax\nhlt', {}, 0x1ffen);
    for (const entry of entries) {
      m.state.rip = entry;
      expect(m.interpreter.run(100)).toBe('stop');
    }
    expect(m.state.count).toBe(BigInt(entries.reduce((sum, entry) => sum + (entry === 0x2000n ? 2 : 3), 0)));
  }
});

describe('translations of fetches', () => {
  test('code decoded for the kernel is not thereby executable for the user', () => {
    const m = machine('nop\nnop\nhlt');
    m.supervisorOnly.add(1);
    expect(m.interpreter.run(1)).toBe('budget');
    m.state.set32(CPL, 3);
    expect(m.interpreter.run(1)).toBe('fault');
    expect([m.state.get32(FAULT_VECTOR), m.state.get32(FAULT_CODE), m.state.count]).toEqual([14, 0x15, 1n]);
  });

  test('a page that is mapped elsewhere after a flush runs the other frame, and both stay decoded', () => {
    const m = machine('mov eax, 1\nhlt');
    m.ram.set(assembleInline('mov eax, 2\nhlt').bytes, 0x6000);
    for (const [frame, expected] of [
      [1, 1n],
      [6, 2n],
      [1, 1n],
    ] as const) {
      m.mapped.set(1, frame);
      m.state.flushTlb();
      m.state.rip = CODE;
      m.interpreter.run(10);
      expect(rax(m)).toBe(expected);
    }
  });

  test('a helper that drops the translation acts on the very next instruction', () => {
    const m = machine('nop\ncpuid\nmov eax, 1\nhlt', {
      helper: (name, _decoded, machine) => {
        if (name !== 'CPUID') return HELPER.stop;
        machine.mapped.set(1, 6);
        machine.state.flushTlb();
        return HELPER.next;
      },
    });
    m.ram.set(assembleInline('nop\ncpuid\nmov eax, 2\nhlt').bytes, 0x6000);
    expect(m.interpreter.run(10)).toBe('stop');
    expect(rax(m)).toBe(2n);
  });
});

describe('limits of the code cache', () => {
  /** A chain of jumps through `pages` pages, round and round. */
  const chain = (m: FlatMachine, pages: number) => {
    for (let i = 0; i < pages; i++) {
      const next = i === pages - 1 ? 0x1000 : 0x1000 * (i + 2);
      m.ram.set([0xff, 0xc0, 0xe9], 0x1000 * (i + 1)); // inc eax; jmp next
      new DataView(m.ram.buffer, m.ram.byteOffset).setInt32(0x1000 * (i + 1) + 3, next - (0x1000 * (i + 1) + 7), true);
    }
  };

  test('a full arena is begun anew', () => {
    const m = machine('nop', { codeBytes: 1 << 18 });
    chain(m, 100);
    expect(m.interpreter.run(2000)).toBe('budget');
    expect([rax(m), m.state.count]).toEqual([1000n, 2000n]);
  });

  test('a worn library of forms is renewed under machines that share it', () => {
    const small = new FormLibrary({ hasPath: false, capacity: 12 });
    const program = (n: number) =>
      `mov ecx, 40\nagain: ${['add rax, rcx', 'xor rax, rdx', 'sub eax, ecx', 'rol rax, 3', 'or al, cl', 'not rax'].slice(n % 3).join('\n')}\npshufd xmm0, xmm1, ${n}\ndec ecx\njnz again\nhlt`;
    const machines = [0, 1, 2, 3].map((n) => machine(program(n), { library: small }));
    const alone = [0, 1, 2, 3].map((n) => machine(program(n)));
    for (const m of alone) m.interpreter.run(10_000);
    const running = new Set(machines);
    while (running.size > 0) for (const m of running) if (m.interpreter.run(7) === 'stop') running.delete(m);
    expect(small.generation).toBeGreaterThan(2);
    expect(machines.map((m) => [rax(m), m.state.count])).toEqual(alone.map((m) => [rax(m), m.state.count]));
  });
});

describe('path', () => {
  const program =
    'mov ecx, 3\nagain: call twice\ndec ecx\njnz again\nlea rax, [rip + done]\njmp rax\ndone: push rax\nlea rdx, [rip + end]\nmov [rsp], rdx\nret\nend: mov ecx, 2\nrep lodsb\nhlt\ntwice: ret';

  test('is branch bits, REP bits, matched returns and targets in order', () => {
    const m = machine(program, { library: pathLibrary });
    expect(m.interpreter.run(1000)).toBe('stop');
    const { bits, bitCount, targetCount } = m.interpreter.drainPath();
    // three calls: return matches, jnz taken twice; then a return without a call; two iterations of LODSB
    expect(Array.from({ length: bitCount }, (_, i) => ((bits[i >> 3] ?? 0) >> (i & 7)) & 1)).toEqual([1, 1, 1, 1, 1, 0, 0, 1, 0]);
    expect(targetCount).toBe(2);
  });

  test('does not depend on slices and drains', () => {
    const whole = machine(program, { library: pathLibrary });
    whole.interpreter.run(1000);
    const all = whole.interpreter.drainPath();
    const sliced = machine(program, { library: pathLibrary });
    const bits: number[] = [];
    const guesses: number[] = [];
    const targets: bigint[] = [];
    for (let reason = 'budget'; reason === 'budget'; ) {
      reason = sliced.interpreter.run(2);
      const part = sliced.interpreter.drainPath();
      for (let i = 0; i < part.bitCount; i++) bits.push(((part.bits[i >> 3] ?? 0) >> (i & 7)) & 1);
      for (let i = 0; i < part.targetCount; i++) guesses.push(((part.guesses[i >> 3] ?? 0) >> (i & 7)) & 1);
      targets.push(...part.targets);
    }
    expect(bits).toEqual(Array.from({ length: all.bitCount }, (_, i) => ((all.bits[i >> 3] ?? 0) >> (i & 7)) & 1));
    expect(guesses).toEqual(Array.from({ length: all.targetCount }, (_, i) => ((all.guesses[i >> 3] ?? 0) >> (i & 7)) & 1));
    expect(targets).toEqual([...all.targets]);
  });

  test('fills its buffer at an exact count and goes on after a drain', () => {
    const m = machine('mov ecx, 5000000\nagain: dec ecx\njnz again\nhlt', { library: pathLibrary });
    let taken = 0;
    let reason = '';
    let rounds = 0;
    while ((reason = m.interpreter.run(20_000_000)) === 'path-full') {
      rounds++;
      taken += m.interpreter.drainPath().bitCount;
    }
    expect([reason, rounds > 0, taken + m.interpreter.drainPath().bitCount]).toEqual(['stop', true, 5_000_000]);
  });
});

describe('modes', () => {
  test('32-bit code with flat segments', () => {
    const m = new FlatMachine({ library });
    m.setMode(32);
    // mov eax, 5; inc eax; push eax; mov ebx, [esp]; hlt
    m.ram.set([0xb8, 5, 0, 0, 0, 0x40, 0x50, 0x8b, 0x1c, 0x24, 0xf4], 0x1000);
    m.state.rip = 0x1000n;
    m.state.gpr[4] = 0x9000n;
    expect(m.interpreter.run(100)).toBe('stop');
    expect([m.state.gpr[0], m.state.gpr[3], m.state.gpr[4]]).toEqual([6n, 6n, 0x8ffcn]);
  });

  test('16-bit code with a segment base in front of RIP and data', () => {
    const m = new FlatMachine({ library });
    m.setMode(16);
    const { state } = m;
    state.set64(SEGMENT_BASE + 8, 0x1000n);
    state.set64(SEGMENT_BASE + 24, 0x3000n);
    // mov ax, [0x10]; jmp $+2; hlt
    m.ram.set([0xa1, 0x10, 0x00, 0xeb, 0x00, 0xf4], 0x1100);
    m.ram.set([0x34, 0x12], 0x3010);
    state.rip = 0x100n;
    expect(m.interpreter.run(100)).toBe('stop');
    expect([state.gpr[0], state.rip]).toEqual([0x1234n, 0x105n]);
  });

  test('RIP plus the base of CS wraps at 4 GiB', () => {
    const m = new FlatMachine({ library });
    m.setMode(32);
    m.state.set64(SEGMENT_BASE + 8, 0xffff_f000n);
    m.ram.set([0x40, 0xf4], 0x3000);
    m.state.rip = 0x4000n;
    expect(m.interpreter.run(100)).toBe('stop');
    expect([m.state.gpr[0], m.state.rip]).toEqual([1n, 0x4001n]);
  });

  test('a segment limit is #GP', () => {
    const m = new FlatMachine({ library });
    m.setMode(16);
    m.state.set32(SEGMENT_LIMIT + 12, 0x10);
    m.ram.set([0xa1, 0x10, 0x00], 0x1100);
    m.state.rip = 0x1100n;
    expect(m.interpreter.run(100)).toBe('fault');
    expect([m.state.get32(FAULT_VECTOR), m.state.rip]).toEqual([13, 0x1100n]);
  });
});
