/** The argument that names a trace: the file, or the directory of a finding, which knows where the run failed as well. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Timeline, type TimelineOptions, type Trace } from '../replay/index.ts';

/** The trace's file. */
export function traceFile(path: string): string {
  return isFinding(path) ? join(path, 'trace.mpk') : path;
}

/** The timeline of a trace that this argument names, with its marks, and the failure of a finding. */
export function openTimeline(path: string, trace: Trace, options: TimelineOptions = {}): Promise<Timeline> {
  const failure = failureOf(path);
  return Timeline.open(trace, { marks: `${traceFile(path)}.marks`, ...(failure !== null && { failure }), ...options });
}

/** The position that a text says (replay/timeline/positions.ts); only what is no plain count takes a timeline. */
export async function positionOf(path: string, trace: Trace, text: string): Promise<bigint> {
  return /^\d{1,15}$/.test(text) ? BigInt(text) : (await openTimeline(path, trace)).resolve(text);
}

/** Where a finding says that its run failed; null: the argument is none, or says nothing. */
function failureOf(path: string): bigint | null {
  const facts = join(path, 'finding.json');
  if (!isFinding(path) || !existsSync(facts)) return null;
  try {
    const { at } = JSON.parse(readFileSync(facts, 'utf8')) as { readonly at?: unknown };
    return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? BigInt(at) : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

function isFinding(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
