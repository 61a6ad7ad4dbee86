/** Writes keel's image: `node tools/build-keel.ts [OUT]` (default: build/keel.elf). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { buildKeel } from '../src/compiler/keel.ts';

const out = process.argv[2] ?? 'build/keel.elf';
const begin = performance.now();
const { image, symbols } = buildKeel();
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, image);
console.log(`${out}: ${image.length} bytes, ${symbols.length} symbols, ${Math.round(performance.now() - begin)} ms`);
