/** Runs one multiboot image in v86 and shows its serial line: `v86-machine.ts IMAGE`. A guest has no port to end v86, so its first line is its end. */
import { fileURLToPath } from 'node:url';
import { V86 } from 'v86';

const NEWLINE = 10;
const line: number[] = [];
const emulator = new V86({
  wasm_path: fileURLToPath(new URL('v86.wasm', import.meta.resolve('v86'))),
  multiboot: { url: process.argv[2] ?? '' },
  memory_size: 256 << 20,
  vga_memory_size: 1 << 20,
  acpi: true, // with it comes the local APIC
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  autostart: true,
});
emulator.add_listener('serial0-output-byte', (byte: number) => {
  line.push(byte);
  if (byte !== NEWLINE) return;
  process.stdout.write(Uint8Array.from(line));
  process.exit(0);
});
