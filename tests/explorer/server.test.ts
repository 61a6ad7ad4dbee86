/** The explorer's server: what it refuses, and what it answers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decodeTile,
  type EventLine,
  type EventsPage,
  LANES,
  type MemoryView,
  type Moment,
  type ProcessesView,
  type SearchResult,
  type TraceInfo,
  type WalkView,
  type WriterView,
} from '../../src/explorer/protocol.ts';
import { inspectInstructions, inspectRegisters, openTrace, type Trace } from '../../src/replay/index.ts';
import { GOLDEN, openExplorer, question, send } from './explorer.ts';

let opened: Awaited<ReturnType<typeof openExplorer>>;
let trace: Trace;
let url = '';
const ask = <Answer>(name: string, parameters: Record<string, string | number> = {}) => question<Answer>(url, name, parameters);

beforeAll(async () => {
  opened = await openExplorer();
  url = opened.url;
  trace = await openTrace(GOLDEN);
});
afterAll(async () => {
  await opened.close();
  expect(opened.failures).toEqual([]);
});

describe('what it refuses', () => {
  it('requests without the token, of other hosts and of other pages', async () => {
    const { host, pathname } = new URL(url);
    const statusOf = async (path: string, headers = {}, method = 'GET', body?: string) =>
      (await send(url, path, headers, method, body)).status;
    expect(await statusOf(pathname)).toBe(200);
    expect(await statusOf('/')).toBe(403);
    expect(await statusOf(`${pathname.slice(0, -2)}~/`)).toBe(403);
    expect(await statusOf('/api/trace')).toBe(403);
    expect(await statusOf(pathname.slice(0, -1))).toBe(403);
    expect(await statusOf(pathname, { Host: 'attacker.example' })).toBe(403);
    expect(await statusOf(pathname, { Host: host.replace('127.0.0.1', '127.0.0.1.attacker.example') })).toBe(403);
    expect(await statusOf(pathname, { Origin: 'http://attacker.example' })).toBe(403);
    expect(await statusOf(pathname, { 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await statusOf(pathname, { 'Sec-Fetch-Site': 'same-origin', Origin: `http://${host}` })).toBe(200);
    expect(await statusOf(pathname, {}, 'POST')).toBe(405);
    expect(await statusOf(pathname, { 'Content-Length': '6' }, 'GET', 'a body')).toBe(400);
    expect(await statusOf(`${pathname}${'x'.repeat(5000)}`)).toBe(414);
  });

  it.each([
    '../package.json',
    '..%2f..%2fpackage.json',
    '%2e%2e/package.json',
    'assets/../../package.json',
    'sources.sha256',
    'api',
    'api/',
    'api/constructor',
    'api/__proto__',
  ])('a file that is not the page’s own: %s', async (path) => {
    const { status } = await send(url, new URL(url).pathname + path);
    expect([403, 404]).toContain(status);
  });

  it('source files outside of its folders', async () => {
    const lines = async (file: string) => (await ask<{ lines: string[] | null }>('source', { file })).lines;
    expect(await lines('src/kernel/boot/main.ts')).not.toBeNull();
    const folder = mkdtempSync(join(tmpdir(), 'palindrome-outside-'));
    writeFileSync(join(folder, 'secret.ts'), 'a secret');
    const outside = [
      join(folder, 'secret.ts'),
      `../${basename(folder)}/secret.ts`,
      '/etc/passwd',
      'package.json',
      'src',
      'src/kernel',
      'a\0.ts',
    ];
    for (const file of outside) expect(await lines(file), file).toBeNull();
    rmSync(folder, { recursive: true });
  });

  it('says nothing of itself to other pages', async () => {
    const { headers } = await send(url, new URL(url).pathname);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('bytes that are no request', async () => {
    const { port, pathname, host } = new URL(url);
    const good = `GET ${pathname}api/trace HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const line = fc.tuple(fc.nat(good.length), fc.nat(12), fc.string({ unit: 'binary', maxLength: 12 }));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 4 }), async (edits) => {
        let bytes = good;
        for (const [at, length, text] of edits) bytes = bytes.slice(0, at) + text + bytes.slice(at + length);
        await new Promise<void>((resolve) => {
          const socket = connect(Number(port), '127.0.0.1', () => socket.end(Buffer.from(bytes, 'latin1')));
          socket.on('error', () => resolve());
          socket.on('close', () => resolve());
          socket.resume();
        });
      }),
      { numRuns: 100 },
    );
    expect(await ask('spaces')).toMatchObject({ isComplete: true });
  });

  it('questions that make no sense, each with a line that says why', async () => {
    const words = [
      '0',
      '7',
      '-1',
      '1e3',
      '99999999999999999999',
      '0x',
      '0x0',
      '0xffffffffffffffff',
      '0xfffffffffffffffff',
      'linear',
      'back',
    ];
    const odd = fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom(...words));
    const names = 'trace spaces tile events name moment memory walk processes search who resolve marks source nothing'.split(' ');
    const keys = 'at level index from to limit direction lanes root before after space address length what file text'.split(' ');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.dictionary(fc.constantFrom(...keys), odd), async (name, parameters) => {
        const { status, body } = await send(url, `${new URL(url).pathname}api/${name}?${new URLSearchParams(parameters)}`);
        expect([200, 400, 404]).toContain(status);
        if (status !== 200) expect(JSON.parse(body.toString()).error).toMatch(/^.+$/);
      }),
      { numRuns: 150 },
    );
  });
});

describe('what it answers', () => {
  const AT = 940_000;

  it('what the trace is', async () => {
    const info = await ask<TraceInfo>('trace');
    expect(info).toMatchObject({ name: 'hello.mpk', start: 0, end: Number(trace.instructions), isCut: false, findings: [] });
    expect(info.calls[1]).toBe('write');
    expect(info.vectors[14]).toBe('#PF');
  });

  it('the machine at any position, whatever was asked before', async () => {
    for (const at of [AT, 10, Number(trace.instructions), AT + 1, 0, AT - 1]) {
      const moment = await ask<Moment>('moment', { at, before: 4, after: 6 });
      const registers = await inspectRegisters(trace, BigInt(at));
      expect(moment.at).toBe(at);
      const value = (name: string) => BigInt(moment.registers.general.find((each) => each.name === name)?.value ?? -1);
      const { gpr, rip, rflags } = registers;
      expect([value('RAX'), value('RSP'), value('RIP'), value('RFLAGS')]).toEqual([gpr[0], gpr[4], rip, rflags]);
      const from = Math.max(0, at - 4);
      const views = await inspectInstructions(trace, BigInt(from), at + 6 - from);
      const expected = views.map((view) => [Number(view.at), `0x${view.rip.toString(16)}`, view.text]);
      expect(moment.instructions.map((line) => [line.at, line.rip, line.text])).toEqual(expected);
    }
  });

  it('events in both directions, page by page', async () => {
    const all: EventLine[] = [];
    for (let from: number | null = 0; from !== null; ) {
      const page: EventsPage = await ask('events', { from, limit: 100 });
      // A page may end within the events of one position.
      const known = all.filter(({ at }) => at === from).length;
      all.push(...page.events.slice(known));
      from = page.next;
    }
    expect(all.some(({ text }) => text.startsWith('syscall write('))).toBe(true);
    expect(all.some(({ text }) => text === 'sysret write → 19')).toBe(true);
    let back: readonly EventLine[] = [];
    for (let from: number | null = Number(trace.instructions) + 1; from !== null; ) {
      const page: EventsPage = await ask('events', { from, direction: 'back', limit: 40 });
      back = [...page.events.filter(({ at }) => at < (back[0]?.at ?? Number.POSITIVE_INFINITY)), ...back];
      from = page.next;
    }
    expect(new Set(back.map(({ at }) => at))).toEqual(new Set(all.map(({ at }) => at)));
    const calls = await ask<EventsPage>('events', { from: 0, limit: 200, lanes: 'calls' });
    expect(calls.events.map(({ lane }) => lane)).toEqual(['calls', 'calls', 'calls']);
  });

  it('the whole run as a tile', async () => {
    const { body } = await send(url, `${new URL(url).pathname}api/tile?level=13&index=0`);
    const tile = decodeTile(Uint8Array.from(body).buffer);
    const lane = LANES.indexOf('calls');
    expect(tile.counts.reduce((sum, count, i) => (i % LANES.length === lane ? sum + count : sum), 0)).toBe(2);
    expect(tile.isComplete).toBe(true);
  });

  it('memory, the walk that leads there, and who wrote it', async () => {
    const { events } = await ask<EventsPage>('events', { from: 0, limit: 1, lanes: 'calls' });
    const at = events[0]?.at ?? 0;
    const [, address = '', count = ''] = /buffer=(0x[0-9a-f]+), count=(\d+)/.exec(events[0]?.text ?? '') ?? [];
    const memory = await ask<MemoryView>('memory', { at, address, length: Number(count) });
    expect(Buffer.from(memory.bytes, 'hex').toString()).toBe('Hello from ring 3.\n');
    const walk = await ask<WalkView>('walk', { at, address });
    expect(walk.levels.map(({ name }) => name)).toEqual(['PML4E', 'PDPTE', 'PDE', 'PTE']);
    const physical = walk.result?.physical ?? '';
    expect(memory.pages[0]?.physical).toBe(physical);
    const view = { space: 'physical', address: physical };
    expect((await ask<MemoryView>('memory', { at, ...view, length: Number(count) })).bytes).toBe(memory.bytes);
    const [writer] = (await ask<WriterView>('who', { at, address })).links;
    expect(writer?.after).toBe(memory.bytes.slice(0, 2));
    const then = writer?.at ?? 0;
    expect((await ask<MemoryView>('memory', { at: then, ...view, length: 1 })).bytes).toBe(writer?.before);
    expect((await ask<MemoryView>('memory', { at: then + 1, ...view, length: 1 })).bytes).toBe(writer?.after);
  });

  it('what is not mapped', async () => {
    const walk = await ask<WalkView>('walk', { at: AT, address: '0x7000000000' });
    expect(walk).toMatchObject({ result: null, ends: expect.stringMatching(/^the P\w+ is not present$/) });
    expect(await ask<WalkView>('walk', { at: AT, address: '0x1000000000000' })).toMatchObject({ ends: 'the address is not canonical' });
    expect((await ask<MemoryView>('memory', { at: AT, address: '0xffffffffffffffff', length: 16 })).bytes).toBe('..');
  });

  it('where a text means, and marks, which only a POST changes', async () => {
    expect(await ask('resolve', { at: 100, text: '+5' })).toEqual({ at: 105 });
    const call = await ask<EventsPage>('events', { from: 0, limit: 1, lanes: 'calls' });
    expect(await ask('resolve', { at: 0, text: 'syscall:write' })).toEqual({ at: call.events[0]?.at });
    await expect(ask('resolve', { at: 0, text: 'nowhere' })).rejects.toThrow(/^400: .*nowhere/);
    await expect(ask('mark', { at: 7, name: 'here' })).rejects.toThrow(/^405/);
    const { pathname, host } = new URL(url);
    const post = async (path: string, origin = `http://${host}`) => (await send(url, pathname + path, { Origin: origin }, 'POST')).status;
    expect(await post('api/mark?at=7&name=here', 'http://attacker.example')).toBe(403);
    expect(await post('api/mark?at=9007199254740991&name=nowhere')).toBe(400);
    expect(await post('api/mark?at=7&name=here')).toBe(200);
    expect(await ask('marks')).toEqual({ marks: [{ name: 'here', at: 7 }] });
    expect(await ask('resolve', { at: 0, text: 'here+1' })).toEqual({ at: 8 });
    expect(await post('api/unmark?name=here')).toBe(200);
    expect(await ask('marks')).toEqual({ marks: [] });
  });

  it('whose the processes are', async () => {
    const { events } = await ask<EventsPage>('events', { from: 0, limit: 1, lanes: 'calls' });
    const { current, processes } = await ask<ProcessesView>('processes', { at: events[0]?.at ?? 0 });
    expect(current).toMatch(/^pid \d+ hello$/);
    expect(processes.filter(({ isCurrent }) => isCurrent).map(({ name }) => name)).toEqual([current]);
  });

  it('gives up what nobody waits for any more', async () => {
    const { pathname } = new URL(url);
    // Nothing is executed there: the search goes through the whole run.
    const search = `${pathname}api/search?at=0&direction=forward&what=execute&address=0x123456789`;
    const given = Array.from({ length: 40 }, () => {
      const abort = new AbortController();
      const answer = fetch(new URL(search, url), { signal: abort.signal });
      answer.catch(() => {});
      return { abort, answer };
    });
    await ask('trace'); // all have arrived
    for (const { abort } of given) abort.abort();
    for (const { answer } of given) await expect(answer).rejects.toThrow();
    expect((await ask<Moment>('moment', { at: 5 })).at).toBe(5);
  });

  it('where an instruction was executed before and is executed again', async () => {
    const { instructions } = await ask<Moment>('moment', { at: AT, after: 1 });
    const address = instructions[0]?.rip ?? '';
    const found = await ask<SearchResult>('search', { at: AT, direction: 'back', what: 'execute', address });
    expect(found.isFound).toBe(true);
    const before = await ask<Moment>('moment', { at: found.at, after: 1 });
    expect(before.instructions[0]?.rip).toBe(address);
    const again = await ask<SearchResult>('search', { at: found.at, direction: 'forward', what: 'execute', address });
    expect(again.at).toBe(AT);
  });
});
