/**
 * The blocks of a trace: what each kind holds, as types, and the checks that turn hostile values into those types. Below them lies trace/frame.ts
 * (bytes, checksums), beside them events.ts (what stands in a run block's events). Keys and numbers of kinds are for ever: a block that must
 * change gets a new format version.
 *
 * Order in a file: one header; artefacts; of a branch its first checkpoint; then run blocks, with a checkpoint after some of them; an end; an index. A file that was cut lacks its tail.
 * A whole number that may exceed 32 bits is a bigint here and a msgpack uint 64 in the file.
 */
import { type MachineConfig, MOST_ACCESSES, type PackedAddresses, type Stop, UNSUPPORTED } from '../machine/index.ts';
import { bug } from '../machine/isa/bug.ts';
import type { ColumnEvents } from './trace/columns.ts';
import { MAX_BLOCK_EVENTS, type PackedEvents } from './trace/event-stream.ts';
import { ADDRESSES_VERSION, BRANCH_VERSION, FORMAT_VERSION } from './trace/frame.ts';
import { Malformed } from './trace/malformed.ts';

/** The number of each kind of block. */
export const BLOCK = { header: 0, artefact: 1, run: 2, checkpoint: 3, end: 4, index: 5 } as const;
export type BlockKind = keyof typeof BLOCK;

/** Instructions of a run block; each block but the last has exactly as many. A block costs some 0.1 ms whatever it holds: this is what keeps that small. */
export const BLOCK_INSTRUCTIONS = 1 << 22;
/** The fewest instructions between checkpoints, unless the recording says otherwise: what takes a fraction of a second to run again. */
export const CHECKPOINT_INSTRUCTIONS = 4 * BLOCK_INSTRUCTIONS;

/** A file that the run was given: the boot image, the initial RAM disk, or an ELF that only gives symbols. */
export interface Artefact {
  readonly role: 'image' | 'initrd' | 'symbols';
  /** What people call it: never a path, so that a trace does not depend on where it was made. */
  readonly name: string;
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Length in bytes. */
  readonly size: number;
  /** True where artefact blocks hold the bytes; otherwise whoever replays brings them, and they are known by their hash. */
  readonly embedded: boolean;
}

/** The first block: all that the run is a function of, but for the inputs that come while it runs (events of kind `input`). */
export interface TraceHeader {
  readonly machine: MachineConfig;
  /** The kernel's command line, or null where none was given. */
  readonly append: string | null;
  readonly artefacts: readonly Artefact[];
  readonly blockInstructions: number;
  readonly checkpointInstructions: number;
  /** Where the run comes from that another one was left for; null: it begins with a boot. */
  readonly branch: Branch | null;
}

/** A run that leaves another one at some position, with something changed. It begins with a checkpoint, which holds the changed machine. */
export interface Branch {
  /** Instructions that had retired before its first. */
  readonly at: bigint;
  /** What people call the trace that it left: never a path. */
  readonly parent: string;
  /** `Trace.digest` of that, 64 hexadecimal digits. */
  readonly digest: string;
  readonly changes: readonly Change[];
}

/** The kinds of change, by what `place` and `data` of each are. */
export const CHANGES = {
  register: 'the name of the register; its value, little-endian',
  linear: 'a linear address, hexadecimal; the bytes written there',
  physical: 'a physical address, hexadecimal; the bytes written there',
  serial: 'nothing; the bytes that the serial port gives from there on, instead of those recorded',
  program: 'SHA-256 of a program archive that the host gives from there on, instead of those recorded (nothing: it gives none); nothing',
} as const;

/** What is other in a branch than in its parent at that position. */
export interface Change {
  readonly kind: keyof typeof CHANGES;
  readonly place: string;
  readonly data: Uint8Array;
}

