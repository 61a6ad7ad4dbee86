/** Processes against each other: copy-on-write, pipes, signals, bad ends, and more of everything than there is. */
import fc from 'fast-check';
import { type ActArbitrary, act, literal, weighted } from '../grammar/act.ts';
import { pid } from './values.ts';

const FORK = '57n';

/** Both sides of a fork write the same page, in an order that yields decide; each must keep its own. */
const copyOnWrite: ActArbitrary = fc
  .tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.boolean(), fc.constantFrom(0n, 4096n, 12288n))
  .map(([parent, child, byKernel, page]) =>
    act(
      'parent and child write the same page',
      `store64(base + ${literal(page)}, 0x1111n);`,
      `r1 = syscall(${FORK});`,
      'if (r1 === 0n) {',
      ...Array.from({ length: child }, () => '  syscall(24n);'),
      byKernel ? `  syscall(63n, base + ${literal(page)});` : `  store64(base + ${literal(page)}, 0x2222n);`,
      `  syscall(231n, load64(base + ${literal(page)}) === 0x1111n ? 1n : 0n);`,
      '}',
      ...Array.from({ length: parent }, () => 'syscall(24n);'),
      `store64(base + ${literal(page)}, 0x3333n);`,
      'syscall(61n, ALL, 0n, 0n, 0n);',
      `load64(base + ${literal(page)});`,
    ),
  );

/** Grandchildren, each of which writes what all share, and a parent that changes rights between. */
const family: ActArbitrary = fc
  .tuple(fc.integer({ min: 2, max: 5 }), fc.constantFrom(1n, 3n, 0n))
  .map(([depth, prot]) =>
    act(
      `${depth} generations share a page while its rights change`,
      'r1 = syscall(9n, 0n, 8192n, 3n, 0x22n, ALL, 0n);',
      'if (r1 > 0n) {',
      '  store64(wrapping.u64(r1), 7n);',
      `  for (let generation: i32 = 0; generation < ${depth}; generation++) {`,
      `    if (syscall(${FORK}) !== 0n) break;`,
      '    store64(wrapping.u64(r1) + 4096n, u64(generation));',
      '    store64(wrapping.u64(r1), u64(generation));',
      '  }',
      `  syscall(10n, wrapping.u64(r1), 8192n, ${prot}n);`,
      '  syscall(61n, ALL, 0n, 0n, 0n);',
      '  syscall(11n, wrapping.u64(r1), 8192n);',
      '}',
    ),
  );

/** More processes, pages, descriptors or pipe bytes than there are. Bounded by the loop; the kernel must say no in time. */
const exhaustion: ActArbitrary = weighted(
  [
    2,
    fc
      .integer({ min: 20, max: 120 })
      .map((n) =>
        act(
          `${n} processes at once`,
          `for (let n: i32 = 0; n < ${n}; n++) {`,
          `  r1 = syscall(${FORK});`,
          '  if (r1 === 0n) {',
          '    syscall(24n);',
          '    syscall(231n, 0n);',
          '  }',
          '  if (r1 < 0n) break;',
          '}',
          'while (syscall(61n, ALL, 0n, 1n, 0n) > 0n) {}',
        ),
      ),
  ],
  [
    2,
    fc
      .integer({ min: 4, max: 64 })
      .map((mib) =>
        act(
          `${mib} MiB mapped and touched`,
          `r1 = syscall(9n, 0n, ${literal(BigInt(mib) << 20n)}, 3n, 0x22n, ALL, 0n);`,
          'if (r1 > 0n) {',
          `  for (let n: u64 = 0n; n < ${mib * 8}n; n++) store64(wrapping.u64(r1) + n * ${literal(131072n)}, n);`,
          `  syscall(11n, wrapping.u64(r1), ${literal(BigInt(mib) << 20n)});`,
          '}',
        ),
      ),
  ],
  [
    1,
    fc
      .integer({ min: 10, max: 400 })
      .map((n) =>
        act(
          `${n} small mappings`,
          `for (let n: i32 = 0; n < ${n}; n++) r1 = syscall(9n, 0n, 4096n, n % 2 === 0 ? 3n : 1n, 0x22n, ALL, 0n);`,
        ),
      ),
  ],
  [
    1,
    fc
      .integer({ min: 20, max: 300 })
      .map((n) =>
        act(
          `${n} pipes`,
          `for (let n: i32 = 0; n < ${n}; n++) r2 = syscall(293n, base, 0n);`,
          'for (let n: u64 = 3n; n < 80n; n++) syscall(3n, n);',
        ),
      ),
  ],
  [
    1,
    fc.constant(
      act(
        'a pipe filled without a reader',
        'if (syscall(293n, base, 0x800n) === 0n) {',
        '  for (let n: i32 = 0; n < 40; n++) r2 = syscall(1n, load64(base) >> 32n, base, 8192n);',
        '  syscall(3n, load64(base) & 0xffffffffn);',
        '  r3 = syscall(1n, load64(base) >> 32n, base, 8n);',
        '}',
      ),
    ),
  ],
);

