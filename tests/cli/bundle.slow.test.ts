/** The bundle that bin/palindrome runs does what the sources do, and is that of these sources. In a copy of the checkout, whose sources the tests change. */
import { execFile, spawnSync } from 'node:child_process';
import {
  cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync,
} from 'node:fs'; // biome-ignore format: one list
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildKeel } from '../../src/compiler/index.ts';
import { toolOrSkip } from '../tools.ts';

const root = join(import.meta.dirname, '../..');
const copy = mkdtempSync(join(tmpdir(), 'palindrome %20 bundle-'));
const at = (...path: string[]) => join(copy, ...path);
const bundles = at('.cache/bundle');

beforeAll(() => {
  for (const path of ['bin', 'src', 'tools', 'examples', 'package.json', 'package-lock.json'])
    cpSync(join(root, path), at(path), { recursive: true });
  mkdirSync(at('node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), at('node_modules', name));
  }
  writeFileSync(at('keel.elf'), buildKeel().image);
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function run(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=palindrome', script, ...args], {
    cwd: copy,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const palindrome = (...args: string[]) => run('bin/palindrome', ...args);
const help = () => palindrome('boot', '--help').stdout;
const digest = () => (JSON.parse(readFileSync(join(bundles, 'manifest.json'), 'utf8')) as { digest: string }).digest;
const isBundle = (name: string) => !name.includes('.');

it('does what the sources do', () => {
  for (const options of [['--tier', '0'], ['--tier', '1'], [], ['--trace', 'run.mpk']]) {
    const boot = (script: string) => {
      const said = run(script, 'boot', 'keel.elf', '--json', ...options);
      return { ...said, trace: options.includes('--trace') ? readFileSync(at('run.mpk')) : null };
    };
    const bundled = boot('bin/palindrome');
    expect(bundled).toMatchObject({ status: 0, stderr: '' });
    expect(bundled).toEqual(boot('src/cli/main.ts'));
  }
  for (const args of [
    ['replay', 'run.mpk', '--json'],
    ['inspect', 'run.mpk', '--at', '5000', '--json'],
    ['boot', 'package.json'],
    ['--version'],
  ])
    expect(palindrome(...args)).toEqual(run('src/cli/main.ts', ...args));
  expect(readdirSync(bundles).filter(isBundle)).toEqual([digest()]);
});

it('is made anew after a change, and the one before is kept for those who run it', () => {
  const change = (text: string) =>
    writeFileSync(at('src/cli/boot.ts'), readFileSync(at('src/cli/boot.ts'), 'utf8').replace(/'boot a [^']*'/, `'boot a ${text}'`));
  help();
  const before = digest();
  change('second thing');
  expect(help()).toContain('boot a second thing');
  const second = digest();
  expect(readdirSync(bundles).filter(isBundle).sort()).toEqual([before, second].sort());
  change('third thing');
  expect(help()).toContain('boot a third thing');
  expect(readdirSync(bundles).filter(isBundle).sort()).toEqual([second, digest()].sort());
});

it('is made anew where it is damaged', () => {
  help();
  writeFileSync(join(bundles, 'manifest.json'), '{ "digest"');
  expect(help()).toContain('Usage: palindrome boot');
  const files = () => readdirSync(join(bundles, digest())).sort();
  const whole = files();
  for (const name of ['main.js', ...whole.filter((file) => file.startsWith('machine-'))])
    for (const damage of [
      (path: string) => rmSync(path),
      (path: string) => truncateSync(path, 10),
      // At the same length.
      ...(name === 'main.js' ? [(path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('import', 'tropmi'))] : []),
    ]) {
      damage(join(bundles, digest(), name));
      expect(help()).toContain('Usage: palindrome boot');
      expect(files()).toEqual(whole);
    }
  expect(readdirSync(bundles).filter(isBundle)).toEqual([digest()]);
});

it('is made by several commands at once', async () => {
  rmSync(at('.cache'), { recursive: true });
  const one = () => promisify(execFile)(process.execPath, ['bin/palindrome', 'boot', '--help'], { cwd: copy });
  for (const { stdout, stderr } of await Promise.all([one(), one(), one()]))
    expect({ stdout: stdout.split('\n')[0], stderr }).toEqual({ stdout: expect.stringContaining('Usage: palindrome boot'), stderr: '' });
  expect(readdirSync(bundles).sort()).toEqual([digest(), 'manifest.json'].sort());
});

it('finds the examples and the kernel, wherever the checkout lies', () => {
  expect(palindrome('demo', '--runs', '1', '--json')).toMatchObject({ status: 0, stderr: '' });
});

it('leaves sources that are wrong to the engine, which says where', () => {
  const boot = readFileSync(at('src/cli/boot.ts'), 'utf8');
  writeFileSync(at('src/cli/boot.ts'), `${boot}\nconst = 1;\n`);
  expect(palindrome('boot', '--help')).toMatchObject({ status: 1, stderr: expect.stringContaining('src/cli/boot.ts:') });
  writeFileSync(at('src/cli/boot.ts'), boot);
});

it('is not tried again and again where the checkout cannot be written to', (context) => {
  const unshare = toolOrSkip(context, 'unshare');
  const mark = join(tmpdir(), `palindrome-made-${process.pid}`);
  const tool = readFileSync(at('tools/bundle.ts'), 'utf8');
  writeFileSync(at('tools/bundle.ts'), `${tool}\nwriteFileSync(${JSON.stringify(mark)}, '');\n`);
  const readOnly = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77; cd "$1" && exec "$2" bin/palindrome boot --help`;
  const { status, stdout, stderr } = spawnSync(unshare, ['-Urm', 'sh', '-c', readOnly, 'sh', copy, process.execPath], { encoding: 'utf8' });
  if (status === 77 || stderr.includes('unshare failed')) return context.skip(`nothing can be mounted here: ${stderr}`);
  expect(stdout).toContain('Usage: palindrome boot');
  expect(existsSync(mark)).toBe(false);
  expect(help()).toContain('Usage: palindrome boot');
});

it('is done without where it cannot be made', () => {
  rmSync(at('.cache'), { recursive: true });
  rmSync(at('node_modules/rolldown'));
  expect(help()).toContain('Usage: palindrome boot');
  expect(readdirSync(copy)).not.toContain('.cache');
});