/** A piece of an embedded artefact. Pieces come in order and without gaps. */
export interface ArtefactBlock {
  /** Place in the header's list. */
  readonly artefact: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

/** How wide code is: real or 16-bit, 32-bit, 64-bit. */
export type Mode = 16 | 32 | 64;

/** The canonical path of one block: see path.ts. */
export interface PackedPath {
  /** Bit i is bit i & 7 of byte i >> 3; the bits after the last are 0. */
  readonly bits: Uint8Array;
  readonly bitCount: number;
  /** A bit for each target, as in `bits`: 1 where it is what was guessed from those before it. Null: none was guessed. */
  readonly guesses: Uint8Array | null;
  readonly targetCount: number;
  /** The targets that were not guessed: u64 each, little-endian. */
  readonly targets: Uint8Array;
}

/** Up to `blockInstructions` instructions. */
export interface RunBlock {
  /** Instructions that had retired before the first of the block. */
  readonly first: bigint;
  readonly count: number;
  /** RIP before the first instruction (and before events at its position), and the mode: so that the path of a block can be read by itself. */
  readonly rip: bigint;
  readonly mode: Mode;
  /** Null where the path was not recorded. */
  readonly path: PackedPath | null;
  /** Linear addresses of memory accesses: see addresses.ts; null where they were not recorded. */
  readonly addresses: PackedAddresses | null;
  readonly events: PackedEvents | ColumnEvents;
  /** The machine's state hash after the last instruction of the block. */
  readonly hash: string;
  /** Whether that hash is over RAM, too: it is before each checkpoint and at the end, for it costs what was written. */
  readonly ram: boolean;
}

/**
 * The machine at one moment: pages are those that differ from the checkpoint before (the first: from zeroed RAM). Part 0 lists the frames of all, the
 * others hold PART_PAGES of them each, so that a page is found without reading those before it.
 */
export interface CheckpointBlock {
  readonly at: bigint;
  /** This is part `part` of `parts`, from 0. */
  readonly part: number;
  readonly parts: number;
  /** How often each door of the host had been asked. */
  readonly serialCalls: bigint;
  readonly programCalls: bigint;
  /** The machine's state but for RAM (part 0; empty in the others). */
  readonly state: Uint8Array;
  /** Frame numbers, u32 little-endian, ascending: of the whole checkpoint in part 0, else of `pages`. */
  readonly frames: Uint8Array;
  /** 4096 bytes for each of `frames`; none in part 0. */
  readonly pages: Uint8Array;
}

/** How the run ended. */
export interface EndBlock {
  readonly at: bigint;
  readonly stop: Stop;
  readonly hash: string;
}

/** Where everything stands. One entry per frame of the file, the index left out. */
export interface IndexBlock {
  /** Offset of the frame in the file: u64 each, little-endian. */
  readonly offsets: Uint8Array;
  /** Kind of the block: u8 each. */
  readonly kinds: Uint8Array;
  /** `first` of a run block, `at` of a checkpoint or the end, else 0: u64 each, little-endian. */
  readonly positions: Uint8Array;
  /** Of a run block, bit t is set where it has an event of tag t; else 0: u64 each, little-endian. */
  readonly tags: Uint8Array;
  /** All instructions of the run. */
  readonly instructions: bigint;
}

export const MAX_ARTEFACTS = 64;
export const MAX_CHANGES = 4096;
export const MAX_CHANGE_BYTES = 1 << 20;
const MAX_ARTEFACT_BYTES = 512 << 20;
export const MAX_BLOCK_INSTRUCTIONS = 1 << 22;
const MAX_STREAM_BYTES = 2 << 20;
/** Different texts of the events of a block. */
export const MOST_TEXTS = 256;
export const PAGE_BYTES = 4096;
/** Pages of one checkpoint block: 1 MiB. */
export const PART_PAGES = 256;
/** The same until version 2. */
export const OLD_PART_PAGES = 4096;

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown, keys: readonly string[], what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw new Malformed(`${what} is not a map`);
  const found = Object.keys(value);
  for (const key of keys) if (!found.includes(key)) throw new Malformed(`${what} has no ${key}`);
  for (const key of found) if (!keys.includes(key)) throw new Malformed(`${what} has an unknown ${key.slice(0, 40)}`);
  return value as Fields;
}

function whole(value: unknown, limit: number, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > limit)
    throw new Malformed(`${what} is not a number up to ${limit}`);
  return value;
}

function big(value: unknown, what: string): bigint {
  if (typeof value !== 'bigint' || value < 0n) throw new Malformed(`${what} is not a uint 64`);
  return value;
}

function bin(value: unknown, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Malformed(`${what} is not a bin`);
  return value;
}

function bool(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw new Malformed(`${what} is not a boolean`);
  return value;
}

function shortText(value: unknown, limit: number, what: string): string {
  if (typeof value !== 'string' || value.length > limit) throw new Malformed(`${what} is not a text of up to ${limit} characters`);
  return value;
}

function hex(value: unknown, digits: number, what: string): string {
  if (typeof value !== 'string' || value.length !== digits || !/^[0-9a-f]*$/.test(value))
    throw new Malformed(`${what} is not ${digits} hexadecimal digits`);
  return value;
}

