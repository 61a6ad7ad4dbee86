/**
 * The system calls of keel: ONE table, from which the kernel's dispatch (syscalls/dispatch.ts is printed from it), the fuzzer's grammar, the
 * trace's decoding and the reference derive. Numbers, structures and errors are those of Linux on x86-64; a number that is not here gives ENOSYS.
 *
 * Each argument says what it *means*, so that a reader can make good, borderline and hostile values for it, and print it.
 */
import type { StructName } from './layouts.ts';

export type ArgumentKind =
  /** A file descriptor. `at` may also be AT_FDCWD. */
  | { readonly kind: 'fd' }
  | { readonly kind: 'directory-fd' }
  /** User memory that the call reads or writes; `length` names the argument that holds its size in bytes. */
  | { readonly kind: 'bytes-in' | 'bytes-out'; readonly length: string }
  /** A structure of layouts.ts that the call reads or writes; `nullable`: 0 means "not wanted". */
  | { readonly kind: 'struct-in' | 'struct-out'; readonly struct: StructName; readonly nullable: boolean }
  /** An array of iovec structures; `count` names the argument that holds their number. The buffers are read or written. */
  | { readonly kind: 'iovec-in' | 'iovec-out'; readonly count: string }
  /** A NUL-ended string. */
  | { readonly kind: 'path' }
  /** A NULL-ended array of pointers to NUL-ended strings. */
  | { readonly kind: 'strings' }
  /** A set of bits (`mask`) or one of several numbers (`choice`). */
  | { readonly kind: 'flags' | 'choice'; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: 'address' | 'size' | 'offset' | 'pid' | 'signal' | 'int' | 'mode' | 'count' }
  /** Accepted and not looked at. */
  | { readonly kind: 'ignored' };

export type Argument = ArgumentKind & { readonly name: string };

/** What RAX holds on success. On failure it holds the negative errno. */
export type ResultKind = 'zero' | 'count' | 'fd' | 'address' | 'pid' | 'offset' | 'value' | 'never';

export interface Syscall {
  readonly number: number;
  readonly name: string;
  readonly arguments: readonly Argument[];
  readonly result: ResultKind;
  /** Errors that the call may return, by name. */
  readonly errors: readonly string[];
  /** The kernel's file under syscalls/ that implements it, as function `sys` + the name in camel case. */
  readonly file: string;
  /** One line of meaning, for the reference. */
  readonly meaning: string;
}

const fd = (name = 'fd'): Argument => ({ name, kind: 'fd' });
const dirfd: Argument = { name: 'dirfd', kind: 'directory-fd' };
const path = (name = 'path'): Argument => ({ name, kind: 'path' });
const strings = (name: string): Argument => ({ name, kind: 'strings' });
const bytesIn = (name: string, length: string): Argument => ({ name, kind: 'bytes-in', length });
const bytesOut = (name: string, length: string): Argument => ({ name, kind: 'bytes-out', length });
const structIn = (name: string, struct: StructName): Argument => ({ name, kind: 'struct-in', struct, nullable: false });
const structOut = (name: string, struct: StructName): Argument => ({ name, kind: 'struct-out', struct, nullable: false });
const maybeIn = (name: string, struct: StructName): Argument => ({ name, kind: 'struct-in', struct, nullable: true });
const maybeOut = (name: string, struct: StructName): Argument => ({ name, kind: 'struct-out', struct, nullable: true });
const flags = (name: string, values: Readonly<Record<string, number>>): Argument => ({ name, kind: 'flags', values });
const choice = (name: string, values: Readonly<Record<string, number>>): Argument => ({ name, kind: 'choice', values });
const plain = (name: string, kind: 'address' | 'size' | 'offset' | 'pid' | 'signal' | 'int' | 'mode' | 'count' | 'ignored'): Argument => ({
  name,
  kind,
});
const size = (name = 'count') => plain(name, 'size');
const address = (name = 'address') => plain(name, 'address');
const int = (name: string) => plain(name, 'int');
const ignored = (name: string) => plain(name, 'ignored');

