/**
 * gdb's host I/O (`vFile:`, GDB's manual, appendix E.7) over the ELF files of a trace: it reads the kernel's and the programs' symbols through its own
 * connection. Nothing else of this computer can be reached by it, and nothing can be written.
 */
import { smallOf, textOfHex } from './hexadecimal.ts';
import type { Images } from './images.ts';
import { PACKET_BYTES } from './packets.ts';

/** Numbers of the protocol's own. */
const ERRNO = { noEntry: 2, badDescriptor: 9, denied: 13, invalid: 22, tooManyOpen: 24 } as const;
const ACCESS_MODE = 3;
const MOST_OPEN = 64;
/** A regular file that all may read. */
const MODE = 0o100444;

export class HostFiles {
  readonly #images: Images;
  readonly #open = new Map<number, Uint8Array>();

  constructor(images: Images) {
    this.#images = images;
  }

  /** The answer to `vFile:operation:arguments`; null: this operation is not supported. */
  answer(operation: string, args: readonly string[]): string | null {
    switch (operation) {
      case 'setfs':
        return 'F0';
      case 'open':
        return this.#openFile(textOfHex(args[0] ?? ''), smallOf(args[1]));
      case 'close':
        return this.#open.delete(smallOf(args[0]) ?? -1) ? 'F0' : failed(ERRNO.badDescriptor);
      case 'pread':
        return this.#read(smallOf(args[0]), smallOf(args[1]), smallOf(args[2]));
      case 'fstat':
        return this.#stat(smallOf(args[0]));
      case 'readlink':
        return failed(ERRNO.invalid);
      case 'pwrite':
      case 'unlink':
        return failed(ERRNO.denied);
      default:
        return null;
    }
  }

  #openFile(path: string | null, flags: number | null): string {
    if (path === null || flags === null) return failed(ERRNO.invalid);
    if ((flags & ACCESS_MODE) !== 0) return failed(ERRNO.denied);
    const bytes = this.#images.file(path);
    if (bytes === null) return failed(ERRNO.noEntry);
    for (let descriptor = 1; descriptor <= MOST_OPEN; descriptor++) {
      if (this.#open.has(descriptor)) continue;
      this.#open.set(descriptor, bytes);
      return `F${descriptor.toString(16)}`;
    }
    return failed(ERRNO.tooManyOpen);
  }

  #read(descriptor: number | null, count: number | null, offset: number | null): string {
    const bytes = this.#open.get(descriptor ?? -1);
    if (bytes === undefined) return failed(ERRNO.badDescriptor);
    if (count === null || offset === null) return failed(ERRNO.invalid);
    // Half of the bytes may have to be escaped.
    const piece = bytes.subarray(offset, offset + Math.min(count, PACKET_BYTES / 2 - 16));
    return `F${piece.length.toString(16)};${Buffer.from(piece).toString('latin1')}`;
  }

  /** The protocol's `struct stat`: big-endian, dev ino mode nlink uid gid rdev (4 bytes each), size blksize blocks (8), atime mtime ctime (4). */
  #stat(descriptor: number | null): string {
    const bytes = this.#open.get(descriptor ?? -1);
    if (bytes === undefined) return failed(ERRNO.badDescriptor);
    const view = new DataView(new ArrayBuffer(64));
    view.setUint32(8, MODE);
    view.setUint32(12, 1);
    view.setBigUint64(28, BigInt(bytes.length));
    view.setBigUint64(36, 512n);
    view.setBigUint64(44, BigInt(Math.ceil(bytes.length / 512)));
    return `F40;${Buffer.from(view.buffer).toString('latin1')}`;
  }
}

function failed(errno: number): string {
  return `F-1,${errno.toString(16)}`;
}

/** `qXfer:libraries:read`: where the programs are loaded, which is where they are linked. */
export function librariesText(images: ReturnType<Images['libraries']>): string {
  const list = images.map(({ path, elf }) => {
    const segments = elf.segments
      .filter(({ type }) => type === LOAD)
      .map(({ address }) => `<segment address="0x${address.toString(16)}"/>`);
    return `<library name="${quoted(path)}">${segments.join('')}</library>`;
  });
  return `<library-list>${list.join('')}</library-list>`;
}

const LOAD = 1;

/** Text within an XML attribute; characters that XML does not have are left out. */
export function quoted(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return text.replace(/[^ -~]/g, '?').replace(/[&<>"']/g, (each) => names[each] ?? '');
}
