// biome-ignore-all format: printed from abi/syscalls.ts by abi/dispatch-printer.ts (npm run generate): change the table, not this
/** From the number of a system call to its function, with the arguments taken from the registers. */
import { ENOSYS } from '../abi/errno.ts';
import type { TrapFrame } from '../ostd/trap-frame.ts';
import type { Process } from '../task/process.ts';
import { sysDup, sysDup2, sysDup3, sysFcntl, sysIoctl, sysPipe, sysPipe2 } from './descriptor.ts';
import { sysGetdents64 } from './directory.ts';
import { sysExecve } from './execute.ts';
import { sysClone, sysFork, sysVfork } from './fork.ts';
import { sysArchPrctl, sysGetegid, sysGeteuid, sysGetgid, sysGetrandom, sysGetuid, sysPrlimit64, sysUname } from './identity.ts';
import { sysBrk, sysMmap, sysMprotect, sysMunmap } from './memory.ts';
import { sysClose, sysOpen, sysOpenat } from './open.ts';
import { sysChdir, sysFchdir, sysGetcwd, sysMkdir, sysReadlink, sysReadlinkat, sysRename, sysRmdir, sysUnlink, sysUnlinkat } from './path.ts';
import { sysExit, sysExitGroup, sysGetpid, sysGetppid, sysGettid, sysSchedYield, sysSetRobustList, sysSetTidAddress } from './process.ts';
import { sysFtruncate, sysLseek, sysPread64, sysPwrite64, sysRead, sysWrite } from './read-write.ts';
import { failure } from './result.ts';
import { sysKill, sysPause, sysRtSigaction, sysRtSigprocmask, sysRtSigreturn, sysSigaltstack, sysTgkill, sysTkill } from './signal.ts';
import { sysAccess, sysFstat, sysLstat, sysNewfstatat, sysStat } from './stat.ts';
import { sysClockGetres, sysClockGettime, sysClockNanosleep, sysGettimeofday, sysNanosleep, sysTime } from './time.ts';
import { sysReadv, sysWritev } from './vector.ts';
import { sysWait4 } from './wait.ts';

