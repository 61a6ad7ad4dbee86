import { describe, expect, test } from 'vitest';
import { CAPTURE, type Observer, QuietHost, RegisterCapture, type Stop } from '../../../src/machine/index.ts';
import { boot, print, run, user, WINDOW } from './guest.ts';

/** APIC on, timer periodic every `period` instructions at vector 32, divided by 1. */
const timer = (period: number, periodic = true): string => `
  mov ebx, 0xFEE00000
  mov dword ptr [rbx + 0xF0], 0x1FF
  mov dword ptr [rbx + 0x3E0], 0xB
  mov dword ptr [rbx + 0x320], ${periodic ? '0x20020' : '0x20'}
  mov dword ptr [rbx + 0x380], ${period}
`;

/** A guest with everything that could depend on how a run is cut: timer, HLT, faults, strings, stores to code, random numbers. */
const BUSY = `
${timer(777)}
  sti
  mov r8, 60
1:
  rdrand rax
  add r9, rax
  mov rdi, offset page_c
  mov rcx, 100
  rep stosq
  mov rax, offset 2f
  mov qword ptr [resume], rax
  mov qword ptr [resume_rsp], rsp
  mov rax, qword ptr [0x80000000]
2:
  sti
  inc byte ptr [rip + 3f + 1]
3:
  mov eax, 0
  test r8, 7
  jnz 4f
  hlt
4:
  dec r8
  jnz 1b
  cli
  mov rax, qword ptr [ticks]
  call puthex
  mov rax, r9
  call puthex
`;

const END = 10_000_000n;

describe('a run', () => {
  test('is the same each time, and with another seed another', async () => {
    const results = [];
    for (const seed of ['a', 'a', 'b']) {
      const { machine, host } = await boot(BUSY, { seed });
      const stop = machine.run(END);
      results.push({ stop, count: machine.count, hash: machine.hash(), text: host.text });
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[0]?.stop).toEqual({ reason: 'debug-exit', code: 0 });
    expect(results[2]?.hash).not.toBe(results[0]?.hash);
  });

  test('does not depend on how it is cut into budgets', async () => {
    const outcomes = [];
    for (const step of [END, 1n, 7n, 1000n]) {
      const { machine, host } = await boot(BUSY);
      const events: string[] = [];
      machine.observer = {
        irq: (at, vector, target) => events.push(`${at} irq ${vector} ${target}`),
        exception: (at, vector, code, cr2, rip) => events.push(`${at} exception ${vector} ${code} ${cr2} ${rip}`),
        halt: (at, ticks) => events.push(`${at} halt ${ticks}`),
      };
      let stop: Stop = { reason: 'limit' };
      let until = 0n;
      while (stop.reason === 'limit') {
        until += step;
        stop = machine.run(until);
      }
      outcomes.push({ stop, count: machine.count, hash: machine.hash(), text: host.text, events });
    }
    expect(outcomes[0]?.events.length).toBeGreaterThan(50);
    for (const outcome of outcomes.slice(1)) expect(outcome).toEqual(outcomes[0]);
  });

  test('goes on from a snapshot as it would have gone on', async () => {
    const { machine, host } = await boot(BUSY);
    machine.run(15_000n);
    const snapshot = machine.snapshot();
    const hash = machine.hash();
    const printed = host.text.length;
    const ends = [];
    for (let i = 0; i < 3; i++) {
      machine.run(END);
      ends.push({ count: machine.count, hash: machine.hash(), text: host.text.slice(printed) });
      machine.restore(snapshot);
      expect({ count: machine.count, hash: machine.hash() }).toEqual({ count: 15_000n, hash });
      host.bytes.length = printed;
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2]).toEqual(ends[0]);
  });

  test('records its path for nobody without end', async () => {
    const { machine } = await boot('  mov ecx, 6000000\n1:\n  dec ecx\n  jnz 1b', { record: { path: true, addresses: false } });
    expect(machine.run(20_000_000n)).toMatchObject({ reason: 'debug-exit' });
    expect(machine.count).toBeGreaterThan(12_000_000n);
  });

  test('goes on in another machine from stored parts', async () => {
    const first = await boot(BUSY);
    first.machine.run(20_000n);
    const { state } = first.machine.snapshot();
    const pages = first.machine.snapshot().pages(null);
    const other = await boot('  nop');
    other.machine.restoreFrom({ state, ...pages });
    expect(other.machine.count).toBe(20_000n);
    expect(other.machine.hash()).toBe(first.machine.hash());
    first.machine.run(END);
    other.machine.run(END);
    expect(other.machine.hash()).toBe(first.machine.hash());
  });

  test('moves between snapshots in any order', async () => {
    const { machine } = await boot(BUSY);
    const points = [];
    for (const count of [14_000n, 18_000n, 22_000n]) {
      machine.run(count);
      points.push({ snapshot: machine.snapshot(), hash: machine.hash() });
    }
    for (const i of [0, 2, 1, 1, 0, 2]) {
      const point = points[i];
      if (point === undefined) throw new Error('no such point');
      machine.restore(point.snapshot);
      expect(machine.hash()).toBe(point.hash);
    }
  });

  test('has a hash that sees registers, memory and devices', async () => {
    const hashes = new Set<string>();
    for (const change of ['  nop', '  mov r15, 1', '  mov byte ptr [page_c], 1', '  mov al, 5\n  mov dx, 0x3FF\n  out dx, al']) {
      const { machine } = await boot(`${change}\n  jmp 1f\n  .balign 64\n1:\n`);
      machine.run(END);
      hashes.add(machine.hash());
    }
    expect(hashes.size).toBe(4);
  });
});

