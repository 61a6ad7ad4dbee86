/**
 * Boots one image and counts how often generated code leaves for TypeScript, by kind: `profile-counts.ts IMAGE [INITRD]`; one JSON object. The machine
 * knows nothing of it: what WebAssembly modules import and export is wrapped here, before there are any.
 */
import { readFileSync } from 'node:fs';
import { QuietHost, runOnce } from '../src/machine/index.ts';
import { HELPER_NAMES } from '../src/machine/isa/helpers.ts';
import { EXIT } from '../src/machine/translator/tier0.ts';

const counts = new Map<string, number>();
const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
const EXITS = new Map<unknown, string>(Object.entries(EXIT).map(([name, number]) => [number, `interpreter left: ${name}`]));

type Callable = (...args: number[]) => unknown;
const isTypeScript = (value: unknown): value is Callable =>
  typeof value === 'function' && !Function.prototype.toString.call(value).includes('[native code]');

const RealInstance = WebAssembly.Instance;
WebAssembly.Instance = class extends RealInstance {
  constructor(module: WebAssembly.Module, imports: Record<string, Record<string, unknown>> = {}) {
    const wrapped = Object.entries(imports).map(([space, values]) => [space, Object.fromEntries(Object.entries(values).map(wrapImport))]);
    super(module, Object.fromEntries(wrapped));
    const { run, ...others } = this.exports as { run?: Callable };
    if (run === undefined) return;
    const exports = { ...others, run: (...args: number[]) => counted(run(...args)) };
    Object.defineProperty(this, 'exports', { value: exports });
  }
};

function wrapImport([name, value]: [string, unknown]): [string, unknown] {
  if (!isTypeScript(value)) return [name, value];
  const called = name === 'helper' ? (number: number) => `helper ${HELPER_NAMES[number]}` : () => name;
  const wrapper = (...args: number[]): unknown => {
    count(called(args[0] ?? 0));
    return value(...args);
  };
  return [name, wrapper];
}

function counted(exit: unknown): unknown {
  count(EXITS.get(exit) ?? 'interpreter left');
  return exit;
}

const [image = '', initrd] = process.argv.slice(2);
const boot = { image: readFileSync(image), ...(initrd !== undefined && { initrd: readFileSync(initrd) }) };
const { instructions } = await runOnce({ memoryBytes: 128 << 20, seed: '0', harness: false }, boot, new QuietHost(), { limit: 10n ** 10n });
process.stdout.write(`${JSON.stringify({ instructions: Number(instructions), counts: Object.fromEntries(counts) })}\n`);
