/** Events as lines for people: system calls by name with their arguments, exceptions by the manual's names, results with their errno. */
import * as errno from '../kernel/abi/errno.ts';
import { type Argument, SYSCALLS, type Syscall } from '../kernel/abi/syscalls.ts';
import { EVENTS, type TraceEvent, type TraceEventOf } from './events.ts';
import type { Field } from './fields.ts';
import type { SwitchNames } from './processes.ts';

const EXCEPTIONS = '#DE #DB NMI #BP #OF #BR #UD #NM #DF - #TS #NP #SS #GP #PF - #MF #AC #MC #XM #VE #CP'.split(' ');
const PAGE_FAULT = 14;
const LINE_BYTES = 24;

const syscallByNumber: ReadonlyMap<bigint, Syscall> = new Map(SYSCALLS.map((call) => [BigInt(call.number), call]));
const errnoNames: ReadonlyMap<number, string> = new Map(Object.entries(errno).map(([name, value]) => [value, name]));

/** A number as people read it in a trace: small ones decimal, the others hexadecimal. */
function number(value: bigint | number): string {
  return value < 1024 ? `${value}` : `0x${value.toString(16)}`;
}

/** `#PF`, `NMI` or `vector 33`. */
export function vectorName(vector: number): string {
  const name = EXCEPTIONS[vector];
  return name === undefined || name === '-' ? `vector ${vector}` : name;
}

/** What a system call returned: `12`, `0x7f0000001000` or `-ENOENT`. */
export function resultText(result: bigint): string {
  const signed = BigInt.asIntN(64, result);
  if (signed < 0n && signed > -4096n) return `-${errnoNames.get(Number(-signed)) ?? -signed}`;
  return number(result);
}

function maskText(value: bigint, values: Readonly<Record<string, number>>): string {
  let left = value;
  const names: string[] = [];
  for (const [name, bits] of Object.entries(values)) {
    const mask = BigInt(bits);
    if (mask === 0n || (left & mask) !== mask) continue;
    names.push(name);
    left &= ~mask;
  }
  if (left !== 0n) names.push(`0x${left.toString(16)}`);
  return names.length > 0 ? names.join('|') : (Object.entries(values).find(([, bits]) => bits === 0)?.[0] ?? '0');
}

function argumentText(argument: Argument, value: bigint): string {
  const signed = BigInt.asIntN(32, value);
  switch (argument.kind) {
    case 'flags':
      return maskText(value, argument.values);
    case 'choice':
      return Object.entries(argument.values).find(([, choice]) => BigInt(choice) === value)?.[0] ?? number(value);
    case 'directory-fd':
      return signed === -100n ? 'AT_FDCWD' : `${signed}`;
    case 'fd':
    case 'pid':
    case 'signal':
    case 'int':
      return `${signed}`;
    case 'mode':
      return `0${value.toString(8)}`;
    case 'size':
    case 'count':
      return number(value);
    case 'offset':
      return `${BigInt.asIntN(64, value)}`;
    case 'bytes-in':
    case 'bytes-out':
    case 'struct-in':
    case 'struct-out':
    case 'iovec-in':
    case 'iovec-out':
    case 'path':
    case 'strings':
    case 'address':
    case 'ignored':
      return value === 0n ? '0' : `0x${value.toString(16)}`;
  }
}

/** The arguments of a system call, as names and texts, by the table of keel's calls; of one that it does not have, all six. */
export function syscallArguments(call: bigint, args: readonly bigint[]): readonly (readonly [string, string])[] {
  const row = syscallByNumber.get(call);
  if (row === undefined) return args.map((value, i) => [`argument ${i}`, number(value)]);
  return row.arguments.map((argument, i) => [argument.name, argumentText(argument, args[i] ?? 0n)]);
}

/** A system call as its name and arguments: `write(fd=1, buffer=0x402000, count=6)`. */
export function syscallText(call: bigint, args: readonly bigint[]): string {
  const name = syscallName(call);
  if (name === null) return `syscall ${number(call)}(${args.map(number).join(', ')})`;
  return `${name}(${syscallArguments(call, args)
    .map(([argument, text]) => `${argument}=${text}`)
    .join(', ')})`;
}

/** The name of a system call, or null for a number that the table does not have. */
export function syscallName(call: bigint): string | null {
  return syscallByNumber.get(call)?.name ?? null;
}

function bytesText(bytes: Uint8Array): string {
  const text = JSON.stringify(String.fromCharCode(...bytes.subarray(0, LINE_BYTES)));
  return bytes.length > LINE_BYTES ? `${text}… (${bytes.length} bytes)` : text;
}

function pageFaultText(event: TraceEventOf<'exception'>): string {
  const { code } = event;
  const access = (code & 16) !== 0 ? 'fetch' : (code & 2) !== 0 ? 'write' : 'read';
  return ` ${access} of 0x${event.cr2.toString(16)} by ${(code & 4) !== 0 ? 'user' : 'supervisor'}, page ${(code & 1) !== 0 ? 'present' : 'not present'}`;
}

/** The fields of an event as `name=value`, by the table of events. */
function fieldsText(event: TraceEvent): string {
  const row = EVENTS.find((candidate) => candidate.kind === event.kind);
  const values = event as unknown as Record<string, unknown>;
  return Object.keys((row?.fields ?? {}) as Record<string, Field>)
    .filter((name) => name !== 'at')
    .map((name) => {
      const value = values[name];
      if (value instanceof Uint8Array) return `${name}=${bytesText(value)}`;
      if (Array.isArray(value)) return `${name}=(${value.map(number).join(', ')})`;
      return `${name}=${typeof value === 'bigint' || typeof value === 'number' ? number(value) : String(value)}`;
    })
    .join(' ');
}

/** `0x1b7000 PCID 2 (pid 17 hello)`: an address space, and who has it where that is known. */
function spaceText(root: bigint, pcid: number, name: string | null): string {
  return `0x${root.toString(16)}${pcid === 0 ? '' : ` PCID ${pcid}`}${name === null ? '' : ` (${name})`}`;
}

/** A switch between address spaces, with the names of those who have them. */
export function switchText({ from, fromPcid, to, toPcid }: TraceEventOf<'context-switch'>, names: SwitchNames | null): string {
  return `context-switch ${spaceText(from, fromPcid, names?.from ?? null)} → ${spaceText(to, toPcid, names?.to ?? null)}`;
}

/** One line, without the position. */
export function describeEvent(event: TraceEvent): string {
  switch (event.kind) {
    case 'syscall':
      return `syscall ${syscallText(event.number, event.args)} at 0x${event.rip.toString(16)}`;
    case 'sysret':
      return `${event.how} result=${resultText(event.result)}`;
    case 'exception': {
      const code = event.code === 0 ? '' : ` code=0x${event.code.toString(16)}`;
      const fault = event.vector === PAGE_FAULT ? pageFaultText(event) : '';
      return `exception ${vectorName(event.vector)}${code}${fault} at 0x${event.rip.toString(16)}`;
    }
    case 'irq':
      return `irq ${event.vector} to 0x${event.target.toString(16)}`;
    case 'control-register':
      return `cr${event.register} 0x${event.before.toString(16)} → 0x${event.after.toString(16)}`;
    case 'context-switch':
      return switchText(event, null);
    case 'msr':
      return `msr 0x${event.index.toString(16)} 0x${event.before.toString(16)} → 0x${event.after.toString(16)}`;
    case 'output':
      return `output ${JSON.stringify(String.fromCharCode(event.byte))}`;
    default:
      return `${event.kind} ${fieldsText(event)}`.trimEnd();
  }
}
