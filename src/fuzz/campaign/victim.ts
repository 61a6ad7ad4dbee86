/**
 * The victim: the program that runs beside every hostile one. It is started once, before the snapshot: when a hostile program comes it has its secrets and a
 * child with a copy of them, and both wake up from a sleep. It holds secrets in memory, in general and SSE registers, in a pipe and in a
 * file without a name, lets itself be interrupted again and again, and looks whether all is as it left it.
 *
 * The secrets are computed when it starts, from a seed and its process id: neither its file, which anybody may read, nor another process that
 * executes it holds them.
 */
import { literal } from '../grammar/act.ts';

/** Where the victim lies in the archive. */
export const VICTIM_PATH = '/bin/victim';
/** The first process of all. */
export const VICTIM_PID = 1;
/** Its exit status where something of it was changed. */
export const VICTIM_HARMED = 99;

const SECRETS = 24;
/** How many of them are held in registers. */
const HELD = 21;
const MULTIPLIER = 0x9e37_79b9_7f4a_7c15n;

const next = (value: bigint): bigint => {
  const mixed = BigInt.asUintN(64, (value ^ (value >> 29n)) * MULTIPLIER);
  return mixed ^ (mixed >> 32n);
};

/** The secrets of a victim made with this seed, in the order in which it computes them. Never 0, and of no small number's form. */
export function secretsOf(seed: bigint): bigint[] {
  const secrets: bigint[] = [];
  let value = seed;
  for (let n = 0; n < SECRETS; n++) secrets.push((value = next(value)));
  return secrets;
}

const XMM = Array.from({ length: 16 }, (_, n) => n);
const KEPT = ['rbx', 'r12', 'r13', 'r14', 'r15'];
/** How often it loads its registers. */
const ROUNDS = 4;
/** Longer than the kernel takes to find that nobody is ready, shorter than it takes to start another program. */
const SLEEP_NS = 5000;
/** Turns of the loop in which it may be interrupted, each round. */
const SPIN = 400;

/**
 * Loads every register that a program can keep a secret in, spins and yields, and looks whether their sum is what it was. RDI: the table of secrets, RSI:
 * the sum; result: 0 if all held.
 */
const holdRegisters = (spin: number): string =>
  [
    ...KEPT.map((name) => `push ${name}`),
    ...XMM.map((n) => `movq xmm${n}, qword ptr [rdi + ${8 * n}]`),
    ...KEPT.map((name, n) => `mov ${name}, qword ptr [rdi + ${8 * (n + 16)}]`),
    `mov ecx, ${spin}`,
    'hold_spin:',
    'dec ecx',
    'jne hold_spin',
    'mov eax, 24',
    'syscall',
    ...XMM.slice(1).map((n) => `xorpd xmm0, xmm${n}`),
    'movq rax, xmm0',
    ...KEPT.map((name) => `xor rax, ${name}`),
    'xor rax, rsi',
    ...[...KEPT].reverse().map((name) => `pop ${name}`),
  ].join('\\n');

/** The victim's source for a seed of 64 bits. */
export const victimSource = (seed: bigint): string => `import { addressOf, asm, load64, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const secrets = new BigUint64Array(${SECRETS});
/** @align 4096 */
const copy = new BigUint64Array(512);
const ends = new Int32Array(2);

function next(value: u64): u64 {
  const mixed: u64 = wrapping.u64((value ^ (value >> 29n)) * ${literal(MULTIPLIER)});
  return mixed ^ (mixed >> 32n);
}

function harmed(): never {
  syscall(231n, ${VICTIM_HARMED}n);
  unreachable();
}

const start: u64 = wrapping.u64(${literal(seed)} + (wrapping.u64(syscall(39n)) - ${VICTIM_PID}n) * ${literal(MULTIPLIER)});
let value: u64 = start;
for (let n: i32 = 0; n < ${SECRETS}; n++) {
  value = next(value);
  secrets[n] = value;
}
value = 0n;
let sum: u64 = 0n;
for (let n: i32 = 0; n < ${HELD}; n++) sum = sum ^ secrets[n];

const table: u64 = addressOf(secrets);
const buffer: u64 = addressOf(copy);
// The same bytes wait in a pipe and in a file without a name, which are kernel memory: as many as there was memory for.
let piped: i64 = 0n;
if (syscall(293n, addressOf(ends), 0n) === 0n) piped = syscall(1n, u64(ends[1]), table, ${8 * SECRETS}n);
// Nobody else can guess the name that it has for a moment: a slash and seven letters.
let name: u64 = 0x2fn;
for (let n: u64 = 1n; n < 8n; n++) name = name | ((0x61n + ((secrets[0] >> (4n * n)) & 15n)) << (8n * n));
store64(buffer, name);
store64(buffer + 8n, 0n);
const file: i64 = syscall(2n, buffer, 0o102n, 0o600n);
let written: i64 = 0n;
if (file > 0n) {
  written = syscall(1n, u64(file), table, ${8 * SECRETS}n);
  syscall(87n, buffer);
}

// A child that ends leaves its copies of the pages behind: frames full of secrets, for whoever gets them next.
const child: i64 = syscall(57n);
if (child === 0n) for (let n: i32 = 0; n < ${SECRETS}; n++) copy[480 + (n & 7)] = secrets[n];
// Here they wait until there are others.
store64(buffer, 0n);
store64(buffer + 8n, ${SLEEP_NS}n);
syscall(35n, buffer, 0n);
if (child === 0n) syscall(231n, 0n);

for (let round: i32 = 0; round < ${ROUNDS}; round++) {
  if (asm('${holdRegisters(SPIN)}', { rdi: table, rsi: sum }, 'rax') !== 0n) harmed();
  for (let n: i32 = 0; n < ${SECRETS}; n++) copy[round * 40 + n] = secrets[n];
  if (round === 0) syscall(61n, 0xffffffffffffffffn, 0n, 0n, 0n);
}
let expected: u64 = start;
for (let n: i32 = 0; n < ${SECRETS}; n++) {
  expected = next(expected);
  if (load64(table + u64(n) * 8n) !== expected) harmed();
}

store64(buffer, 0n);
if (piped > 0n) {
  if (syscall(0n, u64(ends[0]), buffer, ${8 * SECRETS}n) !== piped) harmed();
  for (let n: i64 = 0n; n < piped / 8n; n++) if (copy[i32(n)] !== secrets[i32(n)]) harmed();
}
if (written > 0n) {
  store64(buffer, 0n);
  if (syscall(17n, u64(file), buffer, ${8 * SECRETS}n, 0n) !== written) harmed();
  for (let n: i64 = 0n; n < written / 8n; n++) if (copy[i32(n)] !== secrets[i32(n)]) harmed();
}
syscall(231n, 0n);
`;
