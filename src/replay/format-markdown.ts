/** The documentation of the trace format, printed from the tables: events.ts for the events, the field kinds of fields.ts, numbers of schema.ts. */
import { ADDRESS_GUESS, ADDRESS_LIMIT, ADDRESS_STRIDE, FOLLOWERS, KEYS, MOST_ACCESSES, UNSUPPORTED } from '../machine/index.ts';
import { EVENTS } from './events.ts';
import type { Field, ListField, NameField } from './fields.ts';
import { BLOCK, BLOCK_INSTRUCTIONS, CHANGES, CHECKPOINT_INSTRUCTIONS, MAX_CHANGE_BYTES, MAX_CHANGES } from './schema.ts';
import { MAX_BLOCK_EVENTS } from './trace/event-stream.ts';
import {
  ADDRESSES_VERSION,
  BRANCH_VERSION,
  FORMAT_VERSION,
  HEADER_BYTES,
  MAX_PAYLOAD,
  OLDEST_VERSION,
  PREAMBLE_BYTES,
  TRAILER_BYTES,
} from './trace/frame.ts';

/** What each block holds, key by key, as schema.ts declares it. */
const BLOCKS: { readonly [Kind in keyof typeof BLOCK]: readonly (readonly [key: string, type: string, meaning: string])[] } = {
  header: [
    ['version', 'uint', 'the format version again, under a checksum (from version 3 on)'],
    ['machine', 'map', 'the configuration: memoryBytes, seed, harness, startTime (uint 64), path, addresses, supervisorUserAccess'],
    ['append', 'text or nil', "the kernel's command line"],
    ['artefacts', 'array of maps', 'files the run was given: role (image, initrd, symbols), name, sha256 (hexadecimal), size, embedded'],
    ['blockInstructions', 'uint', `instructions of a run block; ${BLOCK_INSTRUCTIONS} unless told otherwise`],
    ['checkpointInstructions', 'uint 64', `the fewest instructions between checkpoints; ${CHECKPOINT_INSTRUCTIONS} unless told otherwise`],
    [
      'branch',
      'map',
      "version 5 alone: where the run left another one: at (uint 64), parent (its name), digest (SHA-256 over the headers of the parent's frames but the index, hexadecimal), changes; see below",
    ],
  ],
  artefact: [
    ['artefact', 'uint', "place in the header's list"],
    ['offset', 'uint', 'where this piece begins; pieces come in order and without gaps'],
    ['data', 'bin', 'the piece'],
  ],
  run: [
    ['first', 'uint 64', 'instructions that had retired before the block'],
    ['count', 'uint', 'instructions of the block; every block but the last is full, unless its events reached their limit'],
    ['rip', 'uint 64', 'RIP before the block'],
    ['mode', 'uint', 'the CPU runs code of 16, 32 or 64 bits before the block'],
    [
      'path',
      '[bin, uint, bin or nil, uint, bin] or nil',
      'the canonical path: bits (bit i is bit i & 7 of byte i >> 3), how many; guesses (as the bits, one for each target), how many; the targets that were not guessed (u64 each)',
    ],
    [
      'addresses',
      '[uint, bin, bin] or nil',
      'linear addresses of memory accesses: how many, misses, differences; see below. Not nil in each block of a trace of version 4 and of a version 5 with addresses, nil in all others',
    ],
    [
      'events',
      '[bin, [text, …], bin, uint 64]',
      `at most ${MAX_BLOCK_EVENTS} events: stream, texts, data, and bit t for each tag t that occurs; see below`,
    ],
    ['hash', 'text', "the machine's state hash after the block, 16 hexadecimal digits"],
    ['ram', 'bool', 'that hash is over RAM, too: before each checkpoint and at the end (version 1 had no such key: always)'],
  ],
  checkpoint: [
    ['at', 'uint 64', 'position'],
    ['part', 'uint', 'a checkpoint is split: the number of this part'],
    [
      'parts',
      'uint',
      'how many parts: one that lists all frames, then one for each 256 of them (until version 2, one for each 4096 and none that lists all)',
    ],
    ['serialCalls', 'uint 64', 'how often the host had been asked for serial input'],
    ['programCalls', 'uint 64', 'how often the host had been asked for a program'],
    ['state', 'bin', "the machine's state but for RAM (part 0)"],
    [
      'frames',
      'bin',
      'frame numbers, u32 each, of the pages that differ from the checkpoint before (the first: from zero): all in part 0, then those of the part',
    ],
    ['pages', 'bin', '4096 bytes for each; none in part 0'],
  ],
  end: [
    ['at', 'uint 64', 'instructions of the whole run'],
    [
      'stop',
      '[text, uint or nil]',
      `reason, and the code or status that goes with it, or of unsupported the number of what the PC does not have: ${UNSUPPORTED.map((what, i) => `${i} ${what}`).join(', ')}`,
    ],
    ['hash', 'text', 'the state hash at the end'],
  ],
  index: [
    ['offsets', 'bin', 'for each frame but the index: its offset in the file, u64'],
    ['kinds', 'bin', 'its kind, u8'],
    ['positions', 'bin', '`first` of a run block, `at` of a checkpoint or of the end, else 0; u64'],
    ['tags', 'bin', 'of a run block: bit t is set where it has an event of tag t; u64'],
    ['instructions', 'uint 64', 'instructions of the whole run'],
  ],
};

