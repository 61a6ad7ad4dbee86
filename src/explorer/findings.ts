/** What a finding's directory says beside its trace: where the invariant broke, and why that matters. Files of others: whatever is wrong is left out. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FindingMark } from './protocol.ts';

const MOST_BYTES = 1 << 20;

/** The finding of a directory; empty where it holds none. */
export function findingsOf(folder: string): readonly FindingMark[] {
  const text = readText(join(folder, 'finding.json'));
  if (text === null) return [];
  const report = readText(join(folder, 'report.md')) ?? '';
  try {
    const { at, invariant, message } = JSON.parse(text) as Record<string, unknown>;
    if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0) return [];
    return [
      {
        at,
        invariant: String(invariant).slice(0, 40),
        title: /^# [^:\n]*: (.*)$/m.exec(report)?.[1] ?? '',
        because: /^\| why it matters \| (.*) \|$/m.exec(report)?.[1] ?? '',
        message: String(message).slice(0, 1000),
        report,
      },
    ];
  } catch {
    return [];
  }
}

function readText(path: string): string | null {
  if (!existsSync(path)) return null;
  const { size } = statSync(path);
  return size <= MOST_BYTES ? readFileSync(path, 'utf8') : null;
}
