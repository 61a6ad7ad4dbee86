/** What the judges know of keel: its process table, frame table and linker symbols (src/kernel/task/process.ts, ostd/frames.ts, ostd/virtual-layout.ts). */
import { readElf } from '../../compiler/image/read-elf.ts';
import type { Machine } from '../../machine/index.ts';
import { KEEL_STACKS, MemoryView } from '../../replay/index.ts';
import type { FrameKind, KernelView, Range } from './kernel-view.ts';

/** Process states: free, ready, blocked, sleeping, zombie. A zombie has given its memory back. */
const LIVE_STATES: readonly number[] = [1, 2, 3];

/** FRAME_… of ostd/frames.ts, by number. Contents of files and pipes are kernel memory: user mode reaches them by calls alone. */
const FRAME_KINDS: readonly FrameKind[] = ['free', 'kernel', 'page-table', 'kernel', 'user', 'shared', 'kernel'];

/** The domain of the program that `/etc/programs` names first, the victim, and of its children. */
const VICTIM_DOMAIN = 0;

export function keelView(machine: Machine, kernel: Uint8Array): KernelView {
  const view = new MemoryView(machine, readElf(kernel, 'keel.elf'), 'keel.elf');
  const range = (name: string): Range => ({ from: view.symbol(`${name}_start`), to: view.symbol(`${name}_end`) });
  const { ram } = machine;

  const processes = view.global('processes');
  const first = view.element(processes, 0);
  const stride = view.stride(processes);
  const slots = processes.type.kind === 'array' ? processes.type.length : 0;
  const offsetOf = (name: string) => view.field(first, name).address - first.address;
  const [pidOffset, spaceOffset, domainOffset] = [offsetOf('pid'), offsetOf('space'), offsetOf('domain')];
  /** For each state the slots in it, as 64 bits. */
  const sets = view.field(view.global('slots'), 'sets').address;

  const spaces = view.element(view.global('addressSpaces'), 0);
  const rootOffset = view.field(spaces, 'table.root').address - spaces.address;

  const frames = view.global('frames');
  const kinds = view.field(frames, 'kinds').address;
  const owners = view.field(frames, 'owners').address;
  const limit = view.field(frames, 'limit').address;
  const free = view.field(frames, 'free');
  const asked = view.field(frames, 'asked');
  const running = view.field(view.global('scheduler'), 'running');
  const kernelRoot = view.number(view.field(view.global('kernelSpace'), 'root'));
  const image = range('__rx').from;

  /** Where an address space lies in physical memory, by the lower half of its linear address. */
  const known = new Map<number, number>();
  const placeOf = (pointer: number): number => {
    const low = ram.getUint32(pointer, true);
    const place = known.get(low) ?? view.physical(ram.getBigUint64(pointer, true));
    known.set(low, place);
    return place;
  };
  /** 32 slots from `from` on as bits: those of live processes. */
  const liveSlots = (from: number): number => {
    let live = 0;
    for (const state of LIVE_STATES) live |= ram.getInt32(sets + 8 * state + (from >> 3), true);
    return live;
  };
  /** The frame of a process's root; 0: none. */
  const rootFrame = (slot: number): number => {
    const pointer = first.address + slot * stride + spaceOffset;
    if (ram.getUint32(pointer, true) === 0) return 0;
    return ram.getUint32(placeOf(pointer) + rootOffset, true);
  };
  /** The slot of the live process with this root; 0: none. */
  const slotOf = (root: number): number => {
    for (let from = 0; from < slots; from += 32)
      for (let left = liveSlots(from); left !== 0; left &= left - 1) {
        const slot = from + 31 - Math.clz32(left & -left);
        if (rootFrame(slot) === root) return slot;
      }
    return 0;
  };
  const pidOf = (slot: number) => ram.getUint32(first.address + slot * stride + pidOffset, true);

  return {
    image: { from: image, to: range('__rw').to },
    copyIn: range('__copy_from_user'),
    copyOut: range('__copy_to_user'),
    stacks: KEEL_STACKS,
    kernelRoot,
    currentPid: () => pidOf(view.number(running)),
    isVictim(root) {
      const slot = slotOf(root);
      return slot !== 0 && ram.getInt32(first.address + slot * stride + domainOffset, true) === VICTIM_DOMAIN;
    },
    mostRoots: slots,
    isLive: (root) => root !== 0 && slotOf(root) !== 0,
    liveRoots(into) {
      let count = 0;
      for (let from = 0; from < slots; from += 32)
        for (let left = liveSlots(from); left !== 0; left &= left - 1) {
          const root = rootFrame(from + 31 - Math.clz32(left & -left));
          if (root !== 0) into[count++] = root;
        }
      return count;
    },
    frameKind(frame) {
      if (frame >= ram.getUint32(limit, true)) return 'outside';
      return FRAME_KINDS[ram.getUint8(kinds + frame)] ?? 'outside';
    },
    frameCount: (frame) => (frame >= ram.getUint32(limit, true) ? 0 : ram.getUint16(owners + 2 * frame, true)),
    freeFrames: () => view.number(free),
    askedFrames: () => view.number(asked),
  };
}
