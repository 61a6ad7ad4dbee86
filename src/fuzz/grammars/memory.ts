/** Mapping games: pages that appear, change their rights, and go, used at each moment through what the processor may still remember. */
import fc from 'fast-check';
import { type ActArbitrary, act, literal, weighted } from '../grammar/act.ts';
import { hostileAddress } from './values.ts';

const PROT = { none: 0n, r: 1n, w: 2n, rw: 3n, x: 4n, rx: 5n, wx: 6n, rwx: 7n } as const;
const rights = fc.constantFrom(...Object.values(PROT));
const pages = fc.bigInt({ min: 1n, max: 12n }).map((n) => n * 4096n);
/** Private and shared anonymous memory, with and without MAP_FIXED. */
const kinds = fc.constantFrom(0x22n, 0x22n, 0x21n, 0x32n, 0x100022n);
const fixed = fc.constantFrom(
  0x1000_0000n,
  0x1000_1000n,
  0x2000_0000n,
  0x40_0000n,
  0n,
  0x1000n,
  0x7fff_ffff_e000n,
  0x7fff_ffff_f000n,
  0xffff_8000_0000_0000n,
  0x1000_0800n,
);

const map = (into: string, length: bigint, prot: bigint) => `${into} = syscall(9n, 0n, ${literal(length)}, ${prot}n, 0x22n, ALL, 0n);`;
const at = (name: string, offset = 0n) => `wrapping.u64(${name}) + ${literal(offset)}`;

/** mmap with everything chosen, then a look at what came. */
const anyMapping: ActArbitrary = fc
  .tuple(weighted([3, fc.constant(0n)], [3, fixed]), pages, rights, kinds, fc.boolean())
  .map(([where, length, prot, flags, look]) =>
    act(
      `mmap at ${literal(where)}, rights ${prot}`,
      `r1 = syscall(9n, ${literal(where)}, ${literal(length)}, ${prot}n, ${literal(flags)}, ALL, 0n);`,
      ...(look ? [`if (r1 > 0n) load64(${at('r1')});`] : []),
    ),
  );

/** Written, then read-only: the next write of the program, and the kernel's for it, must fail. */
const readOnlyAfterWriting: ActArbitrary = fc
  .tuple(pages, fc.boolean(), fc.constantFrom(PROT.r, PROT.none, PROT.rx))
  .map(([length, byKernel, prot]) =>
    act(
      `a page made ${prot === PROT.none ? 'inaccessible' : 'read-only'} after a write, then written ${byKernel ? 'by the kernel' : 'again'}`,
      map('r1', length, PROT.rw),
      `if (r1 > 0n) {`,
      `  store64(${at('r1')}, 0x1122334455667788n);`,
      `  syscall(10n, ${at('r1')}, ${literal(length)}, ${prot}n);`,
      byKernel ? `  r2 = syscall(63n, ${at('r1')});` : `  store64(${at('r1')}, 1n);`,
      '}',
    ),
  );

/** Unmapped and mapped again: no byte of before may show, and no translation of before may serve. */
const mappedAgain: ActArbitrary = fc
  .tuple(pages, fc.boolean(), fc.constantFrom(0x32n, 0x22n))
  .map(([length, touchGone, flags]) =>
    act(
      'a page unmapped and mapped again at the same place',
      map('r1', length, PROT.rw),
      'if (r1 > 0n) {',
      `  store64(${at('r1')}, 0x5a5a5a5a5a5a5a5an);`,
      `  syscall(11n, ${at('r1')}, ${literal(length)});`,
      ...(touchGone ? [`  load64(${at('r1')});`] : []),
      `  r2 = syscall(9n, wrapping.u64(r1), ${literal(length)}, 3n, ${literal(flags)}, ALL, 0n);`,
      '  if (r2 > 0n) {',
      `    load64(${at('r2')});`,
      `    store64(${at('r2')}, 1n);`,
      '  }',
      '}',
    ),
  );