/** Data through a pipe between parent and child, with an end closed early or the buffer in a bad place. */
const pipes: ActArbitrary = fc
  .tuple(fc.boolean(), fc.constantFrom('base + 4096n', '0xffff800000100000n', '0n', 'base + 16380n'), fc.bigInt({ min: 1n, max: 5000n }))
  .map(([close, buffer, length]) =>
    act(
      `${length} bytes through a pipe into a child`,
      'if (syscall(293n, base, 0n) === 0n) {',
      `  r1 = syscall(${FORK});`,
      '  if (r1 === 0n) {',
      '    syscall(3n, load64(base) >> 32n);',
      `    r2 = syscall(0n, load64(base) & 0xffffffffn, ${buffer}, ${literal(length)});`,
      '    syscall(231n, 0n);',
      '  }',
      ...(close ? ['  syscall(3n, load64(base) & 0xffffffffn);'] : []),
      `  r2 = syscall(1n, load64(base) >> 32n, base + 4096n, ${literal(length)});`,
      '  syscall(3n, load64(base) & 0xffffffffn);',
      '  syscall(3n, load64(base) >> 32n);',
      '  syscall(61n, ALL, 0n, 0n, 0n);',
      '}',
    ),
  );

/** Signals to anybody, init and the victim's neighbours among them. The victim, pid 1, is spared: to end it would be a right. */
const signals: ActArbitrary = fc
  .tuple(pid, fc.constantFrom(0n, 11n, 8n, 4n, 17n, 64n, 65n, -1n, 18n))
  .map(([target, signal]) =>
    act(`signal ${signal}`, `if (${target} !== 1n) r1 = syscall(62n, ${target} === ALL ? 0x7fffn : ${target}, ${literal(signal)});`),
  );

const spin: ActArbitrary = fc
  .integer({ min: 100, max: 20_000 })
  .map((n) =>
    act(
      `a loop of ${n} rounds`,
      'let sum: u64 = 0n;',
      `for (let n: u64 = 0n; n < ${n}n; n++) sum = wrapping.u64(sum * 3n + n);`,
      'store64(base, sum);',
    ),
  );

/** A new image without arguments. The attacker's own is left out: it would begin again for ever. */
const execute: ActArbitrary = fc
  .constantFrom('/bin/victim', '/etc/programs', '/', '/bin')
  .map((path) => act(`execve of ${path} without arguments`, 'store64(base, 0n);', `r1 = syscall(59n, put(64n, '${path}'), base, base);`));

export const processes: ActArbitrary = weighted([5, copyOnWrite], [3, family], [2, exhaustion], [3, pipes], [2, spin], [1, execute]);
export const signalling: ActArbitrary = signals;
