/** Packs decoded events as a machine's log would: word by word from the table, through the generated code of the log. */
import { LOG_BYTES, TraceLog } from '../../src/machine/cpu/trace-log.ts';
import { logModule } from '../../src/machine/translator/log-code.ts';
import { EVENTS, type EventKind, type TraceEvent } from '../../src/replay/events.ts';
import type { Field, NameField } from '../../src/replay/fields.ts';
import { LAYOUT, type PackedEvents } from '../../src/replay/trace/event-stream.ts';

const CAUSES: readonly EventKind[] = ['irq', 'exception', 'software-interrupt', 'syscall', 'sysret'];

const log = new TraceLog(new WebAssembly.Memory({ initial: (LOG_BYTES >> 16) + 1 }), 0, new WebAssembly.Module(logModule()));

/** The events of a block that begins at `first`. */
export function packEvents(events: readonly TraceEvent[], first: bigint): PackedEvents {
  log.begin(Number(first));
  const texts: string[] = [];
  const data: Uint8Array[] = [];
  for (const event of events) {
    const values = event as unknown as Readonly<Record<string, unknown>>;
    const row = EVENTS.find(({ kind }) => kind === event.kind);
    let word = 0;
    const put = (value: number | bigint): void => {
      log.words[word++] = BigInt(value);
    };
    for (const [name, field] of Object.entries<Field>(row?.fields ?? {})) {
      const value = values[name];
      if (name === 'at') continue;
      if (Array.isArray(value)) value.forEach(put);
      else if (field.type === 'name') put((field as NameField<string>).names.indexOf(value as string));
      else if (value instanceof Uint8Array) {
        data.push(value);
        put(value.length);
      } else if (typeof value === 'string') {
        if (!texts.includes(value)) texts.push(value);
        put(texts.indexOf(value));
      } else put(typeof value === 'boolean' ? Number(value) : (value as number | bigint));
    }
    const { tag, words } = LAYOUT[event.kind];
    if (!entersBy(event, events[events.indexOf(event) - 1])) log.add(tag, words, Number(event.at));
  }
  const tags = EVENTS.reduce((bits, { tag }) => (log.count(tag) > 0 ? bits | (1n << BigInt(tag)) : bits), 0n);
  return { stream: log.stream().slice(), texts, data: Uint8Array.from(Buffer.concat(data)), tags };
}

/** Whether a change of privilege was added to the event before it, which is its cause. */
function entersBy(event: TraceEvent, before: TraceEvent | undefined): boolean {
  if (before === undefined || !CAUSES.includes(before.kind)) return false;
  const isKernel = event.kind === 'enter-kernel' && (event.cause === 'int' ? 'software-interrupt' : event.cause) === before.kind;
  const isUser = event.kind === 'enter-user' && before.kind === 'sysret' && before.how === event.how;
  return (isKernel || isUser) && log.entered(LAYOUT[event.kind].tag, LAYOUT[before.kind].tag, Number(event.at));
}