/** Runs the system call whose number is in RAX; what it gives goes to RAX. */
export function dispatch(process: Process, frame: TrapFrame): i64 {
  switch (frame.rax) {
    case 0n:
      return sysRead(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx);
    case 1n:
      return sysWrite(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx);
    case 2n:
      return sysOpen(process, frame.rdi, wrapping.i32(frame.rsi), wrapping.i32(frame.rdx));
    case 3n:
      return sysClose(process, wrapping.i32(frame.rdi));
    case 4n:
      return sysStat(process, frame.rdi, frame.rsi);
    case 5n:
      return sysFstat(process, wrapping.i32(frame.rdi), frame.rsi);
    case 6n:
      return sysLstat(process, frame.rdi, frame.rsi);
    case 8n:
      return sysLseek(process, wrapping.i32(frame.rdi), wrapping.i64(frame.rsi), wrapping.i32(frame.rdx));
    case 9n:
      return sysMmap(process, frame.rdi, frame.rsi, wrapping.i32(frame.rdx), wrapping.i32(frame.r10), wrapping.i32(frame.r8), wrapping.i64(frame.r9));
    case 10n:
      return sysMprotect(process, frame.rdi, frame.rsi, wrapping.i32(frame.rdx));
    case 11n:
      return sysMunmap(process, frame.rdi, frame.rsi);
    case 12n:
      return sysBrk(process, frame.rdi);
    case 13n:
      return sysRtSigaction(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx, frame.r10);
    case 14n:
      return sysRtSigprocmask(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx, frame.r10);
    case 15n:
      return sysRtSigreturn(process);
    case 16n:
      return sysIoctl(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi), frame.rdx);
    case 17n:
      return sysPread64(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx, wrapping.i64(frame.r10));
    case 18n:
      return sysPwrite64(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx, wrapping.i64(frame.r10));
    case 19n:
      return sysReadv(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx);
    case 20n:
      return sysWritev(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx);
    case 21n:
      return sysAccess(process, frame.rdi, wrapping.i32(frame.rsi));
    case 22n:
      return sysPipe(process, frame.rdi);
    case 24n:
      return sysSchedYield(process);
    case 32n:
      return sysDup(process, wrapping.i32(frame.rdi));
    case 33n:
      return sysDup2(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi));
    case 34n:
      return sysPause(process);
    case 35n:
      return sysNanosleep(process, frame.rdi, frame.rsi);
    case 39n:
      return sysGetpid(process);
    case 56n:
      return sysClone(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx, frame.r10, frame.r8);
    case 57n:
      return sysFork(process);
    case 58n:
      return sysVfork(process);
    case 59n:
      return sysExecve(process, frame.rdi, frame.rsi, frame.rdx);
    case 60n:
      return sysExit(process, wrapping.i32(frame.rdi));
    case 61n:
      return sysWait4(process, wrapping.i32(frame.rdi), frame.rsi, wrapping.i32(frame.rdx), frame.r10);
    case 62n:
      return sysKill(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi));
    case 63n:
      return sysUname(process, frame.rdi);
    case 72n:
      return sysFcntl(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi), wrapping.i32(frame.rdx));
    case 77n:
      return sysFtruncate(process, wrapping.i32(frame.rdi), frame.rsi);
    case 79n:
      return sysGetcwd(process, frame.rdi, frame.rsi);
    case 80n:
      return sysChdir(process, frame.rdi);
    case 81n:
      return sysFchdir(process, wrapping.i32(frame.rdi));
    case 82n:
      return sysRename(process, frame.rdi, frame.rsi);
    case 83n:
      return sysMkdir(process, frame.rdi, wrapping.i32(frame.rsi));
    case 84n:
      return sysRmdir(process, frame.rdi);
    case 87n:
      return sysUnlink(process, frame.rdi);
    case 89n:
      return sysReadlink(process, frame.rdi, frame.rsi, frame.rdx);
    case 96n:
      return sysGettimeofday(process, frame.rdi);
    case 102n:
      return sysGetuid(process);
    case 104n:
      return sysGetgid(process);
    case 107n:
      return sysGeteuid(process);
    case 108n:
      return sysGetegid(process);
    case 110n:
      return sysGetppid(process);
    case 131n:
      return sysSigaltstack(process, frame.rdi, frame.rsi);
    case 158n:
      return sysArchPrctl(process, wrapping.i32(frame.rdi), frame.rsi);
    case 186n:
      return sysGettid(process);
    case 200n:
      return sysTkill(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi));
    case 201n:
      return sysTime(process, frame.rdi);
    case 217n:
      return sysGetdents64(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx);
    case 218n:
      return sysSetTidAddress(process, frame.rdi);
    case 228n:
      return sysClockGettime(process, wrapping.i32(frame.rdi), frame.rsi);
    case 229n:
      return sysClockGetres(process, wrapping.i32(frame.rdi), frame.rsi);
    case 230n:
      return sysClockNanosleep(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi), frame.rdx, frame.r10);
    case 231n:
      return sysExitGroup(process, wrapping.i32(frame.rdi));
    case 234n:
      return sysTgkill(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi), wrapping.i32(frame.rdx));
    case 257n:
      return sysOpenat(process, wrapping.i32(frame.rdi), frame.rsi, wrapping.i32(frame.rdx), wrapping.i32(frame.r10));
    case 262n:
      return sysNewfstatat(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx, wrapping.i32(frame.r10));
    case 263n:
      return sysUnlinkat(process, wrapping.i32(frame.rdi), frame.rsi, wrapping.i32(frame.rdx));
    case 267n:
      return sysReadlinkat(process, wrapping.i32(frame.rdi), frame.rsi, frame.rdx, frame.r10);
    case 273n:
      return sysSetRobustList(process, frame.rdi, frame.rsi);
    case 292n:
      return sysDup3(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi), wrapping.i32(frame.rdx));
    case 293n:
      return sysPipe2(process, frame.rdi, wrapping.i32(frame.rsi));
    case 302n:
      return sysPrlimit64(process, wrapping.i32(frame.rdi), wrapping.i32(frame.rsi), frame.rdx, frame.r10);
    case 318n:
      return sysGetrandom(process, frame.rdi, frame.rsi, wrapping.i32(frame.rdx));
    default:
      return failure(ENOSYS);
  }
}
