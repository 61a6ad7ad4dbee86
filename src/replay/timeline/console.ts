/** What the guest printed, in lines, each with the position at which it began to be printed. */
import { tagsOfKinds } from '../events.ts';
import type { Trace } from '../trace/reader.ts';

export interface ConsoleLine {
  /** Of the event that told the line's first byte (of an empty one, its line feed). */
  readonly at: bigint;
  /** Latin-1, without the line feed, and a carriage return before it. */
  readonly text: string;
}

/** A line that goes on without an end is cut here: a trace may hold anything. */
const MOST_CHARACTERS = 4096;
const LINE_FEED = 10;
const OUTPUT = tagsOfKinds(['output']);

/** All lines of a trace, in order. Blocks without output are not read. Throws `TraceDamage`. */
export function consoleLines(trace: Trace): ConsoleLine[] {
  const lines: ConsoleLine[] = [];
  let at: bigint | null = null;
  let text = '';
  const finish = (): void => {
    if (at !== null) lines.push({ at, text: text.replace(/\r$/, '') });
    at = null;
    text = '';
  };
  for (let run = 0; run < trace.runs; run++) {
    if ((trace.tagsOf(run) & OUTPUT) === 0n) continue;
    for (const event of trace.events(run, OUTPUT)) {
      if (event.kind !== 'output') continue;
      at ??= event.at;
      if (event.byte !== LINE_FEED) text += String.fromCharCode(event.byte);
      if (event.byte === LINE_FEED || text.length >= MOST_CHARACTERS) finish();
    }
  }
  finish();
  return lines;
}
