/** What each machine of the bench looks like to it: one object a column. */
import type { Image } from '../build.ts';

/** One run of an image from start to end, timed as a whole process. */
export interface Run {
  /** User and system time of the process and its children. */
  readonly cpuSeconds: number;
  /** All that came out of the serial line, the same on every machine; null where it is not shown. */
  readonly console: string | null;
  /** Of our machine: retired instructions, and the state's hash at the end. */
  readonly instructions?: number;
  readonly hash?: string;
  /** Of a recording. */
  readonly traceBytes?: number;
}

export interface Peer {
  /** The column's heading. */
  readonly name: string;
  /** The program behind the column; several columns may share one. */
  readonly tool: string;
  /** The tool's version; null where it is not installed. */
  readonly version: string | null;
  /** What `.ci/run` or a person must install. */
  readonly debianPackage?: string;
  /** The short form leaves it out. */
  readonly isInFullOnly?: boolean;
  canRun(image: Image): boolean;
  /** Throws a BenchError where the run ends in another way than the image's own end. */
  run(image: Image): Run;
}
