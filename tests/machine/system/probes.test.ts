/** Breakpoints and watchpoints: what is told, and when; that a run is the same with them. */
import { describe, expect, test } from 'vitest';
import type { Machine, MachineConfig, ProbedAccess, Probes, Tier } from '../../../src/machine/index.ts';
import { boot, WINDOW } from './guest.ts';

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
});
