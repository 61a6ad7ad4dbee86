/** FPU, SSE and flag state around calls and switches: what a process leaves in a register is its own. */
import fc from 'fast-check';
import { type ActArbitrary, act, literal, weighted } from '../grammar/act.ts';

const value = fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn });

/** Fills SSE registers, lets others run, and reads them back. */
const sse: ActArbitrary = fc
  .tuple(value, fc.constantFrom(0, 3, 7, 8, 15), fc.nat({ max: 3 }))
  .map(([bits, register, yields]) =>
    act(
      `XMM${register} kept over ${yields} yields`,
      `asm('movq xmm${register}, rdi\\n${'mov rax, 24\\nsyscall\\n'.repeat(yields)}movq rax, xmm${register}', { rdi: ${literal(bits)} }, 'rax');`,
    ),
  );

const mxcsr: ActArbitrary = fc
  .constantFrom(0x1f80n, 0x3f80n, 0x7fc0n, 0x9fbfn, 0xffffn)
  .map((bits) =>
    act(
      `MXCSR ${literal(bits)} over a yield`,
      `store64(base, ${literal(bits)});`,
      "asm('ldmxcsr [rdi]\\nmov rax, 24\\nsyscall\\nstmxcsr [rdi]\\nmov eax, dword ptr [rdi]', { rdi: base }, 'rax');",
    ),
  );

/** Flags that a kernel must not inherit, over a call, a fault-free stretch and a yield. */
const flags: ActArbitrary = fc
  .tuple(fc.constantFrom(0x400n, 0x4000n, 0x40000n, 0x200000n, 0x8d5n, 0x44400n), fc.constantFrom(24n, 39n, 63n, 1n))
  .map(([bits, call]) =>
    act(
      `RFLAGS with ${literal(bits)} during call ${call}`,
      `asm('pushfq\\npushfq\\nor qword ptr [rsp], rdi\\npopfq\\nmov rax, rsi\\nmov rdi, rdx\\nsyscall\\npopfq', { rdi: ${literal(bits)}, rsi: ${literal(call)}, rdx: base }, 'rax');`,
    ),
  );

/** The bases of FS and GS by the call and by the instruction, also to where they may not point. */
const bases: ActArbitrary = fc
  .tuple(
    fc.constantFrom(0x1001n, 0x1002n),
    fc.constantFrom('base', '0n', '0xffff800000000000n', '0x7fffffffffffn', '0x800000000000n', '0xffffffff80100000n'),
  )
  .map(([code, where]) =>
    act(
      'the FS or GS base moved',
      `r1 = syscall(158n, ${literal(code)}, ${where});`,
      'syscall(24n);',
      "asm('mov rax, 39\\nsyscall', {}, 'rax');",
    ),
  );

/** All general registers full of one value during a call that yields. */
const full: ActArbitrary = value.map((bits) =>
  act(
    'callee-saved registers kept over a yield',
    `asm('push rbx\\npush r12\\npush r13\\nmov rbx, rdi\\nmov r12, rdi\\nmov r13, rdi\\nmov rax, 24\\nsyscall\\nmov rax, rbx\\nxor rax, r12\\nadd rax, r13\\npop r13\\npop r12\\npop rbx', { rdi: ${literal(bits)} }, 'rax');`,
  ),
);

export const registers: ActArbitrary = weighted([3, sse], [2, mxcsr], [3, flags], [2, bases], [1, full]);
