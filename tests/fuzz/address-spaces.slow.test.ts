import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { buildKeel } from '../../src/compiler/index.ts';
import { USUAL } from '../../src/fuzz/campaign/circumstances.ts';
import { generate } from '../../src/fuzz/campaign/generate.ts';
import { COMMAND_LINE, compileHostile, MEMORY_BYTES, programArchive, RUN_LIMIT, victimArchive } from '../../src/fuzz/campaign/runner.ts';
import { render } from '../../src/fuzz/grammar/act.ts';
import { AddressSpaces } from '../../src/fuzz/invariants/address-spaces.ts';
import { keelView } from '../../src/fuzz/invariants/keel-view.ts';
import type { Mapping } from '../../src/fuzz/invariants/table-reader.ts';
import { Testbed } from '../../src/fuzz/testbed.ts';
import type { Machine } from '../../src/machine/index.ts';
import { RIGHT } from '../../src/machine/index.ts';

const RIGHTS = RIGHT.write | RIGHT.user | RIGHT.execute;
const HALF = 2 ** 35;

function walked(machine: Machine, root: number, from: number, to: number): Mapping[] {
  const mappings: Mapping[] = [];
  machine.walkLeaves(
    BigInt(root) << 12n,
    (page, frame, pages, rights) => mappings.push({ page, frame, pages, rights: rights & RIGHTS }),
    from,
    to,
  );
  return mappings;
}

/** The mappings that `others` has none like. */
const without = (mappings: readonly Mapping[] = [], others: readonly Mapping[] = []): readonly Mapping[] =>
  mappings.filter((mapping) => !others.some((other) => isDeepStrictEqual(mapping, other)));

it('what is kept up to date is what a whole walk of every table gives', async () => {
  const kernel = buildKeel().image;
  const seed = 'spaces';
  const testbed = await Testbed.create({ kernel, memoryBytes: MEMORY_BYTES, seed, initrd: victimArchive(seed), append: COMMAND_LINE });
  const { machine } = testbed;
  const view = keelView(machine, kernel);
  const spaces = new AddressSpaces(machine, view);
  const roots = new Int32Array(view.mostRoots);
  /** What was last read of each live root. */
  let read = new Map<number, readonly Mapping[]>();
  let moments = 0;
  for (let index = 0; index < 8; index++) {
    const enterUser = (at: bigint) => {
      moments++;
      const changed = spaces.changes(at).spaces;
      expect(spaces.kernelHalf?.mappings).toEqual(walked(machine, view.kernelRoot, HALF, 2 * HALF));
      const mappers = new Map<number, number>();
      const now = new Map<number, readonly Mapping[]>();
      for (const root of roots.subarray(0, view.liveRoots(roots))) {
        const mappings = walked(machine, root, 0, HALF);
        expect(spaces.user(root)?.mappings).toEqual(mappings);
        const half = changed.find((each) => each.root === root);
        expect([half?.added ?? [], half?.removed ?? []]).toEqual([without(mappings, read.get(root)), without(read.get(root), mappings)]);
        now.set(root, mappings);
        for (const { frame } of mappings) mappers.set(frame, (mappers.get(frame) ?? 0) + 1);
      }
      read = now;
      for (const [frame, count] of mappers) expect(spaces.mappers(frame)).toBe(count);
    };
    const ready = () => {
      spaces.begin();
      read.clear();
    };
    const archive = programArchive(compileHostile(render(generate(seed, index))), USUAL);
    testbed.run(archive, { limit: RUN_LIMIT, observer: { enterUser }, ready });
  }
  expect(moments).toBeGreaterThan(200);
});