function fieldType(field: Field): string {
  if (field.type === 'u64s') return `u64 × ${(field as ListField).length}`;
  if (field.type === 'name') return (field as NameField<string>).names.map((name, i) => `${i} ${name}`).join(', ');
  return field.type;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), `|${columns.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** The page docs/generated/trace-format.md. */
export function traceFormatMarkdown(): string {
  const blocks = (Object.keys(BLOCK) as (keyof typeof BLOCK)[]).map(
    (kind) => `### ${BLOCK[kind]} · ${kind}\n\n${table(['key', 'type', 'meaning'], BLOCKS[kind])}\n`,
  );
  const events = EVENTS.map((row) => {
    const fields = Object.entries<Field>(row.fields).filter(([name]) => name !== 'at');
    const body =
      fields.length === 0
        ? ''
        : `\n${table(
            ['field', 'type', 'meaning'],
            fields.map(([name, field]) => [name, fieldType(field), field.doc]),
          )}\n`;
    const since = row.since === OLDEST_VERSION ? '' : ` (from version ${row.since} on)`;
    return `### ${row.tag} · ${row.kind}${since}\n\n${row.doc}\n${body}`;
  });
  return `# The trace format, versions ${FORMAT_VERSION}, ${ADDRESSES_VERSION} and ${BRANCH_VERSION}

Printed from \`src/replay\` by \`npm run generate\`; do not edit.

A trace (\`.mpk\`) is a stream of msgpack values: a preamble of ${PREAMBLE_BYTES} bytes, frames, and a trailer of ${TRAILER_BYTES} bytes. Numbers of msgpack are big-endian; columns
inside bins are little-endian.

\`\`\`
preamble   b0 "palindrome-trace"  cd version:u16
frame      97 kind:u7  ce sequence:u32  ce stored:u32  ce raw:u32  cf checksum:u64  ce headerChecksum:u32  c6 stored:u32  payload
trailer    cf offset:u64            where the frame of the index begins
\`\`\`

\`checksum\` is the xxHash64 of the payload as stored, \`headerChecksum\` the xxHash32 of the first 26 of the ${HEADER_BYTES} bytes before the payload. Where \`stored\` is
less than \`raw\` the payload is one zstd frame that holds \`raw\` bytes, else it is stored as it is. A payload is one msgpack map, of at most ${MAX_PAYLOAD} bytes.
Sequence numbers count from 0. The order is: header, artefacts, run blocks with a checkpoint after some of them, end, index. A trace that was cut lacks its
tail and reads up to its last whole block.

## Blocks

${blocks.join('\n')}
## Branches

A trace of version ${BRANCH_VERSION} is a branch: a run that leaves another one, its parent, at position \`at\`, with something changed. Behind its artefacts stands a checkpoint at \`at\`, with
the changed machine whole; its first run block begins there. So it replays without the parent. It may have addresses or not. At most ${MAX_CHANGES} changes are told, each as
\`[kind, place, data]\`, with up to ${MAX_CHANGE_BYTES} bytes of data:

${table(['kind', 'place; data'], Object.entries(CHANGES))}

## Addresses

Recorded are the linear addresses of each memory access that an instruction makes on behalf of its operands: those of the explicit memory operands, and the
implicit ones on the stack (PUSH, POP, CALL, RET, ENTER, LEAVE …), each once, in the order in which the instruction makes them; what is read and then written
counts once. Of a repeated string instruction, those of each iteration. Of an instruction that loads or stores a table, a pointer, a selector or state (LGDT, LFS,
FXSAVE, far JMP through memory …) that of its memory operand, once. An instruction that faults has none. None are: page walks, fetches, descriptors, task state,
the frames of interrupts and of IRET, far CALL and far RET, and what an address is only computed for (LEA, INVLPG, NOP). Of one instruction ${MOST_ACCESSES} at most.

An address is guessed from those before it in the block, by a key: the instruction's RIP plus the place of the access among the instruction's (from 0), modulo ${KEYS};
and whether it is *by the stack*: an implicit access there, or one by an operand whose base register is RSP. So who reads the column knows the code, as a replay does.
All that guesses are made from is 0 at the block's begin:

- by the stack: the address of the access by the stack before it (of any key), plus the key's distance from there when it was guessed wrongly last;
- else, by stride: the key's last address plus its stride, a difference that it had at two wrong guesses in a row;
- or near: the address of the access before (of any key), plus the key's distance from there when it was guessed wrongly last.

A key that is not by the stack is guessed by stride at first, and the other way from when that would have been right where the guess was wrong.

\`\`\`
misses        of each wrong guess a u8: bits 3:0 what is right, bits 7:4 how many right guesses stood before it since the last wrong one (15: 15 or more, as u32 behind it)
              0: the other one of stride and near; ${ADDRESS_GUESS.following}: the change is what followed last; 1 to 7: so many bytes of differences say it
differences   address less guess d, little-endian, in as few bytes as hold it: 2·d for d ≥ 0, −2·d − 1 below
\`\`\`

The change is the distance from the access by the stack before, or from the key's last address. What followed last: there are ${FOLLOWERS} places for changes, each
holds that of the last wrong guess in its circumstances; their number is the highest ${Math.log2(FOLLOWERS)} bits of c · 0x9e3779b1 + k · 0x85ebca6b modulo 2^32, where k is the key (2^15 more by the stack) and c the low
32 bits of the key's last address, or (by the stack) of its distance.

A block ends early, at a multiple of ${ADDRESS_STRIDE} instructions, where misses and differences have ${ADDRESS_LIMIT} bytes.

## Events

The events of a block are a stream of bytes. An event is

\`\`\`
tag         u8      bit 7: the change of privilege that it causes (enter-kernel, enter-user) stands at the same position, and is not written by itself
distance    LEB128  instructions since the event before (the first: since the block's first instruction)
lengths             4 bits for each of the event's words, low bits first: how many bytes of changes belong to it; 1, 2, 4 or 8 bytes for up to 2, 4, 8, 16 words
changes             of each word its difference d from the same word of the last event of that tag in the block (the first: from 0), little-endian, in as few bytes
                    as hold it: 2·d for d ≥ 0, −2·d − 1 below; 64 bits, modulo 2^64
\`\`\`

Its words are its fields in the order below: a number is itself, a flag 0 or 1, a name its place among the names, a \`text\` its place in the block's texts, \`bytes\`
their length (the bytes of all events stand in \`data\`, one after the other); u64 × n has n words.

Of the path's targets, each is guessed from those before it in the block: there are 4096 histories, and the guess is what followed the same history last time (0 where
nothing did). The history is 0 at first; after a target whose low 32 bits are t it is (history · 16 ⊕ t ⊕ t / 128) modulo 4096.

Every event has the field \`at\`: the count of retired instructions at that moment.

Versions 1 and 2 had the path as \`[bits, count, targets]\`, and events as \`[tags, offsets, groups]\`: a bin with the tag of each event in order, a bin with its position less
the block's first (u32), and for each tag that occurs, ascending, an array \`[tag, column, …]\` with one column per field. A column is a bin of fixed-size values (u8 u16
u32 u64 as they say, names and flags a byte each), for \`bytes\` \`[lengths (u32 each), data]\`, for \`text\` \`[[text, …], indices (u8 each)]\`.

A new event has a new tag and makes a new format version; a reader reads versions ${OLDEST_VERSION} to ${BRANCH_VERSION}, and refuses others by naming both. A replay of an older
version leaves out the events that it did not have. A tag that no event has is damage.

${events.join('\n')}`;
}
