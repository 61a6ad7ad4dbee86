/** `npm pack`'s build, all in dist/: JavaScript and declarations of the doors, since Node strips no types under node_modules, the command line as a bundle, and the explorer's page. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { makeBundle } from './bundle.ts';
import { makePage } from './page.ts';
import { script } from './step.ts';

rmSync('dist', { recursive: true, force: true });
const [engine = '', ...command] = script('typescript/bin/tsc', '-p', 'tsconfig.build.json');
process.exitCode = spawnSync(engine, command, { stdio: 'inherit' }).status ?? 1;
await makeBundle('dist/bundle');
await makePage('dist/explorer');
