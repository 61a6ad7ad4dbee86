/** The order in which keel starts; the linker's entry is pvh_start (ostd/boot-entry.ts). */
import '../ostd/boot-entry.ts';
import '../ostd/trap-entry.ts';
import '../ostd/trap-stubs.ts';
import '../ostd/user-copy.ts';
import '../ostd/trap.ts';
import '../syscalls/entry.ts';
import { initialiseTree } from '../fs/tree.ts';
import { enableProtections } from '../ostd/cpu.ts';
import { loadDescriptors, setKernelStack } from '../ostd/descriptors.ts';
import { frames, NO_FRAME } from '../ostd/frames.ts';
import { harnessFetch, harnessFinished, harnessIsPresent, harnessReady } from '../ostd/harness.ts';
import { initialiseModules } from '../ostd/initialise.ts';
import { kernelSpace, runOnIdleStack, stackTop } from '../ostd/kernel-space.ts';
import { initialiseLapic } from '../ostd/lapic.ts';
import { leave, panic } from '../ostd/panic.ts';
import { startInfo } from '../ostd/start-info.ts';
import { initialiseUart, putText } from '../ostd/uart.ts';
import { domains, setPageLimits } from '../security/domain.ts';
import { unpack } from './archive.ts';
import { readCommandLine, readRunOptions } from './command-line.ts';
import { runUntilAllEnded, runUntilAllWait } from './idle.ts';
import { startPrograms } from './programs.ts';

/** Pages of the buffer for archives from the harness: 4 MiB, or an eighth of a small machine. */
const HARNESS_PAGES: u32 = 1024;

/** On the boot stack, with the early page tables.
 * @export keel_start */
export function start(startInfoAddress: u32, loader: u32): never {
  initialiseModules();
  initialiseUart();
  putText('keel: starting\n');
  startInfo.read(u64(startInfoAddress), loader);
  kernelSpace.build(startInfo.memoryEnd);
  loadDescriptors();
  setKernelStack(stackTop(0));
  enableProtections();
  initialiseLapic();
  readCommandLine();
  runOnIdleStack();
}

/** On the idle task's stack, with the kernel's own page tables.
 * @export keel_run */
export function run(): never {
  setPageLimits();
  initialiseTree();
  if (unpack(startInfo.initrd()) < 0) panic('the initial archive is damaged');
  if (harnessIsPresent()) serveHarness();
  startPrograms(0);
  runUntilAllEnded();
  putText('keel: all programs have ended\n');
  leave(exitCode(domains[0].status));
}

/**
 * Runs archive after archive; a testing machine restores its snapshot after the first. Programs of the initial archive start before it is ready, and are
 * there, each in its wait, when those of an archive start beside them.
 */
function serveHarness(): never {
  const eighth = frames.free >>> 3;
  const pages = eighth < HARNESS_PAGES ? eighth : HARNESS_PAGES;
  const buffer = frames.reserveRun(pages);
  if (buffer === NO_FRAME) panic('no memory for the harness');
  setPageLimits();
  const first = startPrograms(0);
  runUntilAllWait();
  while (true) {
    harnessReady();
    const archive = harnessFetch(buffer, pages);
    if (archive.length === 0) leave(0);
    if (unpack(archive) < 0) panic('the archive is damaged or too large');
    readRunOptions();
    startPrograms(first);
    runUntilAllEnded();
    harnessFinished(u32(domains[0].status));
  }
}

/** As a shell gives it: the exit code, or 128 + the signal. */
function exitCode(status: i32): u32 {
  const signal = status & 0x7f;
  return u32(signal !== 0 ? 128 + signal : (status >> 8) & 0xff);
}
