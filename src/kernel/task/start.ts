/** New programs: from a line of /etc/programs (the kernel's strings) or by execve (the caller's). */

import { O_RDONLY, O_WRONLY } from '../abi/constants.ts';
import { E2BIG, EACCES, EAGAIN, EFAULT, ENOENT, ENOMEM } from '../abi/errno.ts';
import type { File } from '../fs/file.ts';
import { KIND_CONSOLE, takeOpenFile } from '../fs/open-file.ts';
import { files, Lookup, lookUp, ROOT } from '../fs/tree.ts';
import { type AddressSpace, takeAddressSpace } from '../mm/address-space.ts';
import { lowestBit } from '../ostd/bits.ts';
import type { TrapFrame } from '../ostd/trap-frame.ts';
import { sanitise } from '../ostd/trap-frame.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import { domains } from '../security/domain.ts';
import { Loaded, loadElf } from './elf.ts';
import { closeDescriptor, enterDirectory } from './exit.ts';
import { type Process, STATE_READY, takeProcess } from './process.ts';
import { stackBuilder } from './stack-builder.ts';

const SPACE = 32;
/** RSP values below this are errors of StackBuilder.finish. */
const FIRST_STACK: u64 = 0x1000n;

/** The file to execute: its index, or the negative errno. */
function programFile(path: Uint8Array, directory: i32): i32 {
  const found = new Lookup();
  const error = lookUp(path, directory, found);
  if (error !== 0) return -error;
  if (found.file < 0) return -ENOENT;
  return files[found.file].isDirectory ? -EACCES : found.file;
}

function enter(frame: TrapFrame, entry: u64, stack: u64): void {
  frame.r15 = 0n;
  frame.r14 = 0n;
  frame.r13 = 0n;
  frame.r12 = 0n;
  frame.rbp = 0n;
  frame.rbx = 0n;
  frame.r11 = 0n;
  frame.r10 = 0n;
  frame.r9 = 0n;
  frame.r8 = 0n;
  frame.rax = 0n;
  frame.rcx = 0n;
  frame.rdx = 0n;
  frame.rsi = 0n;
  frame.rdi = 0n;
  frame.vector = 0n;
  frame.error = 0n;
  frame.rip = entry;
  frame.rsp = stack;
  frame.rflags = 0n;
  sanitise(frame);
}

/** Starts `line` (path and arguments, separated by spaces) as the first process of a domain. Returns 0 or an errno. */
export function startProgram(line: Uint8Array, domain: i32): i32 {
  let pathEnd = 0;
  while (pathEnd < line.length && line[pathEnd] !== SPACE) pathEnd++;
  const file = programFile(line.subarray(0, pathEnd), ROOT);
  if (file < 0) return -file;
  const process = takeProcess(domain);
  if (process === null) return EAGAIN;
  const space = takeAddressSpace(domains[domain]);
  if (space === null) return ENOMEM;
  const loaded = new Loaded();
  const stack = buildFromLine(files[file], space, line, loaded);
  if (stack < FIRST_STACK) {
    space.destroy();
    return i32(stack);
  }
  process.isFirst = true;
  process.program = file;
  process.space = space;
  openConsole(process);
  enterDirectory(process, ROOT);
  process.task.clean();
  enter(process.task.frame(), loaded.entry, stack);
  process.task.startAtFrame();
  process.become(STATE_READY);
  domains[domain].processes = 1;
  return 0;
}

function buildFromLine(file: File, space: AddressSpace, line: Uint8Array, loaded: Loaded): u64 {
  let error = loadElf(file, space, loaded);
  if (error !== 0) return u64(error);
  error = stackBuilder.begin(space);
  if (error !== 0) return u64(error);
  let at = 0;
  while (at < line.length) {
    while (at < line.length && line[at] === SPACE) at++;
    if (at >= line.length) break;
    const from = at;
    while (at < line.length && line[at] !== SPACE) at++;
    error = stackBuilder.addString(space, line.subarray(from, at));
    if (error !== 0) return u64(error);
  }
  error = stackBuilder.endList();
  if (error === 0) error = stackBuilder.endList();
  return error !== 0 ? u64(error) : stackBuilder.finish(space, loaded);
}

/** Descriptors 0, 1 and 2. */
function openConsole(process: Process): void {
  for (let fd = 0; fd < 3; fd++) {
    const open = takeOpenFile(process.domain, KIND_CONSOLE, 0, fd === 0 ? O_RDONLY : O_WRONLY);
    if (open >= 0) process.descriptors.set(fd, open, false);
  }
}

/** execve: replaces the program of the running process. Returns 0 or an errno; on an error nothing has changed. */
export function execute(process: Process, path: Uint8Array, argv: u64, envp: u64): i32 {
  const file = programFile(path, process.directory);
  if (file < 0) return -file;
  const space = takeAddressSpace(domains[process.domain]);
  if (space === null) return ENOMEM;
  const loaded = new Loaded();
  const stack = buildFromUser(files[file], space, argv, envp, loaded);
  if (stack < FIRST_STACK) {
    space.destroy();
    return i32(stack);
  }
  const old = process.space;
  process.space = space;
  space.table.activate();
  if (old !== null) old.destroy();
  process.program = file;
  process.clearTid = 0n;
  process.actions.dropHandlers();
  for (let left = process.descriptors.used; left !== 0n; left &= left - 1n) {
    const fd = lowestBit(left);
    if (process.descriptors.closesAtExec(fd)) closeDescriptor(process, fd);
  }
  process.task.clean();
  process.task.load();
  enter(process.task.frame(), loaded.entry, stack);
  return 0;
}

function buildFromUser(file: File, space: AddressSpace, argv: u64, envp: u64, loaded: Loaded): u64 {
  let error = loadElf(file, space, loaded);
  if (error === 0) error = stackBuilder.begin(space);
  if (error === 0) error = addList(space, argv);
  if (error === 0) error = addList(space, envp);
  return error !== 0 ? u64(error) : stackBuilder.finish(space, loaded);
}

/** A NULL-ended array of user pointers to strings; 0 is an empty one, as in Linux. */
function addList(space: AddressSpace, list: u64): i32 {
  if (list === 0n) return stackBuilder.endList();
  for (let n: u64 = 0n; n < 2048n; n++) {
    const slot = new UserSlice(wrapping.u64(list + n * 8n), 8n);
    const pointer = slot.read64(0n);
    if (pointer === null) return EFAULT;
    if (pointer === 0n) return stackBuilder.endList();
    const error = stackBuilder.addUserString(space, pointer);
    if (error !== 0) return error;
  }
  return E2BIG;
}
