/** Runs to ask about, and what single steps of a machine say of them: the judge of what is found along the path. */

import { assemble } from '../../../src/compiler/assembler/index.ts';
import { link } from '../../../src/compiler/image/link.ts';
import { type InstructionView, openTrace, Player, record, type Trace } from '../../../src/replay/index.ts';
import { guestImage } from '../../machine/system/guest.ts';
import { guestRecording, guestText } from '../guest.ts';

/** Interrupts, faults, system calls, two address spaces, repeated instructions; ring 0 and 3. */
export async function smallTrace(rounds = 24): Promise<Trace> {
  const source = guestText({ rounds, timer: 700 }).replaceAll(/^([a-z]\w+):/gm, '.global $1\n$1:');
  const bytes = link([assemble(source, { name: 'guest.s' })], { target: 'keel-kernel' }).bytes;
  const { trace } = await record({ ...guestRecording(), image: { name: 'guest', bytes } });
  return openTrace(trace ?? new Uint8Array(0));
}

/** Changes its own code: the bytes beside what runs, the instruction that comes next, one that lies across two pages; and writes data beside its code. */
export async function changingTrace(): Promise<Trace> {
  const program = `
  mov r12d, 40
again:
  inc byte ptr [patched + 1]
patched:
  mov al, 5
  inc qword ptr [beside]
  mov ecx, r12d
  and ecx, 1
  mov byte ptr [rcx * 2 + other], 0x90
  mov byte ptr [rcx * 2 + other + 1], 0x90
  call other
  xor byte ptr [crossing + 3], 3
  call far_away
  dec r12d
  jnz again
  jmp finish
beside: .quad 0
other:
  inc edx
  inc edx
  ret
.balign 4096
  .zero 4092
far_away:
  nop
crossing:
  mov ebx, 0x01020304
  ret
`;
  const { trace } = await record({
    machine: { memoryBytes: 4 << 20, seed: 'changing', harness: false },
    image: { name: 'changing', bytes: guestImage(program) },
    blockInstructions: 512,
    checkpointInstructions: 1024,
  });
  return openTrace(trace ?? new Uint8Array(0));
}

/** Maps two pages of code in turns at one address, and flushes it each time. */
export async function remappedTrace(): Promise<Trace> {
  const map = (code: string) => `
  mov rax, offset ${code}
  or rax, 3
  mov qword ptr [window_pt], rax
  invlpg [rbx]
  call rbx`;
  const program = `
  mov rbx, 0x40000000
  mov r12d, 12
again:${map('one')}${map('other')}
  dec r12d
  jnz again
  jmp finish
.balign 4096
one:
  inc edx
  ret
.balign 4096
other:
  dec esi
  dec esi
  ret
`;
  const { trace } = await record({
    machine: { memoryBytes: 4 << 20, seed: 'remapped', harness: false },
    image: { name: 'remapped', bytes: guestImage(program) },
    blockInstructions: 512,
    checkpointInstructions: 1024,
  });
  return openTrace(trace ?? new Uint8Array(0));
}

/** All instructions of a run, step by step. */
export async function steps(trace: Trace): Promise<InstructionView[]> {
  const player = await Player.open(trace);
  const views: InstructionView[] = [];
  for (let view = player.step(); view !== null; view = player.step()) views.push(view);
  return views;
}
