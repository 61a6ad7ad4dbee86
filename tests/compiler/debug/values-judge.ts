/**
 * Judges debug information by what a program does: gdb says at every probe, and at some instructions behind it, which variables there are and what
 * they hold; Node says what they are in the source. What gdb says is optimised out may be so; what it shows must be right.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { floatBits } from '../../../src/compiler/image/float-bits.ts';
import * as library from '../../../src/compiler/library/node.ts';
import { compileOrThrow } from '../front/judge.ts';
import { instrument } from './instrument.ts';

type Values = Readonly<Record<string, unknown>>;

interface Activation {
  readonly name: string;
  last: Values;
  /** Of all its probes, in order. */
  readonly history: Values[];
}

interface Probe {
  readonly n: number;
  /** Innermost first; what each has shown last, and how many probes it had seen. */
  readonly frames: readonly { readonly activation: Activation; readonly values: Values; readonly seen: number }[];
}

/** A frame's registers, as gdb has unwound them, and the stack of the moment. */
export interface FrameState {
  readonly pc: string;
  readonly isInlined: boolean;
  /** In the order of DWARF numbers. */
  readonly registers: Readonly<Record<string, string | null>>;
  readonly vectors: readonly string[];
  /** Where the stack's bytes begin. */
  readonly at: string;
  readonly stack: string;
}

interface Stop {
  readonly kind: 'call' | 'step';
  readonly n: number;
  readonly pc: string;
  readonly frames: readonly {
    readonly function: string;
    readonly line: number;
    readonly variables: Readonly<Record<string, string | boolean | null>>;
    readonly state?: FrameState;
  }[];
}

export interface Verdict {
  /** What is wrong, a line each. */
  readonly wrong: readonly string[];
  /** How many values were compared, and how many were optimised out. */
  readonly shown: number;
  readonly lost: number;
}

function probesUnderNode(text: string, most: number): Probe[] {
  const probes: Probe[] = [];
  const stack: Activation[] = [];
  const key = Symbol.for('palindrome.host');
  const exit = (): never => {
    throw new Error('the program does not exit');
  };
  Reflect.set(globalThis, key, { write: () => undefined, exit });
  const enter = (name: string): void => void stack.push({ name, last: {}, history: [] });
  const leave = (): void => void stack.pop();
  const probe = (n: number, values: () => Values): void => {
    const top = stack.at(-1);
    if (top === undefined || probes.length > most) return;
    top.last = values();
    top.history.push(top.last);
    const frames = stack.map((activation) => ({ activation, values: activation.last, seen: activation.history.length }));
    probes.push({ n, frames: frames.reverse() });
  };
  try {
    const names = Object.keys(library);
    const code = stripTypeScriptTypes(text.replace(/^import.*$/m, ''));
    new Function('enter', 'leave', 'probe', ...names, code)(enter, leave, probe, ...names.map((name) => Reflect.get(library, name)));
  } finally {
    Reflect.deleteProperty(globalThis, key);
  }
  return probes;
}

export function stopsUnderGdb(gdb: string, image: Uint8Array, { stops, steps, hasState = false }: Effort): Stop[] {
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-values-'));
  try {
    const path = join(folder, 'program');
    writeFileSync(path, image, { mode: 0o755 });
    const script = join(import.meta.dirname, 'gdb-values.py');
    const env = { ...process.env, STOPS: String(stops), STEPS: String(steps), ...(hasState && { STATE: '1' }) };
    const { stdout, stderr } = spawnSync(gdb, ['-batch', '-nx', '-x', script, path], {
      encoding: 'utf8',
      timeout: 120_000,
      maxBuffer: 1 << 28,
      env,
    });
    // Where it complains of DWARF, values may be missing.
    if (/Traceback|Dwarf Error|DWARF/.test(stderr)) throw new Error(stderr);
    return stdout
      .split('\n')
      .filter((line) => line.startsWith('@'))
      .map((line) => JSON.parse(line.slice(1), (key, value) => (key === 'function' ? String(value).replace(/<.*>/, '') : value)) as Stop);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether a value that gdb shows is the source's; null where they cannot be compared. */
function agrees(shown: string | boolean, value: unknown): boolean | null {
  if (shown === 'other') return null;
  if (typeof shown === 'boolean') return typeof value === 'boolean' ? shown === value : null;
  if (shown.startsWith('f')) return typeof value === 'number' ? Number.isNaN(value) || shown === `f${floatBits(value)}` : null;
  return typeof value === 'number' || typeof value === 'bigint' ? shown === String(value) : value === undefined ? false : null;
}

const isOfProgram = (name: string): boolean => !/^(initialise|palindrome|_start|probe)/.test(name);

interface Effort {
  /** Probes that are looked at, and instructions behind each. */
  readonly stops: number;
  readonly steps: number;
  readonly hasState?: boolean;
}

/** @param text a program that ends by itself and may import asm */
export function judgeValues(gdb: string, text: string, optimise: 0 | 2, effort: Effort): Verdict {
  const { native, node } = instrument(text);
  const probes = probesUnderNode(node, effort.stops);
  const stops = stopsUnderGdb(
    gdb,
    compileOrThrow('values.ts', new Map([['values.ts', native]]), { optimise, trusted: () => true }),
    effort,
  );
  const wrong: string[] = [];
  let shown = 0;
  let lost = 0;
  let at = -1;
  const compare = (stop: Stop, frame: Stop['frames'][number], allowed: readonly Values[]): void => {
    for (const [name, value] of Object.entries(frame.variables)) {
      if (value === null) {
        lost++;
        continue;
      }
      const known = allowed.filter((values) => Object.hasOwn(values, name));
      // At an instruction between probes a variable may be one that the next does not see any more.
      if (known.length < allowed.length) continue;
      const verdicts = known.map((values) => agrees(value, values[name]));
      if (verdicts.includes(null)) continue;
      shown++;
      if (verdicts.includes(true)) continue;
      const expected = known.map((values) => String(values[name])).join(' or ');
      wrong.push(
        `optimise ${optimise} ${stop.kind} ${stop.n} (${at}) ${stop.pc} ${frame.function}:${frame.line} ${name} is ${value}, not ${expected}`,
      );
    }
  };
  for (const stop of stops) {
    if (stop.kind === 'call') at++;
    const probe = probes[at];
    if (probe === undefined || probe.n !== stop.n) {
      wrong.push(`optimise ${optimise}: probe ${at} is ${stop.n}, under Node ${probe?.n}`);
      break;
    }
    const frames = stop.frames.filter((frame) => isOfProgram(frame.function));
    if (stop.kind === 'call') {
      const names = frames.map((frame) => frame.function).join();
      const expected = probe.frames.map(({ activation }) => activation.name).join();
      if (frames.length !== probe.frames.length || !frames.every((f, k) => f.function.endsWith(probe.frames[k]?.activation.name ?? '?'))) {
        wrong.push(`optimise ${optimise} call ${stop.n}: frames ${names}, under Node ${expected}`);
        continue;
      }
      for (const [k, frame] of frames.entries()) compare(stop, frame, [probe.frames[k]?.values ?? {}]);
      continue;
    }
    const [inner] = frames;
    const own = probe.frames[0];
    if (inner === undefined || own === undefined || frames.length !== probe.frames.length) continue;
    if (stop.frames[0]?.function !== inner.function || !inner.function.endsWith(own.activation.name)) continue;
    const next = own.activation.history[own.seen];
    if (next !== undefined) compare(stop, inner, [own.values, next]);
  }
  return { wrong, shown, lost };
}
