/**
 * The explorer: a local page that shows a trace along its time, and the machine at any moment of it.
 *
 *     const explorer = await explore('run.mpk', { port: 0, sources: [], failed: console.error });
 *     explorer.url                  // http://127.0.0.1:PORT/TOKEN/
 *     await explorer.close();
 *
 * Four threads answer (thread.ts): `overview` reads the file, `moment` has the machine, `names` says whose an address space was, `who` who wrote a byte. The page (page/) is built
 * by tools/page.ts; protocol.ts is what both sides say.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stopText } from '../machine/index.ts';
import { openTrace, syscallName, type Trace, vectorName } from '../replay/index.ts';
import { Api } from './api.ts';
import { findingsOf } from './findings.ts';
import { kinds } from './overview/lanes.ts';
import { pageFiles } from './page-files.ts';
import type { TraceInfo } from './protocol.ts';
import { ExplorerServer } from './server.ts';
import { Sources } from './sources.ts';

export interface ExploreOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Folders in which sources are looked for, beside the trace's own and the current one. */
  readonly sources: readonly string[];
  /** Told of bugs of our own. */
  readonly failed: (error: Error) => void;
}

export interface Explorer {
  readonly url: string;
  close(): Promise<void>;
}

/** `path`: a trace, or the directory of a finding. Throws UserError where it cannot be read, or the port is taken. */
export async function explore(path: string, { port, sources, failed }: ExploreOptions): Promise<Explorer> {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = resolve(isFolder ? join(path, 'trace.mpk') : path);
  const folder = dirname(file);
  const trace = await openTrace(file);
  const info = infoOf(trace, isFolder ? `${basename(resolve(path))}` : basename(file), isFolder ? folder : null);
  trace.close();
  const api = new Api(file, info, new Sources([...sources, folder, '.']));
  return ExplorerServer.listen(api, pageFiles(), { port, failed });
}

/** Numbers of system calls and vectors beyond these have no names. */
const CALLS = 512;
const VECTORS = 32;

function infoOf(trace: Trace, name: string, folder: string | null): TraceInfo {
  const { header, end, cut, version } = trace;
  const calls = Array.from({ length: CALLS }, (_, number) => [number, syscallName(BigInt(number))] as const);
  return {
    name,
    start: Number(trace.start),
    end: Number(trace.instructions),
    version,
    artefacts: header.artefacts.map(({ role, name: file, size }) => ({ role, name: file, size })),
    stop: end === null ? null : stopText(end.stop),
    isCut: cut !== null,
    memoryBytes: header.machine.memoryBytes,
    findings: folder === null ? [] : findingsOf(folder),
    calls: Object.fromEntries(calls.filter(([, known]) => known !== null)) as Readonly<Record<number, string>>,
    vectors: Array.from({ length: VECTORS }, (_, vector) => vectorName(vector)),
    kinds,
  };
}
