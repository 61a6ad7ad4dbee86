/** Breakpoints and watchpoints: what is told, and when; that a run is the same with them. */
import { describe, expect, test } from 'vitest';
import { type Machine, type MachineConfig, type ProbedAccess, type Probes, QuietHost, type Tier } from '../../../src/machine/index.ts';
import { boot, user, WINDOW } from './guest.ts';

const TIERS: readonly Tier[] = [0, 1];
const END = 1_000_000n;

interface Told {
  readonly hits: string[];
  readonly hash: string;
  readonly count: bigint;
}

const text = (at: bigint, { linear, physical, size, write, implicit }: ProbedAccess) =>
  `${at} ${write ? 'w' : 'r'}${size} ${linear?.toString(16) ?? '-'} ${physical.toString(16)}${implicit ? ' implicit' : ''}`;

async function told(
  code: string,
  probes: Probes | null,
  config: Partial<MachineConfig>,
  drive = (m: Machine) => void m.run(END),
): Promise<Told> {
  const { machine } = await boot(code, config);
  const hits: string[] = [];
  machine.probes = probes;
  machine.observer = {
    breakpoint: (at, address) => hits.push(`${at} ${address.toString(16)}`),
    access: (at, access) => hits.push(text(at, access)),
  };
  drive(machine);
  return { hits, hash: machine.hash(), count: machine.count };
}

/** RIP before each instruction of a run. */
async function steps(code: string): Promise<bigint[]> {
  const { machine } = await boot(code, { tier: 0 });
  const rips: bigint[] = [];
  while (machine.run(BigInt(rips.length)).reason === 'limit') rips.push(machine.rip);
  return rips;
}

/** Without the physical address. */
const short = (hit: string) =>
  hit.replace(/ [0-9a-f]+( implicit)?$/, (end) => (hit.split(' ').length > 3 ? (end.endsWith('implicit') ? ' implicit' : '') : end));
const ALL: Probes = { breakpoints: [], watchpoints: [{ space: 'linear', address: 0n, length: 2 ** 47, access: 'access' }] };

/** What is told at the count of the first event of a kind, each by way, size and whether it is implicit. */
async function toldAt(code: string, kind: 'softwareInterrupt' | 'exception' | 'irq', tier: Tier, config: Partial<MachineConfig> = {}) {
  const { machine } = await boot(code, { ...config, tier });
  const hits: (readonly [bigint, string])[] = [];
  let found: bigint | null = null;
  machine.probes = ALL;
  machine.observer = {
    [kind]: (at: bigint) => {
      found ??= at;
    },
    access: (at, { size, write, implicit }) => hits.push([at, `${write ? 'w' : 'r'}${size}${implicit ? ' implicit' : ''}`]),
  };
  machine.run(END);
  return hits.flatMap(([at, hit]) => (at === found ? [hit] : []));
}

const watch = (watchpoints: Probes['watchpoints']): Probes => ({ breakpoints: [], watchpoints });
const WINDOW_PAGE = `mov qword ptr [window_pt], offset page_a + 3\n mov qword ptr [window_pt + 8], offset page_b + 3\n mov rbx, ${WINDOW}\n`;

