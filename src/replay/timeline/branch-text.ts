/** A branch as people read it. */
import type { Branch, Change } from '../schema.ts';

const SHOWN_BYTES = 16;

/** `a branch of run.mpk (SHA-256 12ab…) at 5000`, and a line for each change. */
export function branchText({ parent, digest, at, changes }: Branch): string {
  return [`a branch of ${parent} (${digest.slice(0, 12)}…) at ${at}`, ...changes.map((change) => `  ${changeText(change)}`)].join('\n');
}

function changeText({ kind, place, data }: Change): string {
  switch (kind) {
    case 'register':
      return `${place} = 0x${Buffer.from(data).reverse().toString('hex')}`;
    case 'linear':
    case 'physical':
      return `${kind} 0x${place}: ${bytesText(data)}`;
    case 'serial':
      return data.length === 0 ? 'serial input: none' : `serial input: ${bytesText(data)}`;
    case 'program':
      return place === '' ? 'programs: none' : `program: SHA-256 ${place}`;
  }
}

function bytesText(data: Uint8Array): string {
  const hex = Buffer.from(data.subarray(0, SHOWN_BYTES)).toString('hex');
  return data.length > SHOWN_BYTES ? `${hex}… (${data.length} bytes)` : hex;
}
