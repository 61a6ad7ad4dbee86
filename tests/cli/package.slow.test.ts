import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireTool, runTool } from '../tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-package-'));
const root = new URL('../..', import.meta.url).pathname;
const npm = requireTool('npm');
const user = join(folder, 'user');

beforeAll(() => {
  if (!npm) return;
  runTool(npm, ['pack', '--pack-destination', folder, '--silent'], { cwd: root, timeoutMs: 300_000 });
  const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  mkdirSync(user);
  writeFileSync(
    join(user, 'package.json'),
    '{ "name": "user", "private": true, "type": "module", "allowScripts": { "node": true, "msgpackr-extract": false } }',
  );
  runTool(npm, ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, archive)], { cwd: user, timeoutMs: 300_000 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(npm === null)('the package, installed elsewhere', () => {
  const engine = join(user, 'node_modules/node/bin/node');

  it('runs its command', () => {
    const program = join(user, 'hello.ts');
    writeFileSync(program, "import { print } from 'palindrome/program';\nprint('from a package\\n');\n");
    const out = runTool(join(user, 'node_modules/.bin/palindrome'), ['run', program, '--json'], { cwd: user });
    expect(JSON.parse(out.trim().split('\n').at(-1) ?? '')).toMatchObject({ reason: 'exit', status: 0, output: 'from a package\n' });
  });

  it('serves the page of the explorer', async () => {
    const trace = join(root, 'traces/golden/hello.mpk');
    const explorer = spawn(join(user, 'node_modules/.bin/palindrome'), ['explore', trace, '--json'], { cwd: user });
    const [first] = (await once(explorer.stdout, 'data')) as [Buffer];
    const { url } = JSON.parse(first.toString()) as { url: string };
    const page = await (await fetch(url)).text();
    const script = /src="(\.\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
    expect((await fetch(new URL(script, url))).status).toBe(200);
    expect(await (await fetch(new URL('api/moment?at=7', url))).json()).toMatchObject({ at: 7 });
    explorer.kill('SIGINT');
    await once(explorer, 'exit');
  });

  it('has its doors', () => {
    const program = `
      import { compile } from 'palindrome/compiler';
      import { campaign } from 'palindrome/fuzz';
      import { Machine } from 'palindrome/machine';
      import { replay } from 'palindrome/replay';
      console.log([compile, campaign, Machine, replay].map((door) => typeof door).join(' '));`;
    writeFileSync(join(user, 'doors.js'), program);
    expect(runTool(engine, [join(user, 'doors.js')], { cwd: user }).trim()).toBe('function function function function');
  });

  it('has declarations for them', () => {
    writeFileSync(
      join(user, 'typed.ts'),
      "import { Machine, QuietHost } from 'palindrome/machine';\nexport const machine: Promise<Machine> = Machine.create({ memoryBytes: 1 << 24, seed: 'a', harness: false }, new QuietHost());\n",
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    runTool(
      process.execPath,
      [
        tsc,
        '--noEmit',
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2024',
        '--lib',
        'es2024,esnext.disposable,dom',
        join(user, 'typed.ts'),
      ],
      { cwd: user },
    );
  });
});