const OPEN = {
  O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_TRUNC: 0o1000, O_APPEND: 0o2000, O_NONBLOCK: 0o4000,
  O_DIRECTORY: 0o200000, O_CLOEXEC: 0o2000000,
}; // biome-ignore format: a set of bits a line
const PROT = { PROT_NONE: 0, PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4 };
const MAP = {
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  MAP_NORESERVE: 0x4000,
  MAP_STACK: 0x20000,
  MAP_FIXED_NOREPLACE: 0x100000,
};
const CLONE = {
  SIGCHLD: 17,
  CLONE_VM: 0x100,
  CLONE_VFORK: 0x4000,
  CLONE_PARENT_SETTID: 0x100000,
  CLONE_CHILD_CLEARTID: 0x200000,
  CLONE_CHILD_SETTID: 0x1000000,
};
const WHENCE = { SEEK_SET: 0, SEEK_CUR: 1, SEEK_END: 2 };
const CLOCK = {
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,
  CLOCK_PROCESS_CPUTIME_ID: 2,
  CLOCK_MONOTONIC_RAW: 4,
  CLOCK_REALTIME_COARSE: 5,
  CLOCK_MONOTONIC_COARSE: 6,
  CLOCK_BOOTTIME: 7,
};
const FCNTL = { F_DUPFD: 0, F_GETFD: 1, F_SETFD: 2, F_GETFL: 3, F_SETFL: 4, F_DUPFD_CLOEXEC: 1030 };
const ARCH = { ARCH_SET_GS: 0x1001, ARCH_SET_FS: 0x1002, ARCH_GET_FS: 0x1003, ARCH_GET_GS: 0x1004 };
const AT = { AT_SYMLINK_NOFOLLOW: 0x100, AT_EMPTY_PATH: 0x1000 };
const SIG_HOW = { SIG_BLOCK: 0, SIG_UNBLOCK: 1, SIG_SETMASK: 2 };

function call(
  number: number,
  name: string,
  args: readonly Argument[],
  result: ResultKind,
  errors: string,
  file: string,
  meaning: string,
): Syscall {
  return { number, name, arguments: args, result, errors: errors === '' ? [] : errors.split(' '), file, meaning };
}

