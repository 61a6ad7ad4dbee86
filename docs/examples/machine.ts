/** The machine: boots a kernel made of five instructions and reads its registers. */
import { compile } from 'palindrome/compiler';
import { Machine, QuietHost } from 'palindrome/machine';

// Any PVH ELF64 will do; this one is written in assembly, in a source of the compiler's own language.
const source = `import { assembly } from 'palindrome/intrinsics';
assembly(\`
.section .boot, "ax"
.code32
.global pvh_start
pvh_start:
    mov eax, 6
    mov ecx, 7
    imul eax, ecx
    mov edx, 0xf4
    out dx, eax
\`);
`;
const { image, diagnostics } = compile(
  { entry: 'kernel.ts', target: 'keel-kernel', trusted: () => true },
  new Map([['kernel.ts', source]]),
);
if (image === null) throw new Error(JSON.stringify(diagnostics));

const machine = await Machine.create({ memoryBytes: 16 << 20, seed: 'example', harness: false }, new QuietHost());
machine.load({ image });
const stop = machine.run(1000n);
console.log(stop.reason, stop.reason === 'debug-exit' ? stop.code : '');
console.log(`${machine.count} instructions, RAX = ${machine.registers().gpr[0]}`);
