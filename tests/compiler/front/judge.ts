/** The compiler's outside judge: the same program natively on this host and under Node. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompileOptions, compile, type Files } from '../../../src/compiler/compile.ts';
import { formatDiagnostic } from '../../../src/compiler/diagnostics.ts';

export interface Outcome {
  readonly output: string;
  readonly status: number;
  /** Why it did not end by itself: a trap under Node, a signal natively. */
  readonly trap: string | null;
}

/** Executes an image as a Linux process. */
export function runNatively(image: Uint8Array, args: readonly string[] = []): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-'));
  try {
    const path = join(folder, 'program');
    writeFileSync(path, image, { mode: 0o755 });
    const { stdout, status, signal, error } = spawnSync(path, args, { encoding: 'latin1', timeout: 20_000 });
    if (error !== undefined) throw error;
    return { output: stdout, status: status ?? 0, trap: signal };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Compiles with the verifier on; a program that does not compile is a failed test. */
export function compileOrThrow(entry: string, files: Files, options: Partial<CompileOptions> = {}): Uint8Array {
  const { image, diagnostics } = compile({ entry, verify: true, ...options }, files);
  if (image === null) throw new Error(`${entry} does not compile:\n${diagnostics.map((d) => formatDiagnostic(d)).join('')}`);
  return image;
}

/** What `under-node.ts` says of these files. */
export function runUnderNode(files: readonly string[]): ReadonlyMap<string, Outcome> {
  const script = join(import.meta.dirname, 'under-node.ts');
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...files], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(stderr);
  const results = JSON.parse(stdout) as (Outcome & { file: string })[];
  return new Map(results.map((r) => [r.file, r]));
}