/** Code written, made executable, run, made writable again: W and X may never meet. */
const codeGames: ActArbitrary = fc
  .tuple(fc.constantFrom(PROT.rx, PROT.rwx, PROT.wx, PROT.x), fc.boolean())
  .map(([prot, rewrite]) =>
    act(
      `code written into a page that is then given rights ${prot}`,
      map('r1', 4096n, PROT.rw),
      'if (r1 > 0n) {',
      `  store64(${at('r1')}, 0xc3c3c3c3c3c3c3c3n);`,
      `  r2 = syscall(10n, ${at('r1')}, 4096n, ${prot}n);`,
      `  if (r2 === 0n) asm('call rdi', { rdi: wrapping.u64(r1) }, 'rax');`,
      ...(rewrite
        ? [
            `  syscall(10n, ${at('r1')}, 4096n, 3n);`,
            `  store64(${at('r1')}, 0x9090909090909090n);`,
            `  syscall(10n, ${at('r1')}, 4096n, 5n);`,
          ]
        : []),
      '}',
    ),
  );

/** A system call given a buffer of which a page in the middle is missing or read-only. */
const holes: ActArbitrary = fc
  .tuple(fc.constantFrom(0n, 1n, 63n, 318n, 79n, 17n), fc.constantFrom(PROT.none, PROT.r), fc.boolean())
  .map(([call, prot, unmap]) =>
    act(
      `call ${call} with a buffer that has a ${unmap ? 'hole' : `page of rights ${prot}`}`,
      map('r1', 3n * 4096n, PROT.rw),
      'if (r1 > 0n) {',
      unmap ? `  syscall(11n, ${at('r1', 4096n)}, 4096n);` : `  syscall(10n, ${at('r1', 4096n)}, 4096n, ${prot}n);`,
      call === 63n || call === 79n
        ? `  r2 = syscall(${call}n, ${at('r1', 4000n)}, 8192n);`
        : call === 318n
          ? `  r2 = syscall(318n, ${at('r1', 4000n)}, 4096n, 0n);`
          : `  r2 = syscall(${call}n, r3 > 0n ? wrapping.u64(r3) : 1n, ${at('r1', 4000n)}, 4096n, 0n);`,
      '}',
    ),
  );

/** Reads, writes and jumps to where the kernel lies. */
const outside: ActArbitrary = fc
  .tuple(hostileAddress, fc.constantFrom('read', 'write', 'jump', 'bytes'))
  .map(([address, how]) =>
    act(
      `${how} outside of the own memory`,
      how === 'read'
        ? `load64(${address});`
        : how === 'write'
          ? `store64(${address}, 0x4141414141414141n);`
          : how === 'bytes'
            ? `store8(${address}, 0x41);`
            : `asm('jmp rdi', { rdi: ${address} }, 'rax');`,
    ),
  );

/** munmap, mprotect and brk over ranges that wrap, straddle, or hold the program itself. */
const wildRanges: ActArbitrary = fc
  .tuple(
    fc.constantFrom(10n, 11n, 12n),
    weighted([2, fixed.map(literal)], [2, hostileAddress], [1, fc.constant('base')], [2, fc.constant('wrapping.u64(r1)')]),
    weighted([2, pages.map(literal)], [1, fc.constantFrom('ALL', '0n', '1n', '0x800000000000n', '0xfffffffffffff000n', '0x7ffffffff000n')]),
    rights,
  )
  .map(([call, where, length, prot]) => act(`call ${call} over a wild range`, `r2 = syscall(${call}n, ${where}, ${length}, ${prot}n);`));

export const mappings: ActArbitrary = weighted(
  [4, anyMapping],
  [3, readOnlyAfterWriting],
  [3, mappedAgain],
  [3, codeGames],
  [3, holes],
  [3, wildRanges],
);
export const accesses: ActArbitrary = outside;