describe('interrupts', () => {
  test('arrive at their exact count, and one-shot timers once', async () => {
    const { machine } = await boot(`${timer(1000, false)}\n  sti\n  mov ecx, 2000\n1:\n  dec ecx\n  jnz 1b\n`);
    const at: bigint[] = [];
    let armed = 0n;
    machine.observer = {
      irq: (count) => at.push(count),
      mmio: (count, _device, offset) => {
        if (offset === 0x380) armed = count;
      },
    };
    machine.run(END);
    // The counter starts when the store has retired.
    expect(at).toEqual([armed + 1n + 1000n]);
  });

  test('are held off by STI for one instruction, and by MOV SS', async () => {
    const pending = `${timer(50, false)}\n  mov ecx, 100\n1:\n  dec ecx\n  jnz 1b\n`;
    for (const [code, later] of [
      ['sti\n nop\n nop', 2n],
      ['sti\n mov eax, 0x10\n nop\n nop', 2n],
      ['mov eax, 0x10\n sti\n mov ss, ax\n nop\n nop', 4n],
      ['pushfq\n or qword ptr [rsp], 512\n popfq\n nop', 3n],
    ] as const) {
      const { machine } = await boot(`${pending}\n  mov r15, 0x1234\n ${code}\n`);
      let at = 0n;
      machine.observer = {
        irq: (count) => {
          at = count;
        },
      };
      while (machine.register(15) !== 0x1234n) machine.run(machine.count + 1n);
      const start = machine.count + (code.startsWith('mov eax, 0x10\n sti') ? 1n : 0n);
      machine.run(END);
      expect([code, at - start]).toEqual([code, code.startsWith('mov eax, 0x10\n sti') ? later - 1n : later]);
    }
  });

  test('wake HLT, which counts one and lets virtual time pass', async () => {
    const { machine, host } = await boot(
      `${timer(1_000_000, false)}\n  rdtsc\n  mov r8, rax\n  sti\n  hlt\n  cli\n  rdtsc\n  sub rax, r8\n  call puthex\n  mov rax, qword ptr [ticks]\n  call puthex\n`,
    );
    machine.run(END);
    expect(machine.count).toBeLessThan(100_000n);
    const [elapsed, ticks] = host.text.split(' ');
    expect(ticks).toBe('1');
    expect(Number.parseInt(elapsed ?? '', 16)).toBeGreaterThan(999_000);
  });

  test('with IF clear HLT is the end', async () => {
    const { machine } = await boot('  cli\n  hlt\n');
    expect(machine.run(END)).toEqual({ reason: 'halt' });
    expect(machine.run(END)).toEqual({ reason: 'halt' });
  });

  test('with IF clear HLT is the end, also where a timer runs', async () => {
    const { machine } = await boot(`${timer(1000, false)}\n  cli\n  hlt\n  mov r15, 1\n`);
    expect([machine.run(END), machine.run(END), machine.register(15)]).toEqual([{ reason: 'halt' }, { reason: 'halt' }, 0n]);
  });

  test('preempt user mode, and IRET goes back', async () => {
    const loop = 'pushfq\n pop rax\n mov ecx, 5000\n1:\n dec ecx\n jnz 1b\n syscall';
    const { machine, host } = await boot(`${timer(500)}\n${user('loop', loop, 0x202)}`);
    const seen: string[] = [];
    const registers = new RegisterCapture();
    const observer: Observer = {
      enterKernel: (_at, cause) => seen.push(`in ${cause}`),
      enterUser: (_at, how) => {
        machine.captureRegisters(registers);
        seen.push(`out ${how} ${registers.words[CAPTURE.cpl]} ${(registers.words[CAPTURE.rflags] ?? 0n) & 0x3200n}`);
      },
    };
    machine.observer = observer;
    machine.run(END);
    expect(host.text).toMatch(/^loop: syscall/);
    expect(seen[0]).toBe('out sysret 3 512');
    expect(seen.filter((s) => s === 'in irq').length).toBeGreaterThan(15);
    expect(seen.filter((s) => s === 'out iret 3 512').length).toBe(seen.filter((s) => s === 'in irq').length);
    expect(seen.at(-1)).toBe('in syscall');
  });

  test('an IPI to itself is delivered, also as NMI', async () => {
    const text = await run(`
${timer(0)}
  sti
  mov dword ptr [rbx + 0x300], 0x40021
  nop
  mov rax, qword ptr [ticks]
  call puthex
  mov rax, offset 1f
  mov qword ptr [resume], rax
  mov qword ptr [resume_rsp], rsp
  mov dword ptr [rbx + 0x300], 0x40400
  nop
  nop
1:
`);
    expect(text).toMatch(/^1 #2 0 /);
  });
});

test('a serial byte wakes HLT through the 8259 and LINT0', async () => {
  class Typist extends QuietHost {
    readonly keys = [...'ok'].map((c) => c.charCodeAt(0));
    override serialInput(): number | null {
      return this.keys.shift() ?? null;
    }
  }
  const outb = (port: number, value: number) => `  mov dx, ${port}\n  mov al, ${value}\n  out dx, al\n`;
  const host = new Typist();
  const { machine } = await boot(
    `
${outb(0x20, 0x11)}${outb(0x21, 0x20)}${outb(0x21, 4)}${outb(0x21, 3)}${outb(0x21, 0xef)}
${outb(0x3fc, 8)}${outb(0x3f9, 1)}
  mov ebx, 0xFEE00000
  mov dword ptr [rbx + 0xF0], 0x1FF
  mov dword ptr [rbx + 0x350], 0x700
1:
  sti
  hlt
  cli
  mov dx, 0x3F8
  in al, dx
  call putc
  cmp al, 107
  jne 1b
  mov rax, qword ptr [ticks]
  call puthex
`,
    {},
    host,
  );
  const vectors: number[] = [];
  const inputs: number[] = [];
  machine.observer = { irq: (_at, vector) => vectors.push(vector), input: (_at, _kind, bytes) => inputs.push(...bytes) };
  expect(machine.run(END)).toEqual({ reason: 'debug-exit', code: 0 });
  expect(host.text).toBe('ok2 ');
  expect(vectors).toEqual([0x24, 0x24]);
  expect(inputs).toEqual([0x6f, 0x6b]);
});

/** Its #UD handler faults with its first instruction, on a stack of its own. */
const FAULTS_FOR_EVER = `
  mov rax, offset 1f
  mov word ptr [idt + 6 * 16], ax
  shr rax, 16
  mov word ptr [idt + 6 * 16 + 6], ax
  mov byte ptr [idt + 6 * 16 + 4], 1
1:
  ud2
`;

describe('the end', () => {
  test('a fault without an IDT is a triple fault', async () => {
    const { machine } = await boot('  push 0\n  push 0\n  lidt [rsp]\n  ud2\n');
    expect(machine.run(END)).toEqual({ reason: 'triple-fault' });
    expect(machine.run(END)).toEqual({ reason: 'triple-fault' });
  });

  test.each([
    ['stuck', 'a handler that faults with its first instruction, on a stack of its own', FAULTS_FOR_EVER],
    [
      'init',
      'an INIT to the only CPU, for which there is no firmware to start in',
      '  mov edx, 0xFEE00300\n  mov dword ptr [rdx], 0x4500\n  mov r15, 1\n',
    ],
    [
      'triple-fault',
      'one without an IDT, also where a trap could not be delivered',
      '  push 0\n  push 0\n  lidt [rsp]\n  pushfq\n  or qword ptr [rsp], 0x100\n  popfq\n  nop\n  mov r15, 1\n  mov r15, 2\n',
    ],
  ])('%s: after it nothing more is executed, nor from a snapshot: %s', async (reason, _what, code) => {
    const { machine } = await boot(code);
    expect(machine.run(END)).toEqual({ reason });
    const { count } = machine;
    const snapshot = machine.snapshot();
    for (let i = 0; i < 2; i++) {
      expect([machine.run(END), machine.count, machine.register(15)]).toEqual([{ reason }, count, 0n]);
      machine.restore(snapshot);
    }
  });

  test('time that HLT skips ends before its ticks are no exact numbers: no timer is due later', async () => {
    const { machine } = await boot(`
  mov edx, 0xFEE00000
  mov dword ptr [rdx + 0xF0], 0x1FF
  mov dword ptr [rdx + 0x320], 0x40020
1:
  rdtsc
  shl rdx, 32
  or rax, rdx
  mov rdx, 0xC000000000000
  add rax, rdx
  mov rdx, rax
  shr rdx, 32
  mov ecx, 0x6E0
  wrmsr
  inc r15
  sti
  hlt
  jmp 1b
`);
    expect([machine.run(END), machine.register(15)]).toEqual([{ reason: 'halt' }, 2n]);
  });

  test('single steps trap after each instruction', async () => {
    const text = await run(`
  mov rax, offset 1f
  mov qword ptr [resume], rax
  mov qword ptr [resume_rsp], rsp
  pushfq
  or qword ptr [rsp], 0x100
  popfq
  nop
  nop
1:
  mov rax, dr6
  call puthex
${print('\n')}`);
    expect(text).toMatch(/^#1 0 .*\nffff4ff0 \n$/);
  });

  test('an observer may ask to stop', async () => {
    const { machine } = await boot('  nop\n  out 0x80, al\n  nop\n');
    machine.observer = { portOut: (_at, port) => port === 0x80 && machine.requestStop() };
    expect(machine.run(END)).toEqual({ reason: 'observer' });
    machine.observer = null;
    expect(machine.run(END)).toEqual({ reason: 'debug-exit', code: 0 });
  });
});

test('an observer’s stop never hides how the guest ends', async () => {
  const { machine } = await boot('  mov dx, 0x6a8\n  mov eax, 7\n  out dx, eax\n  mov dx, 0x6a0\n  mov al, 3\n  out dx, al\n', {
    harness: true,
  });
  machine.observer = { harness: () => machine.requestStop() };
  expect(machine.run(END)).toEqual({ reason: 'finished', status: 7 });
});

describe('the version of a frame', () => {
  /** Runs `code` from its snapshot, RBX at window_pt; the versions of that frame at the snapshot, at the end, and at the snapshot again. */
  async function versions(code: string): Promise<{ start: number; end: number; again: number }> {
    const wait = '  mov ecx, 4000\n1:\n  dec ecx\n  jnz 1b\n';
    const { machine } = await boot(`  mov rbx, offset window_pt\n  mov qword ptr [rbx + 24], offset page_a + 3\n${wait}${code}`);
    machine.run(6000n);
    const snapshot = machine.snapshot();
    machine.run(END);
    const frame = Number(machine.register(3) >> 12n);
    const bytes = () => machine.readPhysical(BigInt(frame) * 4096n, 4096);
    machine.restore(snapshot);
    const before = bytes();
    const start = machine.frameVersion(frame);
    machine.run(END);
    expect(bytes()).not.toEqual(before);
    const end = machine.frameVersion(frame);
    machine.restore(snapshot);
    const again = machine.frameVersion(frame);
    machine.run(END);
    const other = machine.snapshot();
    machine.restore(snapshot);
    const between = machine.frameVersion(frame);
    machine.restore(other);
    expect(machine.frameVersion(frame)).not.toBe(between);
    return { start, end, again };
  }

  test('changes with a store, and with a restore that takes it back', async () => {
    const { start, end, again } = await versions('  mov qword ptr [rbx + 32], 0x123000\n');
    expect(end).not.toBe(start);
    expect([start, end]).not.toContain(again);
  });

  test('does not with the walker’s A and D bits', async () => {
    const { start, end, again } = await versions(`  mov qword ptr [${WINDOW + 0x3000}], 1\n`);
    expect([end, again]).toEqual([start, start]);
  });
});
