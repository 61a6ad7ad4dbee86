/** The frames of the remote serial protocol, and what is no frame. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { framed, PACKET_BYTES, PacketReader, ProtocolError, type Received } from '../../../src/replay/gdb/packets.ts';

const latin1 = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

function read(bytes: Uint8Array, cut = bytes.length): Received[] {
  const reader = new PacketReader();
  return [...reader.read(bytes.subarray(0, cut)), ...reader.read(bytes.subarray(cut))];
}

describe('packets', () => {
  test('what is framed is read again, wherever it is cut', () => {
    fc.assert(
      fc.property(latin1, fc.nat(400), (data, cut) => {
        expect(read(framed(data), cut)).toEqual([{ kind: 'packet', data }]);
      }),
    );
  });

  test('the checksum is the sum of the bytes on the wire', () => {
    expect(framed('g').toString('latin1')).toBe('$g#67');
    expect(framed('a}b').toString('latin1')).toBe('$a}]b#9d');
  });

  test('a packet may be asked for again, acknowledged, interrupted', () => {
    expect(read(Buffer.from('+-\x03$OK#9a')).map(({ kind }) => kind)).toEqual(['acknowledged', 'refused', 'interrupt', 'packet']);
  });

  test('a wrong checksum, or one that is no number, is damage', () => {
    expect(read(Buffer.from('$g#68'))).toEqual([{ kind: 'damaged' }]);
    expect(read(Buffer.from('$g#6x'))).toEqual([{ kind: 'damaged' }]);
  });

  test('a packet that begins within another ends that one', () => {
    expect(read(Buffer.from('$mangled$g#67'))).toEqual([{ kind: 'packet', data: 'g' }]);
  });

  test('who speaks another protocol is told at once', () => {
    expect(() => read(Buffer.from('GET / HTTP/1.1\r\n'))).toThrow(ProtocolError);
  });

  test('no packet is longer than what gdb was told', () => {
    expect(read(Buffer.from(`$${'a'.repeat(PACKET_BYTES)}#01`))).toEqual([{ kind: 'damaged' }]);
    expect(() => read(Buffer.from(`$${'a'.repeat(PACKET_BYTES + 3)}`))).toThrow(ProtocolError);
  });
});