/** The plain value of a machine's configuration, as the header stores it. */
function packConfig(config: MachineConfig): object {
  return {
    memoryBytes: config.memoryBytes,
    seed: config.seed,
    harness: config.harness,
    startTime: config.startTime ?? 0n,
    path: config.record?.path ?? false,
    addresses: config.record?.addresses ?? false,
    supervisorUserAccess: config.watch?.supervisorUserAccess ?? false,
  };
}

function unpackConfig(value: unknown): MachineConfig {
  const keys = ['memoryBytes', 'seed', 'harness', 'startTime', 'path', 'addresses', 'supervisorUserAccess'];
  const map = fields(value, keys, 'the machine');
  return {
    memoryBytes: whole(map['memoryBytes'], 3 * 2 ** 30, 'memoryBytes'),
    seed: shortText(map['seed'], 65_536, 'the seed'),
    harness: bool(map['harness'], 'harness'),
    startTime: big(map['startTime'], 'startTime'),
    record: { path: bool(map['path'], 'path'), addresses: bool(map['addresses'], 'addresses') },
    watch: { supervisorUserAccess: bool(map['supervisorUserAccess'], 'supervisorUserAccess') },
  };
}

/** The format version that a trace with this header has. */
export function versionOf({ branch, machine }: TraceHeader): number {
  if (branch !== null) return BRANCH_VERSION;
  return machine.record?.addresses === true ? ADDRESSES_VERSION : FORMAT_VERSION;
}

export function packHeader(header: TraceHeader, version: number): object {
  const { append, artefacts, blockInstructions, checkpointInstructions, branch } = header;
  return {
    version,
    machine: packConfig(header.machine),
    append,
    artefacts: artefacts.map(({ role, name, sha256, size, embedded }) => ({ role, name, sha256, size, embedded })),
    blockInstructions,
    checkpointInstructions: BigInt(checkpointInstructions),
    ...(branch !== null && { branch: packBranch(branch) }),
  };
}

function packBranch({ at, parent, digest, changes }: Branch): object {
  return { at, parent, digest, changes: changes.map(({ kind, place, data }) => [kind, place, data]) };
}

function unpackBranch(value: unknown): Branch {
  const map = fields(value, ['at', 'parent', 'digest', 'changes'], 'the branch');
  const changes = map['changes'];
  if (!Array.isArray(changes) || changes.length > MAX_CHANGES) throw new Malformed(`the changes are not a list of up to ${MAX_CHANGES}`);
  return {
    at: big(map['at'], 'the position of the branch'),
    parent: shortText(map['parent'], 1024, "the parent's name"),
    digest: hex(map['digest'], 64, "the parent's digest"),
    changes: changes.map(unpackChange),
  };
}

function unpackChange(value: unknown): Change {
  if (!Array.isArray(value) || value.length !== 3) throw new Malformed('a change is not [kind, place, data]');
  const [kind, place, data] = value as unknown[];
  if (typeof kind !== 'string' || !Object.hasOwn(CHANGES, kind)) throw new Malformed('a change of an unknown kind');
  const bytes = bin(data, 'the data of a change');
  if (bytes.length > MAX_CHANGE_BYTES) throw new Malformed(`a change of ${bytes.length} bytes; the limit is ${MAX_CHANGE_BYTES}`);
  return { kind: kind as Change['kind'], place: shortText(place, 64, 'the place of a change'), data: bytes };
}

/** From version 3 on the header says the version again, under its checksum. */
export function unpackHeader(value: unknown, version: number): TraceHeader {
  const keys = ['machine', 'append', 'artefacts', 'blockInstructions', 'checkpointInstructions'];
  const map = fields(value, [...(version < 3 ? [] : ['version']), ...keys, ...(version < BRANCH_VERSION ? [] : ['branch'])], 'the header');
  if (version >= 3 && map['version'] !== version)
    throw new Malformed(`the file begins as one of format version ${version}, its header says otherwise`);
  const list = map['artefacts'];
  if (!Array.isArray(list) || list.length > MAX_ARTEFACTS) throw new Malformed(`the artefacts are not a list of up to ${MAX_ARTEFACTS}`);
  const blockInstructions = whole(map['blockInstructions'], MAX_BLOCK_INSTRUCTIONS, 'blockInstructions');
  const checkpointInstructions = Number(big(map['checkpointInstructions'], 'checkpointInstructions'));
  if (blockInstructions === 0 || checkpointInstructions === 0 || checkpointInstructions % blockInstructions !== 0)
    throw new Malformed(`checkpoints every ${checkpointInstructions} instructions in blocks of ${blockInstructions}`);
  const machine = unpackConfig(map['machine']);
  // A branch may have addresses or not.
  if (version < BRANCH_VERSION && machine.record?.addresses !== version >= ADDRESSES_VERSION)
    throw new Malformed(`a trace of format version ${version} that says of addresses: ${machine.record?.addresses}`);
  return {
    machine,
    append: map['append'] === null ? null : shortText(map['append'], 65_536, 'append'),
    artefacts: list.map(unpackArtefact),
    blockInstructions,
    checkpointInstructions,
    branch: version < BRANCH_VERSION ? null : unpackBranch(map['branch']),
  };
}

