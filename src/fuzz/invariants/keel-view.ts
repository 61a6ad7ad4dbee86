/** What the judges know of keel: its process table, frame table and linker symbols (src/kernel/task/process.ts, ostd/frames.ts, ostd/virtual-layout.ts). */
import { readElf } from '../../compiler/image/read-elf.ts';
import type { Machine } from '../../machine/index.ts';
import { MemoryView } from '../../replay/index.ts';
import type { FrameKind, KernelView, Range } from './kernel-view.ts';

/** Process states: free, ready, blocked, sleeping, zombie. A zombie has given its memory back. */
const STATE_FREE = 0;
const STATE_ZOMBIE = 4;

/** FRAME_… of ostd/frames.ts, by number. Contents of files and pipes are kernel memory: user mode reaches them by calls alone. */
const FRAME_KINDS: readonly FrameKind[] = ['free', 'kernel', 'page-table', 'kernel', 'user', 'shared', 'kernel'];

const STACKS: Range = { from: 0xffff_c000_0000_0000n, to: 0xffff_c000_0040_0000n };
const STACK_STRIDE = 0x1_0000n;
const GUARD_BYTES = 0x8000n;

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
  const [stateOffset, pidOffset, spaceOffset, domainOffset] = [offsetOf('state'), offsetOf('pid'), offsetOf('space'), offsetOf('domain')];

  const spaces = view.element(view.global('addressSpaces'), 0);
  const rootOffset = view.field(spaces, 'table.root').address - spaces.address;

  const frames = view.global('frames');
  const kinds = view.field(frames, 'kinds').address;
  const owners = view.field(frames, 'owners').address;
  const limit = view.field(frames, 'limit');
  const free = view.field(frames, 'free');
  const running = view.field(view.global('scheduler'), 'running');
  const kernelRoot = BigInt(view.number(view.field(view.global('kernelSpace'), 'root'))) << 12n;
  const image = range('__rx').from;

  /** Where an address space lies in physical memory, by the lower half of its linear address. */
  const known = new Map<number, number>();
  const placeOf = (pointer: number): number => {
    const low = ram.getUint32(pointer, true);
    const place = known.get(low) ?? view.physical(ram.getBigUint64(pointer, true));
    known.set(low, place);
    return place;
  };
  /** The frame of a live process's root; 0: none. */
  const rootFrame = (slot: number): number => {
    const process = first.address + slot * stride;
    const state = ram.getUint8(process + stateOffset);
    if (state === STATE_FREE || state === STATE_ZOMBIE) return 0;
    const pointer = process + spaceOffset;
    if (ram.getUint32(pointer, true) === 0) return 0;
    return ram.getUint32(placeOf(pointer) + rootOffset, true);
  };
  const pidOf = (slot: number) => ram.getUint32(first.address + slot * stride + pidOffset, true);

  return {
    image: { from: image, to: range('__rw').to },
    copyIn: range('__copy_from_user'),
    copyOut: range('__copy_to_user'),
    stacks: { ...STACKS, stride: STACK_STRIDE, guardBytes: GUARD_BYTES },
    kernelRoot,
    currentPid: () => pidOf(view.number(running)),
    isVictim(root) {
      const frame = Number(root >> 12n);
      for (let slot = 1; slot < slots; slot++)
        if (rootFrame(slot) === frame) return ram.getInt32(first.address + slot * stride + domainOffset, true) === VICTIM_DOMAIN;
      return false;
    },
    liveRoots() {
      const roots: bigint[] = [];
      for (let slot = 1; slot < slots; slot++) {
        const root = rootFrame(slot);
        if (root !== 0) roots.push(BigInt(root) << 12n);
      }
      return roots;
    },
    frameKind(frame) {
      if (frame >= view.number(limit)) return 'outside';
      return FRAME_KINDS[ram.getUint8(kinds + frame)] ?? 'outside';
    },
    frameCount: (frame) => (frame >= view.number(limit) ? 0 : ram.getUint16(owners + 2 * frame, true)),
    freeFrames: () => view.number(free),
  };
}
