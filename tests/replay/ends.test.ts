/** A guest that gets nowhere: the run ends, for the same reason and in the same state whoever looks on. */
import { describe, expect, test } from 'vitest';
import { QuietHost, runOnce, UserError } from '../../src/machine/index.ts';
import { Engine } from '../../src/replay/engine.ts';
import { openTrace, Player, record, replay } from '../../src/replay/index.ts';
import { guestImage } from '../machine/system/guest.ts';

/** The #PF handler faults with its first instruction, on a stack of its own. */
const faultsForEver = `
  mov rax, offset 1f
  mov word ptr [idt + 14 * 16], ax
  shr rax, 16
  mov word ptr [idt + 14 * 16 + 6], ax
  mov byte ptr [idt + 14 * 16 + 4], 1
1:
  mov rax, qword ptr [0x7ffff000]
`;

/** As many events before it as a block may have. */
const fillsBlock = ' cld\n mov edx, 0x80\n mov esi, 0x100000\n mov ecx, 220000\n rep outsb\n';

const LIMIT = 1n << 30n;

describe('faults without end', () => {
  for (const [name, before] of [
    ['from the start', ''],
    ['in a block that is full', fillsBlock],
  ] as const) {
    test(`${name}: unrecorded, recorded, replayed, and by seeking`, async () => {
      const image = guestImage(before + faultsForEver);
      const machine = { memoryBytes: 4 << 20, seed: 'ends', harness: false };
      const end = { stop: { reason: 'stuck' } };
      const plain = await runOnce({ ...machine, tier: 0 }, { image }, new QuietHost(), { limit: LIMIT });
      expect(plain).toMatchObject(end);
      for (const tier of ['auto', 1] as const)
        expect(await runOnce({ ...machine, tier }, { image }, new QuietHost(), { limit: LIMIT })).toEqual(plain);
      const recorded = await record({ machine, image: { name: 'ends', bytes: image } });
      expect(recorded).toMatchObject({ ...plain, counts: { exception: 65_535 } });
      const bytes = recorded.trace ?? new Uint8Array(0);
      expect((await replay(bytes)).difference).toBeNull();
      const player = await Player.open(await openTrace(bytes));
      player.seek(player.end);
      player.run(player.end + 1n);
      expect([player.position, player.machine.hash()]).toEqual([plain.instructions, plain.hash]);
      expect(player.step()).toBeNull();
    }, 60_000);
  }
});

test('a block that is not cut where it has many events, as in older format versions, has a limit that is named', async () => {
  const boot = { image: guestImage(' cld\n mov edx, 0x80\n mov esi, 0x100000\n mov ecx, 1050000\n rep outsb\n') };
  const engine = await Engine.create(
    { memoryBytes: 4 << 20, seed: 'many', harness: false },
    boot,
    new QuietHost(),
    () => {},
    1 << 22,
    undefined,
  );
  engine.machine.log.neverFull(() => expect.unreachable('there is room for the bytes'));
  expect(() => engine.block(LIMIT, () => false)).toThrow(UserError);
});
