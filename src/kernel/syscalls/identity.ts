/** Who and where: uname, ids, limits, random numbers, segment bases. */
import { ARCH_GET_FS, ARCH_GET_GS, ARCH_SET_FS, ARCH_SET_GS } from '../abi/constants.ts';
import { EAGAIN, EFAULT, EINVAL, EPERM, ESRCH } from '../abi/errno.ts';
import { put64, smaller } from '../abi/numbers.ts';
import { hardwareRandom } from '../ostd/cpu.ts';
import { setUserFsBase, setUserGsBase, userFsBase, userGsBase } from '../ostd/descriptors.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import { USER_END } from '../ostd/virtual-layout.ts';
import type { Process } from '../task/process.ts';
import { failure } from './result.ts';

const NAME_BYTES = 65;
const RLIMIT_STACK = 3;
const RLIMIT_NOFILE = 7;
const RLIMITS = 16;
const INFINITY: u64 = 0xffff_ffff_ffff_ffffn;

function putName(image: Uint8Array, field: i32, text: string): void {
  image.set(bytesOf(text), field * NAME_BYTES);
}

/** The release is that of a Linux whose calls these are: C libraries look at it. */
export function sysUname(_process: Process, target: u64): i64 {
  const image = new Uint8Array(390);
  putName(image, 0, 'Linux');
  putName(image, 1, 'keel');
  putName(image, 2, '6.1.0-keel');
  putName(image, 3, 'keel 0.1');
  putName(image, 4, 'x86_64');
  putName(image, 5, '(none)');
  const slice = new UserSlice(target, 390n);
  return slice.write(0n, image) ? 0n : failure(EFAULT);
}

export function sysGetuid(_process: Process): i64 {
  return 0n;
}

export function sysGetgid(_process: Process): i64 {
  return 0n;
}

export function sysGeteuid(_process: Process): i64 {
  return 0n;
}

export function sysGetegid(_process: Process): i64 {
  return 0n;
}

export function sysArchPrctl(_process: Process, code: i32, address: u64): i64 {
  const target = new UserSlice(address, 8n);
  switch (code) {
    case ARCH_SET_FS:
      if (address >= USER_END) return failure(EPERM);
      setUserFsBase(address);
      return 0n;
    case ARCH_SET_GS:
      if (address >= USER_END) return failure(EPERM);
      setUserGsBase(address);
      return 0n;
    case ARCH_GET_FS:
      return target.write64(0n, userFsBase()) ? 0n : failure(EFAULT);
    case ARCH_GET_GS:
      return target.write64(0n, userGsBase()) ? 0n : failure(EFAULT);
    default:
      return failure(EINVAL);
  }
}

/** Limits can be read; setting them is refused. */
export function sysPrlimit64(process: Process, pid: i32, resource: i32, limit: u64, old: u64): i64 {
  if (resource < 0 || resource >= RLIMITS) return failure(EINVAL);
  if (pid !== 0 && (pid < 0 || u32(pid) !== process.pid)) return failure(ESRCH);
  if (limit !== 0n) {
    const source = new UserSlice(limit, 16n);
    return failure(source.read64(0n) === null ? EFAULT : EPERM);
  }
  if (old === 0n) return 0n;
  let value = INFINITY;
  if (resource === RLIMIT_STACK) value = 8n * 1024n * 1024n;
  if (resource === RLIMIT_NOFILE) value = 64n;
  const image = new Uint8Array(16);
  put64(image, 0, value);
  put64(image, 8, value);
  const target = new UserSlice(old, 16n);
  return target.write(0n, image) ? 0n : failure(EFAULT);
}

export function sysGetrandom(_process: Process, buffer: u64, count: u64, flags: i32): i64 {
  if ((flags & ~7) !== 0) return failure(EINVAL);
  const target = new UserSlice(buffer, smaller(count, 0x1_0000n));
  if (!target.isValid) return failure(EFAULT);
  const word = new Uint8Array(8);
  let done: u64 = 0n;
  while (done < target.length) {
    const random = hardwareRandom();
    if (random === null) return done > 0n ? i64(done) : failure(EAGAIN);
    put64(word, 0, random);
    const left = target.length - done;
    const chunk = i32(smaller(left, 8n));
    if (!target.write(done, word.subarray(0, chunk))) return done > 0n ? i64(done) : failure(EFAULT);
    done += u64(chunk);
  }
  return i64(done);
}
