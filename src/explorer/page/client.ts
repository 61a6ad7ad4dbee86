/** Asks the server. Every question ends with an answer, an error of one line, or is given up by its signal. */
import { decodeTile, type Tile } from '../protocol.ts';

export type Parameters = Readonly<Record<string, string | number>>;

/** What the server says is wrong: to be shown. */
export class Failure extends Error {}

export async function ask<Answer>(question: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<Answer> {
  const response = await request(question, parameters, signal);
  return (await response.json()) as Answer; // of the question: see protocol.ts
}

/** Asks for a change. */
export async function change<Answer>(question: string, parameters: Parameters): Promise<Answer> {
  const response = await request(question, parameters, undefined, 'POST');
  return (await response.json()) as Answer; // of the question: see protocol.ts
}

export async function askTile(level: number, index: number, signal: AbortSignal): Promise<Tile> {
  const response = await request('tile', { level, index }, signal);
  return decodeTile(await response.arrayBuffer());
}

/** Whether an error only says that nobody wanted the answer any more. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

async function request(question: string, parameters: Parameters, signal?: AbortSignal, method = 'GET'): Promise<Response> {
  const query = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
  let response: Response;
  try {
    response = await fetch(`api/${question}?${query}`, signal === undefined ? { method } : { method, signal });
  } catch (error) {
    if (isGivenUp(error)) throw error;
    throw new Failure('the server does not answer: is palindrome explore still running?');
  }
  if (response.ok) return response;
  const { error } = (await response.json()) as { error: string };
  throw new Failure(error);
}
