/**
 * Every kind of trace event, once. From this table come the type `TraceEvent`, the columns that store events (trace/columns.ts), the decoder and the
 * format's documentation (format-markdown.ts).
 *
 * To add an event: append a row with the next free tag and the next format version, and call it from the recorder (block-maker.ts). A tag is for ever: it
 * is never reused, and a field is never moved, removed or given another type; an event that must change becomes a new one. A trace of an older version
 * replays without the events that its version did not have.
 *
 * An event is recorded when it takes effect. Its position `at` counts the instructions that retired before it: of an event that an instruction makes
 * (a port read, a fault, a system call) `at` is that instruction's own position. Events at one position stand in the order in which they happened.
 */
import { at, bytes, type Field, flag, name, text, u8, u16, u32, u64, u64s, type ValueOf } from './fields.ts';

/**
 * One row of the table: a name, a tag that is for ever, a sentence, fields in their stored order (the first is always `at`), and the first format version
 * that has the event.
 */
export interface EventRow<Kind extends string = string, Fields extends EventFields = EventFields> {
  readonly kind: Kind;
  readonly tag: number;
  readonly doc: string;
  readonly fields: Fields;
  readonly since: number;
}

export interface EventFields {
  readonly at: Field<'at'>;
  readonly [field: string]: Field;
}

function event<const Kind extends string, const Fields extends EventFields>(
  kind: Kind,
  tag: number,
  doc: string,
  fields: Fields,
  since = 1,
): EventRow<Kind, Fields> {
  return { kind, tag, doc, fields, since };
}

/** What a translation grants, as stored in `rights`: 1 writable, 2 user, 4 executable, 8 mapped at all. */
export const RIGHTS = { writable: 1, user: 2, executable: 4, mapped: 8 } as const;

