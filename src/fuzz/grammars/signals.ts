/** Signals: handlers at hostile addresses, frames on hostile stacks, frames for rt_sigreturn that the kernel never made. */
import fc from 'fast-check';
import { type ActArbitrary, act, literal, weighted } from '../grammar/act.ts';
import { border, hostileAddress } from './values.ts';

const SA_RESTORER = 0x0400_0000n;
/** SA_RESTORER with SA_NODEFER, SA_RESETHAND, SA_SIGINFO, SA_ONSTACK; and without it. */
const flags = fc.constantFrom(
  SA_RESTORER,
  SA_RESTORER | 0x4000_0000n,
  SA_RESTORER | 0x8000_0000n,
  SA_RESTORER | 4n,
  SA_RESTORER | 0x0800_0000n,
  0n,
);

/** What raises a signal of the program's own, and its number. */
const RAISERS: readonly (readonly [signal: number, statement: string])[] = [
  [11, 'load64(0n);'],
  [11, 'store64(0xffff800000100000n, 1n);'],
  [4, "asm('ud2', {}, 'rax');"],
  [8, "asm('xor eax, eax\\ndiv eax', {}, 'rax');"],
  [5, "asm('int3', {}, 'rax');"],
  [10, 'syscall(62n, wrapping.u64(syscall(39n)), 10n);'],
];

/** struct sigaction at `base`, then the call. */
const setHandler = (signal: number, handler: string, bits: bigint, restorer: string): string[] => [
  `store64(base, ${handler});`,
  `store64(base + 8n, ${literal(bits)});`,
  `store64(base + 16n, ${restorer});`,
  'store64(base + 24n, 0n);',
  `r0 = syscall(13n, ${signal}n, base, 0n, 8n);`,
];

/** A handler where no code of the program is, entered at once. */
const hostileHandler: ActArbitrary = fc
  .tuple(fc.constantFrom(...RAISERS), hostileAddress, flags, hostileAddress)
  .map(([[signal, raise], handler, bits, restorer]) =>
    act(`signal ${signal} with a handler at a hostile address`, ...setHandler(signal, handler, bits, restorer), raise),
  );

/** A handler that is fine, entered while RSP points to where no frame may be written. */
const hostileStack: ActArbitrary = fc
  .tuple(weighted([3, hostileAddress], [1, fc.constant('0n')], [1, fc.constant('base + 16n')], [2, border]), flags)
  .map(([stack, bits]) =>
    act(
      'a fault with RSP where no signal frame may be written',
      ...setHandler(11, '0x1000n', bits, '0x1000n'),
      `asm('mov rsp, rdi\\nmov rax, qword ptr [0]', { rdi: ${stack} }, 'rax');`,
    ),
  );

/** A handler of one RET and a restorer that calls rt_sigreturn: the registers must come back. */
const goodHandler: ActArbitrary = fc
  .constantFrom(0n, 0x4000_0000n, 0x8000_0000n)
  .map((bits) =>
    act(
      'a signal handler that returns',
      'r1 = syscall(9n, 0n, 4096n, 3n, 0x22n, ALL, 0n);',
      'if (r1 > 0n) {',
      '  store64(wrapping.u64(r1), 0xc3n);',
      '  store64(wrapping.u64(r1) + 8n, 0x050f0000000fb8n);',
      '  syscall(10n, wrapping.u64(r1), 4096n, 5n);',
      ...setHandler(10, 'wrapping.u64(r1)', SA_RESTORER | bits, 'wrapping.u64(r1) + 8n').map((line) => `  ${line}`),
      '  syscall(62n, wrapping.u64(syscall(39n)), 10n);',
      '}',
    ),
  );

/** Offsets in the frame that RSP - 8 points to (struct rt_sigframe). */
const FRAME = { rsp: 168, rip: 176, rflags: 184, selectors: 192, fpu: 232, mask: 304 } as const;
/** MXCSR in the image that FXRSTOR takes. */
const FXSAVE_MXCSR = 24;

/** rt_sigreturn on a frame that no handler was ever given: privileged flags and selectors, an RIP of the kernel, reserved bits of MXCSR. */
const forgedFrame: ActArbitrary = fc
  .tuple(
    weighted([2, hostileAddress], [1, fc.constant('0x1000n')]),
    fc.constantFrom(0x202n, 0x3202n, 0x4202n, 0n, 0x302n, 0x20202n, 0xffff_ffff_ffff_ffffn, 0x40202n),
    fc.constantFrom(0x2b_0000_0000_0033n, 0x10_0000_0000_0008n, 0x18_0000_0000_0010n, 0n),
    weighted([2, fc.constant('base + 8192n')], [1, fc.constant('0n')], [2, hostileAddress], [1, fc.constant('base + 8193n')]),
    fc.constantFrom(0x1f80n, 0xffff_ffffn, 0x1_0000n, 0x8000_1f80n),
    fc.constantFrom(0n, 0xffff_ffff_ffff_ffffn),
  )
  .map(([rip, rflags, selectors, fpu, mxcsr, mask]) =>
    act(
      `rt_sigreturn on a forged frame: RFLAGS ${literal(rflags)}, MXCSR ${literal(mxcsr)}`,
      `store64(base + ${4096 + FRAME.rsp}n, base + 12288n);`,
      `store64(base + ${4096 + FRAME.rip}n, ${rip});`,
      `store64(base + ${4096 + FRAME.rflags}n, ${literal(rflags)});`,
      `store64(base + ${4096 + FRAME.selectors}n, ${literal(selectors)});`,
      `store64(base + ${4096 + FRAME.fpu}n, ${fpu});`,
      `store64(base + ${4096 + FRAME.mask}n, ${literal(mask)});`,
      `store64(base + ${8192 + FXSAVE_MXCSR}n, ${literal(mxcsr)});`,
      "asm('mov rsp, rdi\\nmov eax, 15\\nsyscall', { rdi: base + 4104n }, 'rax');",
    ),
  );

/** rt_sigreturn with the frame itself in a bad place. */
const frameNowhere: ActArbitrary = hostileAddress.map((stack) =>
  act('rt_sigreturn with RSP at a hostile address', `asm('mov rsp, rdi\\nmov eax, 15\\nsyscall', { rdi: ${stack} }, 'rax');`),
);

/** One instruction, or one system call, under TF: the trap must not reach the kernel, nor its cause another process. */
const singleStep: ActArbitrary = fc
  .constantFrom('nop', 'mov eax, 24\\nsyscall', 'mov eax, 57\\nsyscall', 'int3', 'pushfq\\npop rax', 'mov eax, 15\\nsyscall')
  .map((code) =>
    act(
      `a single step over ${code.replaceAll('\\n', '; ')}`,
      `asm('pushfq\\nor qword ptr [rsp], 0x100\\npopfq\\n${code}\\nnop', {}, 'rax');`,
    ),
  );

/** Acts after which the program may be dead. */
export const signalFrames: ActArbitrary = weighted(
  [3, hostileHandler],
  [2, hostileStack],
  [4, forgedFrame],
  [1, frameNowhere],
  [2, singleStep],
  [1, goodHandler],
);