function unpackArtefact(value: unknown): Artefact {
  const map = fields(value, ['role', 'name', 'sha256', 'size', 'embedded'], 'an artefact');
  const role = map['role'];
  if (role !== 'image' && role !== 'initrd' && role !== 'symbols') throw new Malformed('an artefact has an unknown role');
  return {
    role,
    name: shortText(map['name'], 1024, "an artefact's name"),
    sha256: hex(map['sha256'], 64, "an artefact's hash"),
    size: whole(map['size'], MAX_ARTEFACT_BYTES, "an artefact's size"),
    embedded: bool(map['embedded'], 'embedded'),
  };
}

export function unpackArtefactBlock(value: unknown): ArtefactBlock {
  const map = fields(value, ['artefact', 'offset', 'data'], 'an artefact block');
  return {
    artefact: whole(map['artefact'], MAX_ARTEFACTS, 'the number of an artefact'),
    offset: whole(map['offset'], MAX_ARTEFACT_BYTES, 'the offset in an artefact'),
    data: bin(map['data'], 'the data of an artefact'),
  };
}

export function packRun(run: RunBlock): object {
  const { first, count, rip, mode, path, addresses, events, hash, ram } = run;
  const packedPath = path && [path.bits, path.bitCount, path.guesses, path.targetCount, path.targets];
  if (!('stream' in events)) return bug('events of an older format version are read, never written');
  const packedEvents = [events.stream, events.texts, events.data, events.tags];
  const packedAddresses = addresses && [addresses.count, addresses.misses, addresses.differences];
  return { first, count, rip, mode, path: packedPath, addresses: packedAddresses, events: packedEvents, hash, ram };
}

/** Version 1 had no `ram`: all its hashes were over RAM; until version 2, targets were not guessed and events stood in columns. */
export function unpackRun(value: unknown, version: number): RunBlock {
  const keys = ['first', 'count', 'rip', 'mode', 'path', 'addresses', 'events', 'hash'];
  const hasRam = typeof value === 'object' && value !== null && 'ram' in value;
  const map = fields(value, hasRam ? [...keys, 'ram'] : keys, 'a run block');
  if (!hasRam && version > 1) throw new Malformed('a run block has no ram');
  const count = whole(map['count'], MAX_BLOCK_INSTRUCTIONS, 'the count of a run block');
  return {
    first: big(map['first'], 'the first count of a run block'),
    count,
    rip: big(map['rip'], 'the RIP of a run block'),
    mode: modeOf(map['mode']),
    path: map['path'] === null ? null : version < 3 ? unpackOldPath(map['path'], count) : unpackPath(map['path'], count),
    addresses: map['addresses'] === null ? null : unpackAddresses(map['addresses'], count),
    events: version < 3 ? unpackColumns(map['events']) : unpackStream(map['events']),
    hash: hex(map['hash'], 16, 'the hash of a run block'),
    ram: !hasRam || bool(map['ram'], 'ram'),
  };
}

/** A block of a trace with this header: it holds what is recorded, and no more. */
export function checkRun({ count, path, addresses }: RunBlock, { blockInstructions, machine: { record } }: TraceHeader): void {
  if (count > blockInstructions) throw new Malformed(`a block of ${count} instructions; the header says ${blockInstructions}`);
  if ((path !== null) !== record?.path) throw new Malformed('a path where none was recorded, or none where one was');
  if ((addresses !== null) !== record.addresses) throw new Malformed('addresses where none were recorded, or none where they were');
}

