/**
 * How fast tier 0 runs small loops (million guest instructions a second), without the rest of the machine: soft TLB and exact counting
 * included. `node bench/tier0.ts [--json] [--path]`
 */
import { assembleInline } from '../src/compiler/assembler/index.ts';
import { FormLibrary } from '../src/machine/translator/form-library.ts';
import { FlatMachine } from '../tests/machine/translator/flat-machine.ts';

const LOOPS: Readonly<Record<string, string>> = {
  'integer hashing': `
      mov ecx, 10000000
      mov rax, 0xcbf29ce484222325
      mov rsi, 0x100000001b3
    again:
      xor rax, rcx
      imul rax, rsi
      mov rdx, rax
      shr rdx, 29
      xor rax, rdx
      add rax, 17
      dec ecx
      jnz again
      hlt`,
  'sieve (bytes in memory)': `
      mov r8d, 8
    round:
      mov edi, 0x20000
      mov ecx, 0x40000
      mov al, 1
      rep stosb
      mov ebx, 2
    outer:
      cmp byte ptr [rbx + 0x20000], 0
      je next
      lea edx, [rbx + rbx]
    inner:
      cmp edx, 0x40000
      jae next
      mov byte ptr [rdx + 0x20000], 0
      add edx, ebx
      jmp inner
    next:
      inc ebx
      cmp ebx, 0x40000
      jb outer
      dec r8d
      jnz round
      hlt`,
  'recursive calls': `
      mov edi, 32
      call fib
      hlt
    fib:
      push rbp
      mov rbp, rsp
      cmp edi, 2
      jb small
      push rbx
      push rdi
      dec edi
      call fib
      mov ebx, eax
      mov edi, [rsp]
      sub edi, 2
      call fib
      add eax, ebx
      pop rdi
      pop rbx
      pop rbp
      ret
    small:
      mov eax, edi
      pop rbp
      ret`,
  'checksum of words': `
      mov r8d, 300
    round:
      xor ecx, ecx
      xor eax, eax
    again:
      mov rdx, [rcx*8 + 0x20000]
      add rax, rdx
      rol eax, 5
      mov [rcx*8 + 0x20000], rax
      inc ecx
      cmp ecx, 0x8000
      jne again
      dec r8d
      jnz round
      hlt`,
};

function measure(text: string, library: FormLibrary): { instructions: number; rate: number } {
  const { bytes } = assembleInline(text);
  let best = 0;
  let instructions = 0;
  for (let round = 0; round < 4; round++) {
    const m = new FlatMachine({ library });
    m.ram.set(bytes, 0x1000);
    m.state.rip = 0x1000n;
    m.state.gpr[4] = 0x10000n;
    const begin = performance.now();
    let reason = m.interpreter.run(10_000_000_000n);
    while (reason === 'path-full') {
      m.interpreter.drainPath();
      reason = m.interpreter.run(10_000_000_000n);
    }
    const ms = performance.now() - begin;
    if (reason !== 'stop') throw new Error(`the loop ended with ${reason} at ${m.state.rip.toString(16)}`);
    instructions = Number(m.state.count);
    best = Math.max(best, instructions / ms / 1000);
  }
  return { instructions, rate: best };
}

const begin = performance.now();
const library = new FormLibrary({ hasPath: process.argv.includes('--path') });
const start = performance.now() - begin;
const rows = Object.entries(LOOPS).map(([name, text]) => ({ name, ...measure(text, library) }));
if (process.argv.includes('--json')) console.log(JSON.stringify({ rows, libraryMs: start }));
else {
  console.log(`library of forms made in ${start.toFixed(1)} ms`);
  for (const { name, instructions, rate } of rows)
    console.log(`${name.padEnd(28)} ${(instructions / 1e6).toFixed(1).padStart(8)} M   ${rate.toFixed(0).padStart(5)} M/s`);
}
