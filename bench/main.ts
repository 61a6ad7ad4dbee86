/** `npm run bench`: one table. See docs/how-to/read-the-bench.md. */
import { mkdirSync } from 'node:fs';
import { buildGuest, buildKeelImage } from './build.ts';
import { BenchError } from './error.ts';
import { GUESTS, KEEL } from './guests.ts';
import { type Options, parseOptions, USAGE } from './options.ts';

/** The short form does this much of each guest's work, in percent. */
const SHORT_PERCENT = 10;
const KEEL_RUNS = { full: 300, short: 20 } as const;

function build({ isShort, only }: Options, folder: string) {
  const isWanted = (file: string) => only.length === 0 || only.includes(file);
  const images = GUESTS.filter(({ file }) => isWanted(file)).map((guest) => buildGuest(guest, isShort ? SHORT_PERCENT : 100, folder));
  return isWanted(KEEL.file) ? [...images, buildKeelImage(isShort ? KEEL_RUNS.short : KEEL_RUNS.full, folder)] : images;
}

function main(args: readonly string[]): void {
  const options = parseOptions(args);
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  if (options.build !== null) {
    mkdirSync(options.build, { recursive: true });
    for (const { elf64 } of build(options, options.build)) process.stdout.write(`${elf64}\n`);
  }
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}