// biome-ignore format: one system call a line, in the order of their numbers
export const SYSCALLS: readonly Syscall[] = [
  call(0, 'read', [fd(), bytesOut('buffer', 'count'), size()], 'count', 'EBADF EFAULT EISDIR EINVAL EAGAIN', 'read-write', 'Reads up to count bytes; waits where a pipe is empty.'),
  call(1, 'write', [fd(), bytesIn('buffer', 'count'), size()], 'count', 'EBADF EFAULT EPIPE ENOSPC EFBIG EAGAIN', 'read-write', 'Writes count bytes; waits where a pipe is full.'),
  call(2, 'open', [path(), flags('flags', OPEN), plain('mode', 'mode')], 'fd', 'ENOENT EEXIST EISDIR ENOTDIR EFAULT ENAMETOOLONG EMFILE ENFILE ENOSPC EINVAL', 'open', 'Opens a file.'),
  call(3, 'close', [fd()], 'zero', 'EBADF', 'open', 'Closes a descriptor.'),
  call(4, 'stat', [path(), structOut('stat', 'stat')], 'zero', 'ENOENT ENOTDIR EFAULT ENAMETOOLONG', 'stat', 'Describes the file at path.'),
  call(5, 'fstat', [fd(), structOut('stat', 'stat')], 'zero', 'EBADF EFAULT', 'stat', 'Describes an open file.'),
  call(6, 'lstat', [path(), structOut('stat', 'stat')], 'zero', 'ENOENT ENOTDIR EFAULT ENAMETOOLONG', 'stat', 'As stat: there are no symbolic links.'),
  call(8, 'lseek', [fd(), plain('offset', 'offset'), choice('whence', WHENCE)], 'offset', 'EBADF EINVAL ESPIPE EOVERFLOW', 'read-write', 'Moves a file position.'),
  call(9, 'mmap', [address(), size('length'), flags('prot', PROT), flags('flags', MAP), fd(), plain('offset', 'offset')], 'address', 'EINVAL ENOMEM EBADF EACCES EEXIST EPERM', 'memory', 'Maps anonymous memory, or a private copy of a file. Never writable and executable at once.'),
  call(10, 'mprotect', [address(), size('length'), flags('prot', PROT)], 'zero', 'EINVAL ENOMEM EACCES', 'memory', 'Changes the rights of mapped pages.'),
  call(11, 'munmap', [address(), size('length')], 'zero', 'EINVAL ENOMEM', 'memory', 'Unmaps pages and frees their frames.'),
  call(12, 'brk', [address()], 'address', '', 'memory', 'Moves the end of the data segment; returns the end that holds.'),
  call(13, 'rt_sigaction', [plain('signal', 'signal'), maybeIn('action', 'sigaction'), maybeOut('old', 'sigaction'), size('setSize')], 'zero', 'EINVAL EFAULT', 'signal', 'Says what a signal does.'),
  call(14, 'rt_sigprocmask', [choice('how', SIG_HOW), maybeIn('set', 'sigset'), maybeOut('old', 'sigset'), size('setSize')], 'zero', 'EINVAL EFAULT', 'signal', 'Changes the set of blocked signals.'),
  call(15, 'rt_sigreturn', [], 'value', '', 'signal', 'Returns from a signal handler: takes the registers from the frame on the stack.'),
  call(16, 'ioctl', [fd(), choice('request', { TCGETS: 0x5401, TIOCGWINSZ: 0x5413 }), address('argument')], 'zero', 'EBADF ENOTTY', 'descriptor', 'Nothing here is a terminal: ENOTTY.'),
  call(17, 'pread64', [fd(), bytesOut('buffer', 'count'), size(), plain('offset', 'offset')], 'count', 'EBADF EFAULT EINVAL ESPIPE EISDIR', 'read-write', 'Reads at an offset.'),
  call(18, 'pwrite64', [fd(), bytesIn('buffer', 'count'), size(), plain('offset', 'offset')], 'count', 'EBADF EFAULT EINVAL ESPIPE ENOSPC EFBIG', 'read-write', 'Writes at an offset.'),
  call(19, 'readv', [fd(), { name: 'vector', kind: 'iovec-out', count: 'count' }, plain('count', 'count')], 'count', 'EBADF EFAULT EINVAL EISDIR EAGAIN', 'vector', 'Reads into several buffers.'),
  call(20, 'writev', [fd(), { name: 'vector', kind: 'iovec-in', count: 'count' }, plain('count', 'count')], 'count', 'EBADF EFAULT EINVAL EPIPE ENOSPC EFBIG EAGAIN', 'vector', 'Writes from several buffers.'),
  call(21, 'access', [path(), plain('mode', 'mode')], 'zero', 'ENOENT ENOTDIR EFAULT EINVAL ENAMETOOLONG', 'stat', 'Says whether a file is there.'),
  call(22, 'pipe', [structOut('fds', 'fdpair')], 'zero', 'EFAULT EMFILE ENFILE', 'descriptor', 'Makes a pipe.'),
  call(24, 'sched_yield', [], 'zero', '', 'process', 'Lets another process run.'),
  call(32, 'dup', [fd()], 'fd', 'EBADF EMFILE', 'descriptor', 'Copies a descriptor to the lowest free number.'),
  call(33, 'dup2', [fd('old'), fd('new')], 'fd', 'EBADF', 'descriptor', 'Copies a descriptor to a given number.'),
  call(34, 'pause', [], 'zero', 'EINTR', 'signal', 'Waits for a signal.'),
  call(35, 'nanosleep', [structIn('duration', 'timespec'), maybeOut('remaining', 'timespec')], 'zero', 'EFAULT EINVAL', 'time', 'Sleeps in virtual time.'),
  call(39, 'getpid', [], 'pid', '', 'process', 'The process id.'),
  call(56, 'clone', [flags('flags', CLONE), address('stack'), maybeOut('parentTid', 'int32'), maybeOut('childTid', 'int32'), address('tls')], 'pid', 'EINVAL EAGAIN ENOMEM EFAULT', 'fork', 'Makes a process (not a thread): as fork, with a stack of its own if stack is not 0.'),
  call(57, 'fork', [], 'pid', 'EAGAIN ENOMEM', 'fork', 'Makes a process that shares memory by copy-on-write.'),
  call(58, 'vfork', [], 'pid', 'EAGAIN ENOMEM', 'fork', 'As fork.'),
  call(59, 'execve', [path(), strings('argv'), strings('envp')], 'zero', 'ENOENT ENOTDIR EACCES ENOEXEC EFAULT E2BIG ENOMEM ENAMETOOLONG', 'execute', 'Replaces the program; a static ELF64.'),
  call(60, 'exit', [int('status')], 'never', '', 'process', 'Ends the process.'),
  call(61, 'wait4', [plain('pid', 'pid'), maybeOut('status', 'int32'), flags('options', { WNOHANG: 1, WUNTRACED: 2, WCONTINUED: 8 }), maybeOut('usage', 'rusage')], 'pid', 'ECHILD EINVAL EFAULT', 'wait', 'Waits for a child to end and frees it.'),
  call(62, 'kill', [plain('pid', 'pid'), plain('signal', 'signal')], 'zero', 'ESRCH EINVAL EPERM', 'signal', 'Sends a signal.'),
  call(63, 'uname', [structOut('name', 'utsname')], 'zero', 'EFAULT', 'identity', 'Names the system.'),
  call(72, 'fcntl', [fd(), choice('command', FCNTL), int('argument')], 'value', 'EBADF EINVAL EMFILE', 'descriptor', 'Descriptor and file flags.'),
  call(77, 'ftruncate', [fd(), size('length')], 'zero', 'EBADF EINVAL EFBIG ENOSPC', 'read-write', 'Sets the length of a file.'),
  call(79, 'getcwd', [bytesOut('buffer', 'size'), size('size')], 'count', 'EFAULT ERANGE EINVAL ENOENT', 'path', 'The path of the working directory.'),
  call(80, 'chdir', [path()], 'zero', 'ENOENT ENOTDIR EFAULT ENAMETOOLONG', 'path', 'Changes the working directory.'),
  call(81, 'fchdir', [fd()], 'zero', 'EBADF ENOTDIR', 'path', 'Changes the working directory to an open one.'),
  call(82, 'rename', [path('old'), path('new')], 'zero', 'ENOENT ENOTDIR EISDIR EINVAL EBUSY ENOTEMPTY EFAULT ENAMETOOLONG', 'path', 'Gives a file another name; a file that had it goes.'),
  call(83, 'mkdir', [path(), plain('mode', 'mode')], 'zero', 'EEXIST ENOENT ENOTDIR EFAULT ENAMETOOLONG ENOSPC', 'path', 'Makes a directory.'),
  call(84, 'rmdir', [path()], 'zero', 'ENOENT ENOTDIR ENOTEMPTY EFAULT ENAMETOOLONG', 'path', 'Removes an empty directory.'),
  call(87, 'unlink', [path()], 'zero', 'ENOENT EISDIR ENOTDIR EFAULT ENAMETOOLONG', 'path', 'Removes a name; the file lives while it is open.'),
  call(89, 'readlink', [path(), bytesOut('buffer', 'size'), size('size')], 'count', 'EINVAL ENOENT ENOTDIR EFAULT ENAMETOOLONG', 'path', 'There are no symbolic links but /proc/self/exe.'),
  call(96, 'gettimeofday', [maybeOut('time', 'timeval'), ignored('zone')], 'zero', 'EFAULT', 'time', 'Virtual time since boot.'),
  call(102, 'getuid', [], 'value', '', 'identity', 'User id: 0.'),
  call(104, 'getgid', [], 'value', '', 'identity', 'Group id: 0.'),
  call(107, 'geteuid', [], 'value', '', 'identity', 'Effective user id: 0.'),
  call(108, 'getegid', [], 'value', '', 'identity', 'Effective group id: 0.'),
  call(110, 'getppid', [], 'pid', '', 'process', "The parent's process id, 0 where it has ended."),
  call(131, 'sigaltstack', [address('new'), address('old')], 'zero', 'EFAULT EINVAL', 'signal', 'Accepted where both are 0; there is no alternate stack.'),
  call(158, 'arch_prctl', [choice('code', ARCH), address('address')], 'zero', 'EINVAL EPERM EFAULT', 'identity', 'Sets or reads the FS and GS base.'),
  call(186, 'gettid', [], 'pid', '', 'process', 'The process id: a process has one thread.'),
  call(200, 'tkill', [plain('pid', 'pid'), plain('signal', 'signal')], 'zero', 'ESRCH EINVAL', 'signal', 'As kill, to one process.'),
  call(201, 'time', [maybeOut('time', 'uint64')], 'value', 'EFAULT', 'time', 'Seconds of virtual time.'),
  call(217, 'getdents64', [fd(), bytesOut('buffer', 'count'), size()], 'count', 'EBADF ENOTDIR EFAULT EINVAL', 'directory', 'Lists a directory.'),
  call(218, 'set_tid_address', [address('tid')], 'pid', '', 'process', 'Where 0 is written when the process ends.'),
  call(228, 'clock_gettime', [choice('clock', CLOCK), structOut('time', 'timespec')], 'zero', 'EINVAL EFAULT', 'time', 'Virtual time since boot.'),
  call(229, 'clock_getres', [choice('clock', CLOCK), maybeOut('resolution', 'timespec')], 'zero', 'EINVAL EFAULT', 'time', 'One nanosecond.'),
  call(230, 'clock_nanosleep', [choice('clock', CLOCK), flags('flags', { TIMER_ABSTIME: 1 }), structIn('duration', 'timespec'), maybeOut('remaining', 'timespec')], 'zero', 'EINVAL EFAULT', 'time', 'Sleeps in virtual time, to a moment or for a while.'),
  call(231, 'exit_group', [int('status')], 'never', '', 'process', 'Ends the process.'),
  call(234, 'tgkill', [plain('group', 'pid'), plain('pid', 'pid'), plain('signal', 'signal')], 'zero', 'ESRCH EINVAL', 'signal', 'As kill, to one process.'),
  call(257, 'openat', [dirfd, path(), flags('flags', OPEN), plain('mode', 'mode')], 'fd', 'ENOENT EEXIST EISDIR ENOTDIR EBADF EFAULT ENAMETOOLONG EMFILE ENFILE ENOSPC EINVAL', 'open', 'Opens a file relative to a directory.'),
  call(262, 'newfstatat', [dirfd, path(), structOut('stat', 'stat'), flags('flags', AT)], 'zero', 'ENOENT ENOTDIR EBADF EFAULT EINVAL ENAMETOOLONG', 'stat', 'Describes a file relative to a directory.'),
  call(263, 'unlinkat', [dirfd, path(), int('flags')], 'zero', 'ENOENT EISDIR ENOTDIR EBADF EFAULT EINVAL ENAMETOOLONG ENOTEMPTY', 'path', 'Removes a name.'),
  call(267, 'readlinkat', [dirfd, path(), bytesOut('buffer', 'size'), size('size')], 'count', 'EINVAL ENOENT ENOTDIR EBADF EFAULT ENAMETOOLONG', 'path', 'As readlink.'),
  call(273, 'set_robust_list', [address('head'), size('length')], 'zero', 'EINVAL', 'process', 'Accepted: there are no threads.'),
  call(292, 'dup3', [fd('old'), fd('new'), flags('flags', { O_CLOEXEC: 0o2000000 })], 'fd', 'EBADF EINVAL', 'descriptor', 'As dup2, with flags.'),
  call(293, 'pipe2', [structOut('fds', 'fdpair'), flags('flags', { O_NONBLOCK: 0o4000, O_CLOEXEC: 0o2000000 })], 'zero', 'EFAULT EINVAL EMFILE ENFILE', 'descriptor', 'Makes a pipe, with flags.'),
  call(302, 'prlimit64', [plain('pid', 'pid'), int('resource'), maybeIn('new', 'rlimit64'), maybeOut('old', 'rlimit64')], 'zero', 'EINVAL EFAULT ESRCH EPERM', 'identity', 'Reads resource limits; they cannot be changed.'),
  call(318, 'getrandom', [bytesOut('buffer', 'count'), size(), flags('flags', { GRND_NONBLOCK: 1, GRND_RANDOM: 2, GRND_INSECURE: 4 })], 'count', 'EFAULT EINVAL EAGAIN', 'identity', 'Random bytes from RDRAND.'),
];

/** Handler name of a call: read → sysRead, rt_sigaction → sysRtSigaction. */
export function handlerName(name: string): string {
  return `sys${name
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')}`;
}
