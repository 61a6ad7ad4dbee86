/**
 * Recording, replaying and looking into runs.
 *
 *     import { inspectEvents, openTrace, record, replay } from 'palindrome/replay';
 *
 *     const recording = await record({ machine: { memoryBytes: 64 << 20, seed: 'a', harness: false }, image, initrd, to: 'run.mpk' });
 *     const report = await replay('run.mpk');                      // report.identical, report.difference
 *     const trace = await openTrace('run.mpk');
 *     for (const { event, text } of inspectEvents(trace)) console.log(event.at, text);
 *     for (const { text } of inspectEvents(trace, {}, await Processes.open(trace))) …     // context switches name keel's processes
 *     await inspectInstructions(trace, 1000n, 20);                 // any range, disassembled, with symbols and source lines
 *     const player = await Player.open(trace);                     // a machine at any position
 *     player.seek(1_000_000n); player.step(); player.machine.registers();
 *     const timeline = await Timeline.open(trace);                 // both ways: steps, breakpoints, watchpoints, events
 *
 * Errors: `UserError` for what the caller can mend (no trace, another version, a missing image, a full disk), `TraceDamage`, which is one, for a damaged trace
 * (replay reports it as a difference instead).
 */
export type { EventCounts } from './block-maker.ts';
export { Coverage } from './coverage/coverage.ts';
export { lcovText } from './coverage/lcov.ts';
export { describeEvent, resultText, syscallName, syscallText, vectorName } from './describe.ts';
export type { DiffReport, RunStateDifference, Side } from './diff/diff.ts';
export { diff } from './diff/diff.ts';
export type { Difference, DifferenceKind } from './divergence.ts';
export { instructionText } from './divergence.ts';
export type { EventKind, TraceEvent, TraceEventOf } from './events.ts';
export { EVENTS } from './events.ts';
export { exportPerfetto } from './export/perfetto.ts';
export { traceFormatMarkdown } from './format-markdown.ts';
export { Debuggee } from './gdb/debuggee.ts';
export { GdbServer } from './gdb/server.ts';
export { Executions } from './index-file/executions.ts';
export { indexPath, openIndex } from './index-file/index.ts';
export type { Touch, TouchIndex } from './index-file/touch-index.ts';
export type { EventQuery, EventView } from './inspect.ts';
export { inspectBlock, inspectEvents, inspectInstructions, inspectRegisters } from './inspect.ts';
export { KEEL_STACKS, Keel, type KeelProcess, processName, type SavedContext } from './keel.ts';
export type { LockstepOptions, LockstepReport } from './lockstep/lockstep.ts';
export { lockstep } from './lockstep/lockstep.ts';
export type { LockstepDifference } from './lockstep/pinpoint.ts';
export { MemoryView } from './memory-view.ts';
export type { PlayerOptions } from './player.ts';
export { Player } from './player.ts';
export type { SwitchNames } from './processes.ts';
export { Processes } from './processes.ts';
export type { Profile } from './profile/profile.ts';
export { profileOf } from './profile/profile.ts';
export type { NamedFile, Recording, RecordOptions } from './record.ts';
export { record } from './record.ts';
export type { ReplayOptions, ReplayReport } from './replay.ts';
export { openTrace, replay } from './replay.ts';
export type { Artefact, Branch, Change, EndBlock, RunBlock, TraceHeader } from './schema.ts';
export { KEYS as SELECTION_KEYS } from './select/keys.ts';
export type { SelectedRow } from './select/select.ts';
export { select } from './select/select.ts';
export { Selection } from './select/selection.ts';
export type { InstructionView } from './step.ts';
export type { Place } from './symbols.ts';
export type { BranchOptions, Write } from './timeline/branch.ts';
export { branchText } from './timeline/branch-text.ts';
export type { ConsoleLine } from './timeline/console.ts';
export { EventFinder } from './timeline/event-finder.ts';
export type { EventMatch } from './timeline/event-match.ts';
export { eventMatch } from './timeline/event-match.ts';
export type { Hit, Search, Stopped } from './timeline/search.ts';
export type { TimelineOptions } from './timeline/timeline.ts';
export { Timeline } from './timeline/timeline.ts';
export type { Cut } from './trace/cursor.ts';
export type { Damage } from './trace/frame-reader.ts';
export { TraceDamage } from './trace/frame-reader.ts';
export type { Trace } from './trace/reader.ts';
export type { SkimmedEvents } from './trace/skim.ts';
export { hexOf, placeName } from './who/chain.ts';
export { Who } from './who/index.ts';
export type { Link, Place as WrittenPlace } from './who/link.ts';
export { writePieces, writeWhole } from './whole-file.ts';
