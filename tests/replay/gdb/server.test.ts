/** The server as anybody on this computer may meet it: gdb, its interruptions, and what is no gdb at all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { REGISTERS } from '../../../src/replay/gdb/registers.ts';
import { Debuggee, GdbServer, Timeline } from '../../../src/replay/index.ts';
import { Client } from './client.ts';
import { recordingOf } from './traces.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-server-'));
const path = join(folder, 'socket');
const bugs: unknown[] = [];
let timeline: Timeline;
let server: GdbServer;
let gone = Promise.withResolvers<void>();

beforeAll(async () => {
  timeline = await Timeline.open((await recordingOf('guest')).trace);
  const onEnd = () => gone.resolve();
  server = await GdbServer.open(new Debuggee(timeline), { at: path, onEnd, onBug: (error) => bugs.push(error) });
});

afterEach(() => {
  expect(bugs).toEqual([]);
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Talks, hangs up, and waits until the server is free for the next. */
async function talk(work: (client: Client) => Promise<void>): Promise<void> {
  gone = Promise.withResolvers();
  const client = await Client.open(path);
  try {
    await work(client);
  } finally {
    client.close();
    await gone.promise;
  }
}

test('it tells what it can, and all registers in one packet', async () => {
  await talk(async (client) => {
    expect(await client.ask('qSupported:multiprocess+')).toContain('ReverseStep+;ReverseContinue+');
    expect(await client.ask('QStartNoAckMode')).toBe('OK');
    const bits = REGISTERS.reduce((sum, row) => sum + row.bits, 0);
    expect(await client.ask('g')).toHaveLength(bits / 4);
    expect(await client.ask('p10')).toBe('0000100000000000');
    expect(await client.ask('vMustReplyEmpty')).toBe('');
  });
});

test('a port that is taken is told to the user', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await expect(GdbServer.open(new Debuggee(timeline), { at: port })).rejects.toThrow(`port ${port} is taken; give another with --port`);
  taken.close();
});

test('registers and memory cannot be written, and it says what to do', async () => {
  await talk(async (client) => {
    expect(await client.ask('P0=0000000000000000')).toMatch(/^E\.this is a recording/);
    expect(await client.ask('M1000,1:00')).toMatch(/^E\.this is a recording/);
    expect(await client.ask('X1000,0:')).toMatch(/^E\.this is a recording/);
  });
});

test('files that are none of the trace cannot be read', async () => {
  await talk(async (client) => {
    const hex = (text: string) => Buffer.from(text).toString('hex');
    expect(await client.ask(`vFile:open:${hex('/etc/passwd')},0,0`)).toBe('F-1,2');
    expect(await client.ask(`vFile:open:${hex('/guest')},2,0`)).toBe('F-1,d');
    expect(await client.ask(`vFile:open:${hex('/guest')},0,0`)).toBe('F1');
    expect(await client.ask('vFile:pread:1,4,0')).toBe('F4;\x7fELF');
    expect(await client.ask('vFile:pread:2,4,0')).toBe('F-1,9');
    expect(await client.ask(`vFile:unlink:${hex('/guest')}`)).toBe('F-1,d');
  });
});

test.each(['vCont;r0,ffffffff', 'vCont;c'])('%s can be interrupted', async (way) => {
  const at = join(folder, 'spin');
  const spin = await Timeline.open((await recordingOf('spin')).trace);
  const second = await GdbServer.open(new Debuggee(spin), { at, onBug: (error) => bugs.push(error) });
  const client = await Client.open(at);
  const answer = client.ask(way);
  client.socket.write('\x03');
  expect(await answer).toMatch(/^T02thread:1;/);
  expect(spin.position).toBeLessThan(spin.end);
  client.close();
  await second.close();
});

test('an interruption that comes while nothing runs ends the next way at once', async () => {
  await talk(async (client) => {
    timeline.seek(0n);
    client.socket.write('\x03');
    expect(await client.ask('vCont;c')).toMatch(/^T02/);
    expect(timeline.position).toBe(0n);
    expect(await client.ask('vCont;c')).toMatch(/replaylog:end/);
  });
});

