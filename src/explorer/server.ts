/**
 * The explorer's HTTP server: on 127.0.0.1 alone, everything below a token that only the printed URL has. Requests are hostile input: those that do not
 * name this host and port (DNS rebinding), that come from another page, or that bring a body get nothing.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bug, UserError } from '../machine/index.ts';
import type { Api } from './api.ts';
import type { PageFiles } from './page-files.ts';
import { Query } from './query.ts';
import { Busy, Cancelled } from './thread.ts';

export interface ServerOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Told of bugs of our own, which end in status 500. */
  readonly failed: (error: Error) => void;
}

const HOST = '127.0.0.1';
const TOKEN_BYTES = 18;
const MOST_URL = 2048;
/** Nothing but the page's own files, and no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
} as const;

class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class ExplorerServer {
  /** What a browser opens. */
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** Throws UserError where the port is taken. */
  static async listen(api: Api, files: PageFiles, { port, failed }: ServerOptions): Promise<ExplorerServer> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const limits = { maxHeaderSize: 16 << 10, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 };
    const server = createServer(limits, (request, response) => {
      respond({ api, files, token, port: (server.address() as AddressInfo).port }, request, response).catch(failed);
    });
    server.maxConnections = 64;
    server.maxRequestsPerSocket = 0;
    server.on('clientError', (_error, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          new UserError(error.code === 'EADDRINUSE' ? `port ${port} is taken; give another with --port` : `port ${port}: ${error.message}`),
        );
      });
      server.listen(port, HOST, resolve);
    });
    const url = `http://${HOST}:${(server.address() as AddressInfo).port}/${token}/`;
    return new ExplorerServer(url, async () => {
      server.close();
      server.closeAllConnections();
      await api.close();
    });
  }

  close(): Promise<void> {
    return this.#close();
  }
}

interface Site {
  readonly api: Api;
  readonly files: PageFiles;
  readonly token: string;
  readonly port: number;
}

/** Rejects with a bug of our own, after it was answered. */
async function respond(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = admitted(site, request);
    const path = url.pathname.slice(site.token.length + 2);
    if (path.startsWith('api/')) {
      const name = path.slice(4);
      if ((request.method === 'POST') !== site.api.isChange(name))
        throw new Refused(405, 'what changes something is POSTed, all else is GET');
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      const answer = await site.api.answer(name, new Query(url.searchParams), gone.signal);
      if (answer === null) throw new Refused(404, 'there is no such question');
      const isBinary = answer instanceof Uint8Array;
      send(request, response, 200, isBinary ? 'application/octet-stream' : JSON_TYPE, isBinary ? answer : JSON.stringify(answer));
      return;
    }
    if (request.method === 'POST') throw new Refused(405, 'a page is got');
    const file = site.files.get(path === '' ? 'index.html' : path);
    if (file === null) throw new Refused(404, 'there is no such page');
    send(request, response, 200, file.type, file.bytes);
  } catch (error) {
    if (error instanceof Cancelled) return;
    const status = error instanceof Refused ? error.status : error instanceof UserError ? 400 : error instanceof Busy ? 503 : 500;
    const message = error instanceof Error ? error.message : String(error);
    send(
      request,
      response,
      status,
      JSON_TYPE,
      JSON.stringify({ error: status === 500 ? 'a bug of our own; the terminal shows it' : message }),
    );
    if (status === 500) throw error instanceof Error ? error : new Bug(message);
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

function send(request: IncomingMessage, response: ServerResponse, status: number, type: string, body: Uint8Array | string): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...HEADERS, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** The URL of a request that may be answered; throws `Refused`. */
function admitted({ token, port }: Site, { method, url = '', headers }: IncomingMessage): URL {
  const names = [`${HOST}:${port}`, `localhost:${port}`];
  if (!names.includes(headers.host ?? '')) throw new Refused(403, `this server answers to ${names[0]} alone`);
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') throw new Refused(405, 'only GET and POST are answered');
  if (headers.origin !== undefined && !names.some((name) => headers.origin === `http://${name}`))
    throw new Refused(403, 'requests of other pages are not answered');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new Refused(403, 'requests of other pages are not answered');
  if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined)
    throw new Refused(400, 'a request has no body');
  if (url.length > MOST_URL || !url.startsWith('/')) throw new Refused(414, `a URL has up to ${MOST_URL} characters`);
  if (!isToken(url.slice(1).split(/[/?]/, 1)[0] ?? '', token) || url[token.length + 1] !== '/')
    throw new Refused(403, 'the URL lacks the token: open the one that palindrome explore has printed');
  const parsed = new URL(url, `http://${HOST}`);
  // What stands above the token is nobody's.
  if (!parsed.pathname.startsWith(`/${token}/`)) throw new Refused(404, 'there is no such page');
  return parsed;
}

function isToken(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
