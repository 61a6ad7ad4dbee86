/** What lies where before the first instruction: the kernel's image, the initial RAM disk, what the loader tells the kernel. */
import { readElf } from '../../compiler/image/read-elf.ts';
import type { Stage } from './stage.ts';

const RBX = 3;
/** Of hvm_start_info and hvm_modlist (machine/boot/pvh.ts). */
const START_INFO_BYTES = 0x2000n;
const MODULES = { count: 12, list: 16, size: 8 } as const;

/** In words: where in which file the byte at a physical address comes from. */
export function bootContents(stage: Stage, physical: bigint): string {
  const { trace, player, image } = stage;
  if (trace.start > 0n) return `the branch began with it, at ${trace.start}: ask in the trace that it left`;
  stage.seek(0n);
  const { machine } = player;
  const startInfo = machine.register(RBX) & 0xffff_ffffn;
  for (const { physical: from, fileOffset, fileSize } of readElf(image.bytes, image.name).segments) {
    const offset = physical - from;
    if (offset >= 0n && offset < BigInt(fileSize)) return `the boot image: byte ${BigInt(fileOffset) + offset} of ${image.name}`;
  }
  const view = machine.ram;
  const at = Number(startInfo);
  if (at > 0 && at + 64 <= view.byteLength && view.getUint32(at + MODULES.count, true) > 0) {
    const list = Number(view.getBigUint64(at + MODULES.list, true));
    const from = view.getBigUint64(list, true);
    const offset = physical - from;
    const name = trace.header.artefacts.find(({ role }) => role === 'initrd')?.name ?? 'the initial RAM disk';
    if (offset >= 0n && offset < view.getBigUint64(list + MODULES.size, true)) return `the boot image: byte ${offset} of ${name}`;
  }
  if (physical >= startInfo && physical < startInfo + START_INFO_BYTES) return 'the boot loader: what it tells the kernel of the machine';
  return 'never written: zero since the machine began';
}