test('one gdb at a time; what it set is gone with it', async () => {
  await talk(async (client) => {
    timeline.seek(0n);
    expect(await client.ask('Z0,100005,1')).toBe('OK');
    const second = await Client.open(path);
    expect(await second.ask('?')).toBeNull();
    expect(await client.ask('vCont;c')).toMatch(/swbreak/);
  });
  await talk(async (client) => {
    timeline.seek(0n);
    expect(await client.ask('vCont;c')).toMatch(/replaylog:end/);
  });
});

test('who speaks HTTP is hung up on', async () => {
  await talk(async (client) => {
    client.socket.write('POST / HTTP/1.1\r\n\r\n$g#67');
    expect(await client.answer()).toBeNull();
  });
});

test('no packet stops it from answering the next gdb', { timeout: 60_000 }, async () => {
  const word = fc.constantFrom(
    ...[
      '?',
      'g',
      'G00',
      'p',
      'p10',
      'P1=00',
      'm',
      'm100000,40',
      'mffffffffffffffff,ffff',
      'M0,1:00',
      'H',
      'Hg1',
      'Hg-1',
      'Hc0',
      'Hx1',
      'T1',
      'T',
    ],
    ...[
      'Z0,100000,1',
      'z0,100000,1',
      'Z2,101000,8',
      'Z3,ffffffffffffffff,8',
      'Z4,0,7fffffff',
      'Z9,0,0',
      'Z',
      'c',
      's',
      'bs',
      'bc',
      'b',
      'bx',
    ],
    ...[
      'vCont?',
      'vCont;c',
      'vCont;s:1',
      'vCont;r0,10:1',
      'vCont;x',
      'vCont;',
      'vFile:open:2f,0,0',
      'vFile:pread:1,ffffffff,0',
      'vFile',
      'vFile::',
    ],
    ...[
      'qSupported',
      'qC',
      'qfThreadInfo',
      'qsThreadInfo',
      'qXfer:features:read:target.xml:0,ffff',
      'qXfer:features:read:x:0,1',
      'qXfer:threads:read::0,fff',
    ],
    ...[
      'qXfer:libraries:read::ffffffff,1',
      'qXfer::',
      'qRcmd,',
      'qRcmd,zz',
      'qThreadExtraInfo,1',
      'Q',
      'QStartNoAckMode',
      '!',
      'R00',
      '\x00',
      '',
    ],
  );
  const monitor = fc
    .tuple(
      fc.constantFrom(
        'help',
        'when',
        'seek',
        'mark',
        'events',
        'process',
        'context',
        'kernel',
        'program',
        'last-write',
        'translate',
        'registers',
      ),
      fc.constantFrom(
        '',
        '0',
        '-1',
        '+9999999999999999999',
        '0x0',
        'irq',
        'end-1',
        '99999999999999999999999999',
        'x'.repeat(2000),
        'user',
        '/',
        '0:99999',
      ),
    )
    .map((words) => `qRcmd,${Buffer.from(words.join(' ')).toString('hex')}`);
  const damaged = fc
    .tuple(fc.oneof(word, monitor), fc.nat(40), fc.nat(255))
    .map(([data, at, byte]) => data.slice(0, at) + String.fromCharCode(byte) + data.slice(at + 1));
  const random = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  const packets = fc.array(fc.oneof(word, word, monitor, damaged, random), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(packets, async (list) => {
      await talk(async (client) => {
        for (const data of list) if (data !== 'k' && !data.startsWith('k') && (await client.ask(data)) === null) break;
      });
      await talk(async (client) => {
        expect(await client.ask('qC')).toMatch(/^QC/);
      });
    }),
    { numRuns: 150, endOnFailure: true },
  );
});

test('no bytes at all stop it from answering the next gdb', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, isFramed) => {
      await talk(async (client) => {
        client.socket.write(isFramed ? Buffer.concat([Buffer.from('$'), bytes, Buffer.from('#00\x03+-$?#3f')]) : bytes);
        await new Promise<void>((resolve) => client.socket.end(resolve));
      });
      await talk(async (client) => {
        expect(await client.ask('qC')).toMatch(/^QC/);
      });
    }),
    { numRuns: 100 },
  );
});
