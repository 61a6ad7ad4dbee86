/** The processor of this host as a judge: compiles silicon.c with the system's compiler and runs batches of cases in a child process. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Case, entryOf, type Judged, type Outcome } from './cases.ts';

const HAS_MEMORY = 1;
const HAS_XMM = 2;
const COMPATIBILITY = 4;
const SIXTEEN = 8;
const HEADER = 4 * 4 + 8 * 17;
const RESULT = 8 * 19 + 4 * 4;
const BREAKPOINT = 3;
const PAGE_FAULT = 14;
const FETCH = 16;

/** Where random addresses hardly ever point. */
const AWAY = '-Wl,-Ttext-segment=0x5b3d5000';

/** Builds the program once per source text. */
function build(): string {
  const source = fileURLToPath(new URL('silicon.c', import.meta.url));
  const hash = createHash('sha256').update(readFileSync(source)).update(AWAY).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), 'palindrome-silicon');
  const program = join(folder, `silicon-${hash}`);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const partial = `${program}.${process.pid}`;
  execFileSync('gcc', ['-O1', '-static', '-no-pie', '-fno-stack-protector', '-fcf-protection=none', AWAY, '-o', partial, source]);
  renameSync(partial, program);
  return program;
}

/** Can this host be the judge? x86-64 Linux with gcc and user-mode WRFSBASE. */
export function hasSilicon(): boolean {
  if (process.arch !== 'x64' || process.platform !== 'linux') return false;
  if (!/\bfsgsbase\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))) return false;
  return spawnSync('gcc', ['--version']).status === 0;
}

export class Silicon implements Judged {
  readonly name = 'silicon';
  private readonly program = build();

  run(cases: readonly Case[]): readonly Outcome[] {
    const input = pack(cases);
    const child = spawnSync(this.program, [], { input, maxBuffer: 1 << 30 });
    if (child.status !== 0) throw new Error(`the silicon judge ended with ${child.status ?? child.signal}: ${child.stderr}`);
    return unpack(child.stdout, cases);
  }
}

function pack(cases: readonly Case[]): Uint8Array {
  let size = 0;
  for (const c of cases) size += HEADER + (c.xmm === null ? 0 : 256) + c.pokes.length * 16 + c.code.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const u64 = (value: bigint) => {
    view.setBigUint64(at, BigInt.asUintN(64, value), true);
    at += 8;
  };
  for (const c of cases) {
    view.setUint32(
      at,
      (c.memorySeed === null ? 0 : HAS_MEMORY) |
        (c.xmm === null ? 0 : HAS_XMM) |
        (c.mode === 32 ? COMPATIBILITY : c.mode === 16 ? SIXTEEN : 0),
      true,
    );
    view.setUint32(at + 4, c.memorySeed ?? 0, true);
    view.setUint32(at + 8, c.mxcsr, true);
    view.setUint16(at + 12, c.code.length, true);
    view.setUint16(at + 14, c.pokes.length, true);
    at += 16;
    u64(c.rflags);
    for (const r of c.gpr) u64(r);
    for (const x of c.xmm ?? []) {
      u64(x);
      u64(x >> 64n);
    }
    for (const p of c.pokes) {
      u64(BigInt(p.offset));
      u64(p.value);
    }
    bytes.set(c.code, at);
    at += c.code.length;
  }
  return bytes;
}

function unpack(bytes: Uint8Array, cases: readonly Case[]): Outcome[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const u64 = () => {
    const value = view.getBigUint64(at, true);
    at += 8;
    return value;
  };
  return cases.map((c) => {
    const start = at;
    const gpr = Array.from({ length: 16 }, u64);
    const rflags = u64();
    const rip = u64();
    const cr2 = u64();
    const mxcsr = view.getUint32(at, true);
    const trap = view.getInt32(at + 4, true);
    const code = view.getUint32(at + 8, true);
    const memoryHash = view.getUint32(at + 12, true);
    at = start + RESULT;
    let xmm: bigint[] | null = null;
    if (c.xmm !== null) {
      xmm = Array.from({ length: 16 }, () => {
        const low = u64();
        return low | (u64() << 64n);
      });
    }
    const common = { gpr, rflags, mxcsr, xmm, memoryHash };
    if (trap < 0) return { ...common, rip: entryOf(c.mode) + BigInt(c.code.length), fault: null };
    // INT3 where a jump landed: the case ended there. A fetch from the target of a jump that is not mapped: likewise.
    if (trap === BREAKPOINT) return { ...common, rip: rip - 1n, fault: null };
    if (trap === PAGE_FAULT && (code & FETCH) !== 0) return { ...common, rip, fault: null };
    // Linux tells every page fault in the upper half as one on a present page.
    const shown = trap === PAGE_FAULT && cr2 >= 1n << 63n ? code & ~1 : code;
    return { ...common, rip, fault: { vector: trap, code: shown, cr2 } };
  });
}
