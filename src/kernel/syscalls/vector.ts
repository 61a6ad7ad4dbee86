/** readv and writev: the list of buffers is copied once, then used. */
import { EBADF, EFAULT, EINVAL } from '../abi/errno.ts';
import { smaller, word64 } from '../abi/numbers.ts';
import { openFiles } from '../fs/open-file.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import type { Process } from '../task/process.ts';
import { readOpen, writeOpen } from './read-write.ts';
import { failure } from './result.ts';

const MOST_BUFFERS: u64 = 1024n;
/** Buffers that are taken from user memory at a time. */
const BATCH = 32;
const MOST_BYTES: u64 = 0x7fff_f000n;

export function sysReadv(process: Process, fd: i32, vector: u64, count: u64): i64 {
  return transfer(process, fd, vector, count, false);
}

export function sysWritev(process: Process, fd: i32, vector: u64, count: u64): i64 {
  return transfer(process, fd, vector, count, true);
}

function transfer(process: Process, fd: i32, vector: u64, count: u64, isWrite: boolean): i64 {
  const index = process.descriptors.get(fd);
  if (index < 0) return failure(EBADF);
  const open = openFiles[index];
  if (isWrite ? !open.mayWrite : !open.mayRead) return failure(EBADF);
  if (count > MOST_BUFFERS) return failure(EINVAL);
  const list = new UserSlice(vector, count * 16n);
  if (!list.isValid) return failure(EFAULT);

  let total: i64 = 0n;
  const batch = new Uint8Array(BATCH * 16);
  for (let n: u64 = 0n; n < count; n++) {
    const within = i32(n % u64(BATCH));
    if (within === 0) {
      const left = i32(smaller(count - n, u64(BATCH)));
      if (!list.read(n * 16n, batch.subarray(0, left * 16))) return total > 0n ? total : failure(EFAULT);
    }
    const base = word64(batch, within * 16);
    const length = word64(batch, within * 16 + 8);
    if (length > MOST_BYTES) return total > 0n ? total : failure(EINVAL);
    if (length === 0n) continue;
    const done = isWrite ? writeOpen(process, open, base, length) : readOpen(process, open, base, length);
    if (done < 0n) return total > 0n ? total : done;
    total += done;
    if (u64(done) < length) return total;
  }
  return total;
}