describe.each(TIERS)('tier %s', (tier) => {
  test('a breakpoint is told before each execution of its instruction, in a loop too', async () => {
    const code = 'mov ecx, 50\n1: inc rax\n dec ecx\n jnz 1b\n';
    const rips = await steps(code);
    const loop = rips.findLast((rip, i) => rips.indexOf(rip) < i - 10 && rips.filter((r) => r === rip).length === 50) ?? 0n;
    const expected = rips.flatMap((rip, at) => (rip === loop ? [`${at} ${loop.toString(16)}`] : []));
    expect(expected).toHaveLength(50);
    const without = await told(code, null, { tier });
    const { hits, ...rest } = await told(code, { breakpoints: [{ address: loop }], watchpoints: [] }, { tier });
    expect(hits).toEqual(expected);
    expect(rest).toEqual({ hash: without.hash, count: without.count });
  });

  test('a run that is stopped at a breakpoint ends before the instruction, and goes past it without telling it again', async () => {
    const code = 'mov ecx, 5\n1: inc rax\n dec ecx\n jnz 1b\n';
    const rips = await steps(code);
    const loop = rips.findLast((rip) => rips.filter((r) => r === rip).length === 5) ?? 0n;
    const ats = rips.flatMap((rip, at) => (rip === loop ? [BigInt(at)] : []));
    const stops: bigint[] = [];
    const { hits } = await told(code, { breakpoints: [{ address: loop }], watchpoints: [] }, { tier }, (machine) => {
      const { observer } = machine;
      machine.observer = {
        ...observer,
        breakpoint: (at, address) => {
          observer?.breakpoint?.(at, address);
          machine.requestStop();
        },
      };
      for (let stop = machine.run(END); stop.reason === 'observer'; stop = machine.run(END)) {
        expect(machine.rip).toBe(loop);
        stops.push(machine.count);
      }
    });
    expect(stops).toEqual(ats);
    expect(hits).toHaveLength(5);
  });

  test('reads and writes of watched bytes are told with what is there before, neighbours are not', async () => {
    const code = `${WINDOW_PAGE} mov dword ptr [rbx + 0x108], 7\n mov eax, dword ptr [rbx + 0x100]\n add qword ptr [rbx + 0x108], 1\n push qword ptr [rbx + 0x107]\n`;
    const { hits } = await told(code, watch([{ space: 'linear', address: BigInt(WINDOW) + 0x108n, length: 4, access: 'access' }]), {
      tier,
    });
    expect(hits.map((hit) => hit.replace(/^\d+ (\w+) (\w+) .*/, '$1 $2'))).toEqual([
      'w4 40000108',
      'r8 40000108',
      'w8 40000108',
      'r8 40000107',
    ]);
  });

  test('a physical watchpoint sees every alias, the walker, and both pages of an access', async () => {
    const code = `${WINDOW_PAGE} mov rax, offset page_a\n mov byte ptr [rax + 5], 1\n mov qword ptr [rbx + 4], 2\n mov qword ptr [rbx + 0xffc], 3\n`;
    const { hits } = await told(code, watch([{ space: 'linear', address: BigInt(WINDOW) + 4n, length: 1, access: 'write' }]), { tier });
    const physical = BigInt(`0x${hits[0]?.split(' ')[3]}`);
    const page = physical & ~0xfffn;
    const all = await told(code, watch([{ space: 'physical', address: page, length: 8192, access: 'write' }]), { tier });
    expect(all.hits.map((hit) => hit.split(' ')[1])).toEqual(['w1', 'w8', 'w4', 'w4']);
  });

  test('each iteration of a repeated instruction is told, breakpoint and access', async () => {
    const code = `${WINDOW_PAGE} mov qword ptr [rbx], 0\n mov qword ptr [rbx + 0x1000], 0\n lea rdi, [rbx + 0xff0]\n mov ecx, 4\n mov eax, 5\n rep stosq\n lea rsi, [rbx + 0xff8]\n lea rdi, [rbx + 0x10]\n mov ecx, 3\n rep movsb\n`;
    const rips = await steps(code);
    const repeated = rips.flatMap((rip, at) => (rips[at + 1] === rip && rips[at - 1] !== rip ? [{ rip, at }] : []));
    const [stos, movs] = repeated.slice(-2);
    if (stos === undefined || movs === undefined) throw new Error('two repeated instructions');
    const watchpoints = [{ space: 'linear', address: BigInt(WINDOW), length: 4096, access: 'access' }] as const;
    const { hits } = await told(code, { breakpoints: [stos, movs].map(({ rip }) => ({ address: rip })), watchpoints }, { tier });
    const at = (n: number) => (WINDOW + n).toString(16);
    expect(hits.map(short).slice(1)).toEqual([
      ...[0, 1].flatMap((i) => [`${stos.at + i} ${stos.rip.toString(16)}`, `${stos.at + i} w8 ${at(0xff0 + 8 * i)}`]),
      ...[2, 3].map((i) => `${stos.at + i} ${stos.rip.toString(16)}`),
      ...[0, 1, 2].flatMap((i) => [
        `${movs.at + i} ${movs.rip.toString(16)}`,
        `${movs.at + i} r1 ${at(0xff8 + i)}`,
        `${movs.at + i} w1 ${at(0x10 + i)}`,
      ]),
    ]);
  });

  test('what the CPU accesses for itself is told as implicit', async () => {
    // The gate, the code segment's descriptor, and the frame of five words.
    expect(await toldAt('int3\n', 'softwareInterrupt', tier)).toEqual(['r16 implicit', 'r8 implicit', 'w40 implicit']);
    // A fault does not retire: its handler's first push has the same count.
    expect(await toldAt('ud2\n', 'exception', tier)).toEqual(['r16 implicit', 'r8 implicit', 'w40 implicit', 'w8']);
    // From CPL 3 the TSS gives the stack.
    const userCode = user('u', 'push rax\n ud2');
    expect(await toldAt(userCode, 'exception', tier)).toEqual(['r16 implicit', 'r8 implicit', 'r8 implicit', 'w40 implicit', 'w8']);
  });

  test('instructions with many bytes, several accesses, or both at once', async () => {
    const lines: readonly (readonly [string, readonly string[]])[] = [
      ['fxsave [rbx]', ['w416']],
      ['fxrstor [rbx]', ['r416']],
      ['lock cmpxchg16b [rbx]', ['r16', 'w16']],
      ['cmpxchg [rbx], rcx', ['r8', 'w8']],
      ['xchg [rbx], rax', ['r8', 'w8']],
      ['push qword ptr [rbx]', ['r8']],
      ['movups [rbx + 0xff8], xmm0', ['w8']],
      ['mov ax, [rbx + 0xfff]', ['r1']],
      ['call qword ptr [rbx + 0x1000]', []],
      ['bts [rbx], rdx', ['r8', 'w8']],
      ['prefetcht0 [rbx]', []],
      ['lea rax, [rbx]', []],
    ];
    for (const [line, expected] of lines) {
      const code = `${WINDOW_PAGE} mov rax, offset 1f\n mov [rbx + 0x1000], rax\n fninit\n fxsave [rbx]\n xor edx, edx\n mov ecx, 1\n 2: ${line}\n jmp finish\n 1: ret\n`;
      const { hits } = await told(code, watch([{ space: 'linear', address: BigInt(WINDOW), length: 4096, access: 'access' }]), { tier });
      expect(hits.map((hit) => hit.split(' ')[1]).slice(1), line).toEqual(expected);
    }
  });

  test('a read is told though the page may be written quickly: of a read-modify-write, and behind a write', async () => {
    const code = `${WINDOW_PAGE} mov ecx, 20\n1: inc qword ptr [rbx]\n mov [rbx + 8], rcx\n mov rax, [rbx + 8]\n dec ecx\n jnz 1b\n`;
    const { hits } = await told(code, watch([{ space: 'linear', address: BigInt(WINDOW), length: 16, access: 'read' }]), { tier });
    expect(hits.map((hit) => hit.split(' ')[2])).toEqual([...Array(20)].flatMap(() => [WINDOW.toString(16), (WINDOW + 8).toString(16)]));
    const page = BigInt(`0x${hits[0]?.split(' ')[3]}`);
    expect((await told(code, watch([{ space: 'physical', address: page, length: 16, access: 'read' }]), { tier })).hits).toEqual(hits);
  });

  test('a linear watchpoint follows its address to another frame, a physical one the frame to another address', async () => {
    const code = `${WINDOW_PAGE} mov qword ptr [rbx], 1\n mov qword ptr [window_pt], offset page_b + 3\n invlpg [rbx]\n mov qword ptr [rbx], 2\n mov qword ptr [rbx + 0x1000], 3\n`;
    const linear = await told(code, watch([{ space: 'linear', address: BigInt(WINDOW), length: 8, access: 'write' }]), { tier });
    const [a, b] = linear.hits.map((hit) => hit.split(' ')[3]);
    expect(linear.hits).toHaveLength(2);
    expect(a).not.toBe(b);
    const physical = await told(code, watch([{ space: 'physical', address: BigInt(`0x${b}`), length: 8, access: 'write' }]), { tier });
    expect(physical.hits.map((hit) => hit.split(' ')[2])).toEqual([WINDOW.toString(16), (WINDOW + 4096).toString(16)]);
  });

  test('the walker is told where it sets A and D, with no linear address', async () => {
    const code = `${WINDOW_PAGE} mov ecx, 5\n mov rdx, offset page_a + 3\n 1: mov qword ptr [window_pt], rdx\n invlpg [rbx]\n mov rax, [rbx]\n mov [rbx], rax\n dec ecx\n jnz 1b\n`;
    const all = await told(code, watch([{ space: 'physical', address: 0n, length: 4 << 20, access: 'write' }]), { tier });
    const [, , , leaf] = all.hits.findLast((hit) => hit.includes(' - '))?.split(' ') ?? [];
    const { hits } = await told(code, watch([{ space: 'physical', address: BigInt(`0x${leaf}`), length: 8, access: 'write' }]), { tier });
    // In each round A is set by the read, D by the write.
    expect(hits.map((hit) => hit.split(' ')[2] === '-').slice(1)).toEqual([...Array(5)].flatMap(() => [false, true, true]));
    expect(all.hits.filter((hit) => hit.split(' ')[3] === leaf)).toEqual(hits);
    const stepped = await told(
      code,
      watch([{ space: 'physical', address: 0n, length: 4 << 20, access: 'write' }]),
      { tier: 0 },
      (machine) => {
        while (machine.run(machine.count + 1n).reason === 'limit');
      },
    );
    expect(all.hits).toEqual(stepped.hits);
  });

  test('only while the table root is the one that was asked for', async () => {
    const code = `${WINDOW_PAGE} mov rax, cr3\n mov rcx, offset page_c\n lea rsi, [rax]\n mov rdi, rcx\n mov edx, 512\n 3: mov r8, [rsi]\n mov [rdi], r8\n add rsi, 8\n add rdi, 8\n dec edx\n jnz 3b\n mov edx, 2\n 1: mov qword ptr [rbx], 1\n xchg rax, rcx\n mov cr3, rax\n dec edx\n jnz 1b\n`;
    const all = await told(code, watch([{ space: 'linear', address: BigInt(WINDOW), length: 8, access: 'write' }]), { tier });
    expect(all.hits).toHaveLength(2);
    const { machine } = await boot(code, { tier });
    machine.run(BigInt(all.hits[0]?.split(' ')[0] ?? 0));
    const root = machine.cr3 & ~0xfffn;
    const address = machine.rip;
    const probes: Probes = {
      breakpoints: [{ address, root }],
      watchpoints: [{ space: 'linear', address: BigInt(WINDOW), length: 8, access: 'write', root }],
    };
    const { hits } = await told(code, probes, { tier });
    expect(hits.map(short)).toEqual([`${machine.count} ${address.toString(16)}`, short(all.hits[0] ?? '')]);
  });

  test('a breakpoint on an instruction across two pages', async () => {
    const code = 'mov ecx, 30\n jmp 1f\n .balign 4096\n .zero 4092\n 1: mov r11, 0x1122334455667788\n dec ecx\n jnz 1b\n';
    const rips = await steps(code);
    const across = rips.find((rip) => (rip & 0xfffn) === 0xffcn) ?? 0n;
    const { hits } = await told(code, { breakpoints: [{ address: across }], watchpoints: [] }, { tier });
    expect(hits).toEqual(rips.flatMap((rip, at) => (rip === across ? [`${at} ${across.toString(16)}`] : [])));
    expect(hits).toHaveLength(30);
  });

  test('of code that lies at two addresses, that of the breakpoint; of a handler that faults, each delivery', async () => {
    const code = `${WINDOW_PAGE} mov rax, offset page_a\n mov word ptr [rax], 0xc390\n mov ecx, 20\n 1: call rax\n call rbx\n dec ecx\n jnz 1b\n`;
    const { hits } = await told(code, { breakpoints: [{ address: BigInt(WINDOW) + 1n }], watchpoints: [] }, { tier });
    expect(hits).toHaveLength(20);
    const handler =
      'mov rax, offset 2f\n mov word ptr [idt + 96], ax\n shr rax, 16\n mov word ptr [idt + 102], ax\n ud2\n .balign 64\n 2: ud2\n';
    const rips: bigint[] = [];
    await told(handler, null, { tier }, (machine) => {
      machine.observer = { exception: (_at, _vector, _code, _cr2, _rip, target) => rips.push(target) };
      machine.run(END);
    });
    const nested = await told(handler, { breakpoints: [{ address: rips[0] ?? 0n }], watchpoints: [] }, { tier });
    expect(nested.hits).toHaveLength(rips.length);
    expect(rips.length).toBeGreaterThan(10);
  });

  test('a breakpoint on an instruction whose end, in the next page, is written again and again', async () => {
    const code =
      'mov ecx, 30\n mov rdx, offset 1f + 4\n xor ebx, ebx\n jmp 1f\n .balign 4096\n .zero 4092\n 1: mov r11, 0x1122334400000000\n mov byte ptr [rdx], cl\n add rbx, r11\n dec ecx\n jnz 1b\n mov rax, rbx\n call puthex\n';
    const rips = await steps(code);
    const across = rips.find((rip) => (rip & 0xfffn) === 0xffcn) ?? 0n;
    const without = await told(code, null, { tier });
    const { hits, hash } = await told(code, { breakpoints: [{ address: across }], watchpoints: [] }, { tier });
    expect(hits).toHaveLength(30);
    expect(hash).toBe(without.hash);
  });

  test('a breakpoint on an instruction that is written before each execution', async () => {
    const code =
      'mov ecx, 300\n mov rdx, offset 1f + 1\n xor ebx, ebx\n 2: mov dword ptr [rdx], ecx\n 1: mov eax, 0\n add rbx, rax\n dec ecx\n jnz 2b\n';
    const rips = await steps(code);
    const patched = rips.filter((rip) => rips.filter((r) => r === rip).length === 300)[1] ?? 0n;
    const without = await told(code, null, { tier });
    const { hits, hash } = await told(code, { breakpoints: [{ address: patched }], watchpoints: [] }, { tier });
    expect(hits).toHaveLength(300);
    expect(hash).toBe(without.hash);
  });

  test('after a restore a breakpoint is told again that was told at the same count before', async () => {
    const code = 'mov ecx, 5\n1: inc rax\n dec ecx\n jnz 1b\n';
    const rips = await steps(code);
    const loop = rips.findLast((rip) => rips.filter((r) => r === rip).length === 5) ?? 0n;
    const first = BigInt(rips.indexOf(loop));
    const { hits } = await told(code, { breakpoints: [{ address: loop }], watchpoints: [] }, { tier }, (machine) => {
      machine.run(first);
      const before = machine.snapshot();
      machine.run(first + 1n);
      machine.restore(before);
      machine.run(first + 1n);
    });
    expect(hits).toEqual([first, first].map((at) => `${at} ${loop.toString(16)}`));
  });

  test('probes that come and go between runs', async () => {
    const code = `${WINDOW_PAGE} mov ecx, 200\n1: inc qword ptr [rbx]\n dec ecx\n jnz 1b\n`;
    const rips = await steps(code);
    const loop = rips.findLast((rip) => rips.filter((r) => r === rip).length === 200) ?? 0n;
    const inc = rips.find((rip) => rips.filter((r) => r === rip).length === 200) ?? 0n;
    const first = rips.indexOf(inc);
    const probes = {
      ...watch([{ space: 'linear', address: BigInt(WINDOW), length: 1, access: 'write' }]),
      breakpoints: [{ address: loop }],
    };
    const { hits } = await told(code, null, { tier }, (machine) => {
      for (let n = 0; n < 10; n++) {
        machine.run(BigInt(first + 60 * n));
        machine.probes = n % 2 === 0 ? null : probes;
      }
      machine.run(BigInt(first + 600));
    });
    // Of 200 rounds those from 20 to 40, 60 to 80, …: half of them.
    expect(hits.filter((hit) => hit.includes(' w8 '))).toHaveLength(100);
    expect(hits.filter((hit) => !hit.includes(' w8 '))).toHaveLength(100);
  });

  test('code of 32 bits, before paging', async () => {
    const rips = await steps('');
    const early = [rips[0] ?? 0n, rips[3] ?? 0n];
    const { hits } = await told('', { breakpoints: early.map((address) => ({ address })), watchpoints: [] }, { tier });
    expect(hits).toEqual([0, 3].map((at) => `${at} ${rips[at]?.toString(16)}`));
  });

  test('what the harness writes into RAM is told', async () => {
    class Program extends QuietHost {
      override program(): Uint8Array {
        return Uint8Array.of(1, 2, 3, 4, 5);
      }
    }
    const code = `${WINDOW_PAGE} mov eax, offset page_a\n mov byte ptr [rax], 9\n mov dx, 0x6a4\n out dx, eax\n mov dx, 0x6a8\n mov eax, 4096\n out dx, eax\n mov dx, 0x6a0\n mov al, 2\n out dx, al\n`;
    const { machine } = await boot(code, { tier, harness: true }, new Program());
    const hits: string[] = [];
    machine.probes = watch([{ space: 'physical', address: 0n, length: 4 << 20, access: 'write' }]);
    machine.observer = { access: (at, access) => hits.push(text(at, access)) };
    machine.run(END);
    const page = hits.findLast((hit) => hit.includes(' w1 '))?.split(' ')[3];
    expect(hits.at(-1)?.replace(/^\d+ /, '')).toBe(`w5 - ${page} implicit`);
  });

  test('a physical watchpoint on the registers of a device', async () => {
    const code = 'mov ebx, 0xFEE00000\n mov ecx, 20\n 1: mov dword ptr [rbx + 0x80], ecx\n mov eax, [rbx + 0x80]\n dec ecx\n jnz 1b\n';
    const { hits } = await told(code, watch([{ space: 'physical', address: 0xfee0_0080n, length: 4, access: 'access' }]), { tier });
    expect(hits.map((hit) => hit.replace(/^\d+ /, ''))).toEqual(
      [...Array(20)].flatMap(() => ['w4 fee00080 fee00080', 'r4 fee00080 fee00080']),
    );
  });

  test('a watchpoint needs a length', async () => {
    const { machine } = await boot('', { tier });
    expect(() => {
      machine.probes = watch([{ space: 'linear', address: 0n, length: 0, access: 'read' }]);
    }).toThrow('a watchpoint of 0 bytes: give at least 1');
  });
});
