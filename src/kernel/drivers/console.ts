/** The console as programs see it: bytes out, and those bytes in that have already come. It is no terminal. */

import { EFAULT } from '../abi/errno.ts';
import { smaller } from '../abi/numbers.ts';
import { putBytes, takeByte } from '../ostd/uart.ts';
import type { UserSlice } from '../ostd/user-slice.ts';
import { failure } from '../syscalls/result.ts';

const CHUNK = 256;
/** A call writes at most this much, and tells so: the UART is slow, and CPL 0 is not preempted. */
const MOST_AT_ONCE: u64 = 0x1_0000n;

export function writeConsole(from: UserSlice): i64 {
  const buffer = new Uint8Array(CHUNK);
  const count = smaller(from.length, MOST_AT_ONCE);
  let done: u64 = 0n;
  while (done < count) {
    const left = count - done;
    const chunk = buffer.subarray(0, i32(smaller(left, u64(CHUNK))));
    if (!from.read(done, chunk)) return done > 0n ? i64(done) : failure(EFAULT);
    putBytes(chunk);
    done += u64(chunk.length);
  }
  return i64(done);
}

/** What has come in so far, at most `into.length` bytes; 0 (end of file) where nothing has. */
export function readConsole(into: UserSlice): i64 {
  const buffer = new Uint8Array(CHUNK);
  let count = 0;
  while (count < CHUNK && u64(count) < into.length) {
    const byte = takeByte();
    if (byte === null) break;
    buffer[count] = byte;
    count++;
  }
  if (count === 0) return 0n;
  return into.write(0n, buffer.subarray(0, count)) ? i64(count) : failure(EFAULT);
}