function modeOf(value: unknown): Mode {
  if (value !== 16 && value !== 32 && value !== 64) throw new Malformed('the mode of a run block is not 16, 32 or 64');
  return value;
}

function words(value: unknown, what: string): Uint8Array {
  const bytes = bin(value, what);
  if (bytes.length % 8 !== 0) throw new Malformed(`${what} have ${bytes.length} bytes, no multiple of 8`);
  return bytes;
}

function unpackColumns(value: unknown): ColumnEvents {
  if (!Array.isArray(value) || value.length !== 3 || !(value[0] instanceof Uint8Array))
    throw new Malformed('events are not [tags, offsets, groups]');
  if (value[0].length > MAX_BLOCK_EVENTS) throw new Malformed(`${value[0].length} events in a block; the limit is ${MAX_BLOCK_EVENTS}`);
  return value as unknown as ColumnEvents;
}

function unpackStream(value: unknown): PackedEvents {
  if (!Array.isArray(value) || value.length !== 4) throw new Malformed('events are not [stream, texts, data, tags]');
  const [stream, texts, data, tags] = value as unknown[];
  const bytes = bin(stream, 'the stream of events');
  if (bytes.length > MAX_STREAM_BYTES) throw new Malformed(`events of ${bytes.length} bytes; the limit is ${MAX_STREAM_BYTES}`);
  if (!Array.isArray(texts) || texts.length > MOST_TEXTS || texts.some((text) => typeof text !== 'string'))
    throw new Malformed('the texts of the events are not a list of texts');
  return { stream: bytes, texts, data: bin(data, 'the data of the events'), tags: big(tags, 'the tags of the events') };
}

/** What the columns say is checked where it is looked at (addresses.ts), or found to be what the replay says. */
function unpackAddresses(value: unknown, instructions: number): PackedAddresses {
  if (!Array.isArray(value) || value.length !== 3) throw new Malformed('addresses are not [count, misses, differences]');
  const [count, misses, differences] = value as unknown[];
  return {
    count: whole(count, MOST_ACCESSES * instructions, 'the number of addresses'),
    misses: bin(misses, 'the wrong guesses of addresses'),
    differences: bin(differences, 'the differences of addresses'),
  };
}

function unpackOldPath(value: unknown, count: number): PackedPath {
  if (!Array.isArray(value) || value.length !== 3) throw new Malformed('a path is not [bits, count, targets]');
  const targets = words(value[2], 'the targets of a path');
  return checkedPath({ ...unpackBits(value[0], value[1], count), guesses: null, targetCount: targets.length / 8, targets }, count);
}

function unpackPath(value: unknown, count: number): PackedPath {
  if (!Array.isArray(value) || value.length !== 5) throw new Malformed('a path is not [bits, count, guesses, count, targets]');
  const [bits, bitCount, guesses, targetCount, targets] = value as unknown[];
  const path = {
    ...unpackBits(bits, bitCount, count),
    guesses: bin(guesses, 'the guesses of a path'),
    targetCount: whole(targetCount, count, 'the number of targets of a path'),
    targets: words(targets, 'the targets of a path'),
  };
  return checkedPath(path, count);
}

function unpackBits(value: unknown, bitCount: unknown, count: number): Pick<PackedPath, 'bits' | 'bitCount'> {
  return { bits: bin(value, 'the bits of a path'), bitCount: whole(bitCount, count, 'the number of bits of a path') };
}

function checkedPath(path: PackedPath, count: number): PackedPath {
  const { bits, bitCount, guesses, targetCount, targets } = path;
  checkBits(bits, bitCount, 'bits');
  if (guesses !== null) checkBits(guesses, targetCount, 'guesses');
  const wrong = guesses === null ? targetCount : targetCount - onesOf(guesses);
  if (targets.length !== wrong * 8) throw new Malformed(`a path of ${targets.length / 8} targets where ${wrong} were not guessed`);
  if (targetCount > count) throw new Malformed(`a path of ${targetCount} targets for ${count} instructions`);
  return path;
}

function checkBits(bits: Uint8Array, count: number, what: string): void {
  if (bits.length !== (count + 7) >> 3) throw new Malformed(`a path of ${count} ${what} in ${bits.length} bytes`);
  if ((count & 7) !== 0 && (bits[bits.length - 1] ?? 0) >> (count & 7) !== 0)
    throw new Malformed(`${what} are set after the end of a path`);
}

