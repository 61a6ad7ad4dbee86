/**
 * `npm run tcb`: the trusted computing base, as linked code size: bytes of code whose source lies in src/kernel/ostd (all that is unsafe) over all bytes
 * of code. Each byte counts for the file that the line table names, so inlined code counts where it was written; code without lines counts as trusted.
 */
import { buildKeel, readElf } from '../src/compiler/index.ts';

const WITHOUT_LINES = 'without lines';
const image = readElf(buildKeel().image, 'keel.elf');
const byFolder = new Map<string, number>();
let total = 0;
for (const [file, bytes] of image.codeBytesByFile()) {
  const folder = file === '' ? WITHOUT_LINES : (/src\/kernel\/([^/]+)\//.exec(file)?.[1] ?? file);
  byFolder.set(folder, (byFolder.get(folder) ?? 0) + bytes);
  total += bytes;
}

const trusted = new Set(['ostd', WITHOUT_LINES]);
const share = (bytes: number) => `${((100 * bytes) / total).toFixed(1).padStart(5)} %`;
let base = 0;
for (const [folder, bytes] of [...byFolder].sort(([, a], [, b]) => b - a)) {
  if (trusted.has(folder)) base += bytes;
  process.stdout.write(
    `${folder.padEnd(16)} ${String(bytes).padStart(8)} bytes ${share(bytes)}${trusted.has(folder) ? '   trusted' : ''}\n`,
  );
}
process.stdout.write(`TCB: ${base} of ${total} bytes of linked code, ${share(base).trim()}\n`);