// biome-ignore format: one event a row
export const EVENTS = [
  event('irq', 1, 'An external interrupt was delivered.', { at, vector: u8('IDT vector'), target: u64('address of the first instruction of the handler') }),
  event('exception', 2, 'An exception was delivered.', { at, vector: u8('IDT vector'), code: u32('error code, 0 where the vector pushes none'), cr2: u64('linear address of a page fault, else 0'), rip: u64('RIP that the frame holds'), target: u64('address of the first instruction of the handler') }),
  event('software-interrupt', 3, 'INT n, INT3, INTO or INT1.', { at, vector: u8('IDT vector'), rip: u64('address of the instruction'), target: u64('address of the first instruction of the handler') }),
  event('syscall', 4, 'SYSCALL entered the kernel.', { at, number: u64('RAX'), args: u64s(6, 'RDI RSI RDX R10 R8 R9'), rip: u64('address of the SYSCALL instruction') }),
  event('sysret', 5, 'SYSRET or IRET to CPL 3 is about to happen.', { at, result: u64('RAX'), how: name(['sysret', 'iret', 'far'], 'by which instruction') }),
  event('enter-user', 6, 'CPL rose to 3.', { at, how: name(['sysret', 'iret', 'far'], 'by which instruction') }),
  event('enter-kernel', 7, 'CPL fell to a lower number.', { at, cause: name(['irq', 'exception', 'syscall', 'int'], 'by what') }),
  event('control-register', 8, 'CR0, CR2, CR3, CR4 or CR8 was written.', { at, register: u8('number of the register'), before: u64('value before'), after: u64('value after') }),
  event('msr', 9, 'A model-specific register was written.', { at, index: u32('number of the register (ECX of WRMSR)'), before: u64('value before'), after: u64('value after') }),
  event('debug-register', 10, 'A debug register was written.', { at, register: u8('number of the register'), before: u64('value before'), after: u64('value after') }),
  event('descriptor-table', 11, 'LGDT, LIDT, LLDT or LTR.', { at, table: name(['gdt', 'idt', 'ldt', 'tr'], 'which register'), base: u64('linear base'), limit: u32('limit') }),
  event('tlb-flush', 12, 'Translations were invalidated.', { at, flush: name(['page', 'pcid', 'all-but-global', 'all'], 'which of them'), pcid: u16('PCID'), linear: u64('linear address of the page, else 0') }),
  event('stale', 13, 'A translation was used that the page tables no longer give.', { at, linear: u64('linear address'), access: name(['read', 'write', 'execute'], 'kind of access'), cpl: u8('CPL'), rip: u64('RIP'), usedFrame: u64('frame number used'), usedRights: u8('rights used: 1 writable, 2 user, 4 executable, 8 mapped'), nowFrame: u64('frame number that a walk would give now, else 0'), nowRights: u8('rights that a walk would give now, 0 where nothing is mapped') }),
  event('supervisor-user-access', 14, 'CPL < 3 reached for a user page, or for any page with RFLAGS.AC set.', { at, rip: u64('RIP'), linear: u64('linear address'), size: u8('bytes'), write: flag('a write'), execute: flag('an instruction fetch'), user: flag('the page has U=1'), implicit: flag('made by the CPU itself: descriptor tables, TSS, event delivery'), ac: flag('RFLAGS.AC'), writable: flag('the page grants W at every level'), faulted: flag('it ended in a page fault') }),
  event('page-table-write', 15, 'A store changed a page-table entry from which a translation had been walked.', { at, address: u64('physical address of the entry'), before: u64('entry before'), after: u64('entry after') }),
  event('port-in', 16, 'A port was read.', { at, port: u16('port'), size: u8('bytes'), value: u32('what was read') }),
  event('port-out', 17, 'A port was written.', { at, port: u16('port'), size: u8('bytes'), value: u32('what was written') }),
  event('mmio', 18, 'A device register in memory was read or written.', { at, device: text('name of the device'), offset: u32('offset into the device'), size: u8('bytes'), write: flag('a write'), value: u64('what was read or written') }),
  event('input', 19, 'The host gave what the guest cannot compute: the only event that replay reads back rather than derives.', { at, source: name(['serial', 'program'], 'which door of the host'), call: u64('number of this call of that door from 0, calls that gave nothing included'), data: bytes('what it gave') }),
  event('output', 20, 'A byte left by the serial port.', { at, byte: u8('the byte') }),
  event('harness', 21, 'A command to the harness port.', { at, command: u8('1 ready, 2 fetch, 3 finished, 4 panic'), value: u32('the status, or the length of the archive') }),
  event('halt', 22, 'HLT let virtual time pass.', { at, ticks: u64('TSC ticks that were skipped') }),
  event('context-switch', 23, 'A CR3 write took the CPU to another address space. It follows the control-register event of that write; a load of the same value, and one while paging is off, is none.', { at, from: u64('physical address of the PML4 table before'), fromPcid: u16('PCID before, 0 while CR4.PCIDE=0'), to: u64('physical address of the PML4 table after'), toPcid: u16('PCID after') }, 2),
] as const;

export type EventKind = (typeof EVENTS)[number]['kind'];

/** The decoded form of one row: its fields' values beside its kind. */
export type EventOf<Row> =
  Row extends EventRow<infer Kind, infer Fields> ? { readonly kind: Kind } & { readonly [F in keyof Fields]: ValueOf<Fields[F]> } : never;

/** Any event of a trace, told apart by `kind`. */
export type TraceEvent = EventOf<(typeof EVENTS)[number]>;

/** The event of one kind. */
export type TraceEventOf<Kind extends EventKind> = Extract<TraceEvent, { kind: Kind }>;

/** A bit for each of these kinds, at its tag: as blocks and the index say which kinds they have. */
export function tagsOfKinds(kinds: Iterable<EventKind>): bigint {
  let bits = 0n;
  for (const kind of kinds) bits |= 1n << BigInt(TAGS[kind]);
  return bits;
}

const TAGS = Object.fromEntries(EVENTS.map(({ kind, tag }) => [kind, tag])) as Readonly<Record<EventKind, number>>;
