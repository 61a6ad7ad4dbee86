/** The explorer on a golden trace, for the tests: questions as the page asks them, and requests as an attacker would. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Explorer, explore } from '../../src/explorer/index.ts';

export const GOLDEN = join(import.meta.dirname, '../../traces/golden/hello.mpk');

/** Of a copy of a trace: marks are written beside it. `close` removes it. */
export async function openExplorer(trace = GOLDEN) {
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-explorer-'));
  const path = join(folder, basename(trace));
  copyFileSync(trace, path);
  const failures: Error[] = [];
  const explorer: Explorer = await explore(path, { port: 0, sources: [], failed: (error) => failures.push(error) });
  const close = async (): Promise<void> => {
    await explorer.close();
    rmSync(folder, { recursive: true });
  };
  return { url: explorer.url, failures, close };
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A request of any form: `path` is sent as it stands. */
export function send(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
  body?: string,
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What the page would get; throws with the server's words where it is refused. */
export async function question<Answer>(
  url: string,
  name: string,
  parameters: Readonly<Record<string, string | number>> = {},
): Promise<Answer> {
  const query = new URLSearchParams(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
  const { status, body } = await send(url, `${new URL(url).pathname}api/${name}?${query}`);
  const answer = JSON.parse(body.toString()) as Answer & { error?: string };
  if (status !== 200) throw new Error(`${status}: ${answer.error}`);
  return answer;
}
