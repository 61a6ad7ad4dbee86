/** What the judges know of the kernel under test: addresses from its ELF symbols and, where an invariant needs it, its data by their layouts. */

/** A half-open range of linear addresses. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

export const isWithin = (address: bigint, { from, to }: Range): boolean => address >= from && address < to;

/** Page-table roots are named by their frames. */
export interface KernelView {
  /** The linked image: text, read-only data, data and bss. */
  readonly image: Range;
  /** Where the kernel may touch user memory: from user memory into the kernel, and back. */
  readonly copyIn: Range;
  readonly copyOut: Range;
  /** All kernel stacks; each slot of `stride` bytes begins with its guard page. */
  readonly stacks: Range & { readonly stride: bigint; readonly guardBytes: bigint };
  /** The roots of all processes that are alive, put into `into`: how many. */
  liveRoots(into: Int32Array): number;
  /** Whether a live process has this root. */
  isLive(root: number): boolean;
  /** The root that the kernel itself runs on where no process does. */
  readonly kernelRoot: number;
  /** More than there are ever live roots. */
  readonly mostRoots: number;
  /** The process that the CPU works for; its registers are the ones user mode sees. */
  currentPid(): number;
  /** Whether the address space is the victim's or a child's of it: those may hold the secrets. */
  isVictim(root: number): boolean;
  /** What the kernel's own books say a frame is. */
  frameKind(frame: number): FrameKind;
  /** How many references the books count for a frame. */
  frameCount(frame: number): number;
  /** Frames that the books call free. */
  freeFrames(): number;
  /** How many frames were asked for since the options of the run were read. */
  askedFrames(): number;
}

export type FrameKind = 'free' | 'kernel' | 'page-table' | 'user' | 'shared' | 'outside';
