/** `npm pack`'s build: JavaScript and declarations in dist/, since Node strips no types under node_modules. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { script } from './step.ts';

rmSync('dist', { recursive: true, force: true });
const [engine = '', ...command] = script('typescript/bin/tsc', '-p', 'tsconfig.build.json');
process.exitCode = spawnSync(engine, command, { stdio: 'inherit' }).status ?? 1;
