/** When code was executed, by the index and the path: as a scan of all steps says. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Executions, openTrace, Player, record, Timeline, type Trace } from '../../src/replay/index.ts';
import { buildIndex } from '../../src/replay/index-file/build.ts';
import { guestImage } from '../machine/system/guest.ts';
import { changingTrace, remappedTrace } from './ask/guests.ts';
import { guestRecording } from './guest.ts';

/** Interrupts, faults, two address spaces, repeated instructions; in short blocks. */
async function shortBlocks(): Promise<Trace> {
  const { trace } = await record({ ...guestRecording({ rounds: 12, timer: 700 }), blockInstructions: 256, checkpointInstructions: 768 });
  return openTrace(trace ?? new Uint8Array(0));
}

/** The rest of such a run, as a branch. */
async function branched(): Promise<Trace> {
  const timeline = await Timeline.open(await shortBlocks());
  timeline.seek(timeline.end / 3n);
  const { trace } = await timeline.branch({ parent: 'guest.mpk', limit: timeline.end });
  return openTrace(trace ?? new Uint8Array(0));
}

/** By the physical address of its first byte: the positions at which an instruction retired. */
async function scan(trace: Trace): Promise<Map<bigint, bigint[]>> {
  const player = await Player.open(trace);
  player.seek(trace.start);
  const found = new Map<bigint, bigint[]>();
  for (let view = player.step(); view !== null; view = player.step()) {
    const physical = player.machine.translate(view.rip)?.physical ?? -1n;
    const positions = found.get(physical);
    if (positions === undefined) found.set(physical, [view.at]);
    else positions.push(view.at);
  }
  return found;
}

const TRACES = {
  'with faults, interrupts and processes': shortBlocks,
  'a branch': branched,
  'that changes code': changingTrace,
  'that maps code anew': remappedTrace,
};

describe.each(Object.entries(TRACES))('in a run %s', (_, make) => {
  test('the next and the previous execution are those that a scan of all steps finds', async () => {
    const trace = await make();
    const scanned = await scan(trace);
    const executions = await Executions.open(trace, buildIndex(await Player.open(trace), { leastSlice: 64 }));
    const addresses = [...scanned.keys()];
    const places = fc.uniqueArray(fc.constantFrom(...addresses), { minLength: 1, maxLength: 3 });
    // around an execution, anywhere, and beyond both ends
    const at = fc.oneof(
      fc.bigInt(0n, trace.instructions + 10n),
      fc.constantFrom(...[...scanned.values()].flat()).chain((position) => fc.constantFrom(position, position + 1n)),
      fc.constantFrom(0n, trace.start, trace.instructions),
    );
    fc.assert(
      fc.property(places, at, fc.constantFrom(1, 1, 4096), (chosen, position, length) => {
        const pieces = chosen.map((physical) => ({ physical: length === 1 ? physical : (physical >> 12n) << 12n, length }));
        const isMeant = (physical: bigint) =>
          pieces.some((piece) => physical >= piece.physical && physical < piece.physical + BigInt(length));
        const all = addresses.filter(isMeant).flatMap((physical) => scanned.get(physical) ?? []);
        all.sort((a, b) => Number(a - b));
        expect(executions.nextExecution(pieces, position)).toBe(all.find((each) => each >= position) ?? null);
        expect(executions.previousExecution(pieces, position)).toBe(all.findLast((each) => each < position) ?? null);
      }),
      { numRuns: 60, seed: 23 },
    );
  }, 30_000);
});

/** A jump is changed far behind its first execution; what it led to before is forgotten by the CPU, and not executed again. */
async function lateChange(): Promise<Trace> {
  const program = `
  call jump
  mov r12d, 20000
wait:
  dec r12d
  jnz wait
  mov eax, offset jump
  add eax, 5
  mov ecx, offset other
  sub ecx, eax
  mov dword ptr [jump + 1], ecx
  mov rax, offset one
  invlpg [rax]
  call jump
  jmp finish
.balign 4096
jump:
  jmp one
.balign 4096
one:
  inc edx
  ret
.balign 4096
other:
  dec esi
  ret
`;
  const { trace } = await record({
    machine: { memoryBytes: 4 << 20, seed: 'late', harness: false },
    image: { name: 'late', bytes: guestImage(program) },
  });
  return openTrace(trace ?? new Uint8Array(0));
}

test('code that was changed while the machine stayed behind is walked as it is, also where the question begins with it', async () => {
  const trace = await lateChange();
  const scanned = await scan(trace);
  const player = await Player.open(trace);
  const executions = await Executions.open(trace, buildIndex(player, { leastSlice: 64 }));
  const address = (name: string): bigint => player.symbols.addressOf(name).address;
  const [one, other] = [scanned.get(address('one')) ?? [], scanned.get(address('other')) ?? []];
  expect([one.length, other.length]).toEqual([1, 1]);
  for (const from of scanned.get(address('jump')) ?? []) {
    for (const [name, [at = -1n]] of [
      ['one', one],
      ['other', other],
    ] as const)
      expect([name, executions.nextExecution([{ physical: address(name), length: 1 }], from)]).toEqual([name, at >= from ? at : null]);
  }
});

test('code that never ran has no execution', async () => {
  const trace = await remappedTrace();
  const executions = await Executions.open(trace, buildIndex(await Player.open(trace)));
  for (const physical of [0n, 0x3f_f000n]) {
    expect(executions.nextExecution([{ physical, length: 1 }], 0n)).toBeNull();
    expect(executions.previousExecution([{ physical, length: 1 }], trace.instructions)).toBeNull();
  }
});
