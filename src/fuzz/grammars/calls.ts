/** System calls from keel's own table, with arguments that their kinds suggest: good, borderline, hostile. */
import fc from 'fast-check';
import { type Argument, SYSCALLS, type Syscall } from '../../kernel/abi/syscalls.ts';
import { type Act, type ActArbitrary, literal, RESULTS, weighted } from '../grammar/act.ts';
import { address, bits, border, choice, fd, number, pid, size } from './values.ts';

/** Paths that exist, that do not, that end in odd ways. They are stored into the program's memory before the call. */
const PATHS = [
  '/',
  '/etc/programs',
  '/bin/victim',
  '/f',
  '/g/h',
  '',
  '.',
  '..',
  '/../..',
  '//bin//victim',
  '/bin',
  '/bin/victim/',
  '/proc/self/exe',
  'x'.repeat(300),
];

/** What an argument needs before the call, and its value. */
interface Argued {
  readonly before: readonly string[];
  readonly value: string;
}

const plain = (value: fc.Arbitrary<string>): fc.Arbitrary<Argued> => value.map((text) => ({ before: [], value: text }));

/** A string put into the memory at `offset`, NUL-ended. */
const stored = (text: string, offset: number): Argued => ({ before: [], value: `put(${offset}n, '${text}')` });

/** Two words (a pointer and a length, seconds and nanoseconds …) put into the memory. */
const storedWords = (offset: number): fc.Arbitrary<Argued> =>
  fc.tuple(address, size).map(([first, second]) => ({
    before: [`store64(base + ${literal(BigInt(offset))}, ${first});`, `store64(base + ${literal(BigInt(offset + 8))}, ${second});`],
    value: `(base + ${literal(BigInt(offset))})`,
  }));

function argument(argument: Argument, index: number): fc.Arbitrary<Argued> {
  const offset = 1024 * index + 512;
  switch (argument.kind) {
    case 'fd':
    case 'directory-fd':
      return plain(fd);
    case 'bytes-in':
    case 'bytes-out':
    case 'struct-out':
    case 'address':
      return plain(address);
    case 'struct-in':
    case 'iovec-in':
    case 'iovec-out':
    case 'strings':
      return weighted<Argued>([3, storedWords(offset)], [2, plain(address)]);
    case 'path':
      return weighted<Argued>([4, fc.constantFrom(...PATHS).map((path) => stored(path, offset))], [2, plain(address)]);
    case 'flags':
      return plain(bits(argument.values));
    case 'choice':
      return plain(choice(argument.values));
    case 'size':
      // The size of a signal set: anything else is refused at once.
      return plain(argument.name === 'setSize' ? weighted([3, fc.constant('8n')], [1, size]) : size);
    case 'offset':
    case 'count':
      return plain(size);
    case 'pid':
      return plain(pid);
    case 'signal':
    case 'int':
    case 'mode':
      return plain(number);
    case 'ignored':
      return plain(border);
  }
}

/** Calls that would stop the program where it stands, or leave it waiting for what nobody sends. */
const ENDING = new Set(['exit', 'exit_group', 'rt_sigreturn']);

function callOf(call: Syscall): ActArbitrary {
  return fc.tuple(fc.nat({ max: RESULTS - 1 }), fc.tuple(...call.arguments.map(argument))).map(
    ([into, argued]): Act => ({
      tries: call.name,
      lines: [
        ...argued.flatMap(({ before }) => before),
        `r${into} = syscall(${[`${call.number}n`, ...argued.map(({ value }) => value)].join(', ')});`,
      ],
    }),
  );
}

/** Any call of the table with arguments of the right kinds. */
export const tableCall: ActArbitrary = fc.oneof(...SYSCALLS.filter(({ name }) => !ENDING.has(name)).map(callOf));

/** A call that may not return. */
export const endingCall: ActArbitrary = fc.oneof(...SYSCALLS.filter(({ name }) => ENDING.has(name)).map(callOf));

/** Numbers of no call, and of calls with their upper bits set. */
export const oddNumber: ActArbitrary = fc
  .tuple(
    weighted(
      [2, fc.bigInt({ min: 300n, max: 1100n }).map(literal)],
      [3, border],
      [1, fc.nat({ max: 320 }).map((n) => literal(BigInt(n) | 0x1_0000_0000n))],
    ),
    fc.array(address, { maxLength: 6 }),
  )
  .map(([nr, args]) => ({ tries: 'a call by an odd number', lines: [`r0 = syscall(${[`wrapping.i64(${nr})`, ...args].join(', ')});`] }));
