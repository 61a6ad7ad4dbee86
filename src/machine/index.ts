/**
 * The machine: a deterministic x86-64 PC.
 *
 *     const host = new QuietHost();
 *     const machine = await Machine.create({ memoryBytes: 64 << 20, seed: 'seed', harness: false }, host);
 *     machine.load({ image, initrd, append: 'quiet' });       // a PVH ELF64; throws UserError on a bad file
 *     const stop = machine.run(1_000_000_000n);                // { reason: 'debug-exit', code: 0 } …
 *     machine.count, machine.hash(), machine.registers(), host.text
 *
 * The same configuration, images, host answers and seed give the same run, instruction by instruction, however run() is cut into pieces.
 */

export { isBootable } from './boot/pvh.ts';
export { type MachineConfig, type Stop, stopText } from './config.ts';
export {
  ADDRESS_GUESS,
  ADDRESS_LIMIT,
  ADDRESS_STRIDE,
  type AddressGuesses,
  FOLLOWERS,
  KEYS,
  MOST_ACCESSES,
  type PackedAddresses,
} from './cpu/address-log.ts';
export type { Tier } from './cpu/regions.ts';
export type { TraceLog } from './cpu/trace-log.ts';
export { ENTERED, HISTORIES, lengthBytes, nextHistory } from './cpu/trace-log.ts';
export type { Host } from './host.ts';
export { QuietHost } from './host.ts';
export { Bug, UserError } from './isa/bug.ts';
export type { Boot, Level, Translation } from './machine.ts';
export { Machine } from './machine.ts';
export type { LeafVisitor, TableVisitor } from './memory/inspect.ts';
export { RIGHT } from './memory/inspect.ts';
export type { TranslationEntry } from './memory/translations.ts';
export type {
  AddressSpace,
  KernelEntry,
  Logged,
  Observer,
  PathBlock,
  ProbedAccess,
  StaleUse,
  SupervisorUserAccess,
  TlbFlushKind,
  TranslationView,
  UserEntry,
} from './observer.ts';
export { CR0, CR4, EFER, PTE } from './platform/bits.ts';
export type { Breakpoint, Probes, Watchpoint } from './probes.ts';
export type { Registers, SegmentName, SegmentRegister } from './registers.ts';
export { CAPTURE, RegisterCapture } from './registers.ts';
export { runOnce, type SingleRun } from './run-once.ts';
export type { Snapshot, SnapshotPages, SnapshotParts } from './snapshot/snapshot.ts';
export type { SharedForms as SharedCode } from './translator/form-library.ts';
export { UNSUPPORTED } from './unsupported.ts';