/** How many bits are set, four bytes at a time: a block may have half a million of them. */
function onesOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  let ones = 0;
  for (let at = 0; at < whole; at += 4) ones += onesOfWord(view.getUint32(at, true));
  for (let at = whole; at < bytes.length; at++) ones += onesOfWord(view.getUint8(at));
  return ones;
}

/** Adds neighbours: pairs of bits, of pairs, of fours; the product adds the four bytes. */
function onesOfWord(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Until version 2, part 0 held pages like the others, and parts were larger. */
export function unpackCheckpoint(value: unknown, version: number): CheckpointBlock {
  const keys = ['at', 'part', 'parts', 'serialCalls', 'programCalls', 'state', 'frames', 'pages'];
  const map = fields(value, keys, 'a checkpoint');
  const parts = whole(map['parts'], 65_536, 'the parts of a checkpoint');
  const frames = bin(map['frames'], 'the frames of a checkpoint');
  const pages = bin(map['pages'], 'the pages of a checkpoint');
  const part = whole(map['part'], Math.max(parts - 1, 0), 'the part of a checkpoint');
  const count = frames.length / 4;
  const isHead = part === 0 && version >= 3;
  if (frames.length % 4 !== 0 || pages.length !== (isHead ? 0 : count * PAGE_BYTES))
    throw new Malformed(`a part of a checkpoint with ${count} frames and ${pages.length} bytes of pages`);
  if (isHead && parts !== 1 + Math.ceil(count / PART_PAGES)) throw new Malformed(`a checkpoint of ${count} frames in ${parts} parts`);
  return {
    at: big(map['at'], 'the position of a checkpoint'),
    part,
    parts,
    serialCalls: big(map['serialCalls'], 'serialCalls'),
    programCalls: big(map['programCalls'], 'programCalls'),
    state: bin(map['state'], 'the state of a checkpoint'),
    frames,
    pages,
  };
}

/** Stops that carry nothing. */
const PLAIN_STOPS = ['limit', 'halt', 'triple-fault', 'stuck', 'init', 'ready', 'fetch-empty', 'observer'] as const;

/** A stop as the end block stores it: `[reason, number or null]`. */
function packStop(stop: Stop): [string, number | null] {
  if (stop.reason === 'debug-exit') return [stop.reason, stop.code];
  if (stop.reason === 'finished' || stop.reason === 'panic') return [stop.reason, stop.status];
  if (stop.reason === 'unsupported') return [stop.reason, UNSUPPORTED.indexOf(stop.what)];
  return [stop.reason, null];
}

function unpackStop(value: unknown): Stop {
  if (!Array.isArray(value) || value.length !== 2) throw new Malformed('a stop is not [reason, number]');
  const [reason, detail] = value as unknown[];
  const plain = PLAIN_STOPS.find((known) => known === reason);
  if (plain !== undefined && detail === null) return { reason: plain };
  if (reason === 'debug-exit') return { reason, code: whole(detail, 2 ** 32 - 1, 'the code of a stop') };
  if (reason === 'finished' || reason === 'panic') return { reason, status: whole(detail, 2 ** 32 - 1, 'the status of a stop') };
  const what = reason === 'unsupported' ? UNSUPPORTED[whole(detail, UNSUPPORTED.length - 1, 'what a stop is not for')] : undefined;
  if (what === undefined) throw new Malformed('a stop has an unknown reason');
  return { reason: 'unsupported', what };
}

export function packEnd(end: EndBlock): object {
  return { at: end.at, stop: packStop(end.stop), hash: end.hash };
}

export function unpackEnd(value: unknown): EndBlock {
  const map = fields(value, ['at', 'stop', 'hash'], 'the end');
  return {
    at: big(map['at'], 'the position of the end'),
    stop: unpackStop(map['stop']),
    hash: hex(map['hash'], 16, 'the hash of the end'),
  };
}

export function unpackIndex(value: unknown): IndexBlock {
  const map = fields(value, ['offsets', 'kinds', 'positions', 'tags', 'instructions'], 'the index');
  const kinds = bin(map['kinds'], 'the kinds of the index');
  const column = (key: string): Uint8Array => {
    const bytes = words(map[key], `the ${key} of the index`);
    if (bytes.length !== kinds.length * 8)
      throw new Malformed(`the ${key} of the index are ${bytes.length / 8} for ${kinds.length} frames`);
    return bytes;
  };
  return {
    offsets: column('offsets'),
    kinds,
    positions: column('positions'),
    tags: column('tags'),
    instructions: big(map['instructions'], 'instructions'),
  };
}
