/**
 * Runs functions of an IR module on this host: a static ELF64 with a driver in assembly that calls each case, catches SIGILL (traps) and
 * SIGFPE, checks the callee-saved registers, and writes what came back to standard output.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { link } from '../../../src/compiler/image/link.ts';
import type { ObjectFile, Relocation } from '../../../src/compiler/image/object.ts';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import type { IrFunction } from '../../../src/compiler/ir/function.ts';
import { Module } from '../../../src/compiler/ir/module.ts';
import { bitsOf, type Constant, normal, type Type } from '../../../src/compiler/ir/types.ts';
import { generate } from '../../../src/compiler/target/x64/generate.ts';
import { Learnt } from '../../../src/compiler/target/x64/learnt.ts';

export interface Case {
  readonly fn: IrFunction;
  readonly args: readonly Constant[];
}

export type NativeOutcome =
  | { readonly kind: 'returned'; readonly results: readonly Constant[] }
  | { readonly kind: 'trapped'; readonly trap: string; readonly line: number }
  | { readonly kind: 'broken'; readonly why: string };

const STACK_SLOTS = 16;
/** fn, 6 integers, 8 doubles, STACK_SLOTS on the stack. */
const CASE_BYTES = 8 * (1 + 6 + 8 + STACK_SLOTS);
/** status (0 returned, 1 SIGILL, 2 callee-saved register lost, 3 other signal), rip, rax, rdx, xmm0, xmm1 */
const RESULT_BYTES = 8 * 6;

const DRIVER = `
.text
.global _start
_start:
  and rsp, -16
  lea rax, [rip + on_signal]
  mov [rip + action], rax
  mov dword ptr [rip + action + 8], 0x44000004   # SA_SIGINFO | SA_RESTORER | SA_NODEFER
  lea rax, [rip + restore]
  mov [rip + action + 16], rax
  mov ebx, 4
  call install
  mov ebx, 8
  call install
  mov ebx, 11
  call install
  mov ebx, 5
  call install
  lea r15, [rip + driver_cases]
  lea r14, [rip + driver_results]
next:
  lea rax, [rip + driver_cases_end]
  cmp r15, rax
  jae finish
  mov [rip + kept_case], r15
  mov [rip + kept_result], r14
  mov [rip + kept_rsp], rsp
  sub rsp, ${8 * STACK_SLOTS}
  xor ecx, ecx
copy:
  mov rax, [r15 + rcx*8 + ${8 * 15}]
  mov [rsp + rcx*8], rax
  inc ecx
  cmp ecx, ${STACK_SLOTS}
  jb copy
  movsd xmm0, [r15 + 56]
  movsd xmm1, [r15 + 64]
  movsd xmm2, [r15 + 72]
  movsd xmm3, [r15 + 80]
  movsd xmm4, [r15 + 88]
  movsd xmm5, [r15 + 96]
  movsd xmm6, [r15 + 104]
  movsd xmm7, [r15 + 112]
  mov rdi, [r15 + 8]
  mov rsi, [r15 + 16]
  mov rdx, [r15 + 24]
  mov rcx, [r15 + 32]
  mov r8, [r15 + 40]
  mov r9, [r15 + 48]
  mov rax, [r15]
  mov ebx, 0x1111
  mov ebp, 0x2222
  mov r12d, 0x3333
  mov r13d, 0x4444
  mov r14d, 0x5555
  mov r15d, 0x6666
  mov r10, -1
  mov r11, -1
  call rax
  xor ecx, ecx
  cmp ebx, 0x1111
  jne lost
  cmp ebp, 0x2222
  jne lost
  cmp r12d, 0x3333
  jne lost
  cmp r13d, 0x4444
  jne lost
  cmp r14d, 0x5555
  jne lost
  cmp r15d, 0x6666
  je kept
lost:
  mov ecx, 2
kept:
  lea r8, [rsp + ${8 * STACK_SLOTS}]
  cmp r8, [rip + kept_rsp]
  je balanced
  mov ecx, 2
balanced:
  mov r14, [rip + kept_result]
  mov [r14], rcx
  mov [r14 + 16], rax
  mov [r14 + 24], rdx
  movsd [r14 + 32], xmm0
  movsd [r14 + 40], xmm1
continue:
  mov rsp, [rip + kept_rsp]
  mov r15, [rip + kept_case]
  mov r14, [rip + kept_result]
  add r15, ${CASE_BYTES}
  add r14, ${RESULT_BYTES}
  jmp next
finish:
  mov eax, 1
  mov edi, 1
  lea rsi, [rip + driver_results]
  mov rdx, r14
  sub rdx, rsi
  syscall
  mov eax, 231
  xor edi, edi
  syscall
install:
  mov eax, 13
  mov edi, ebx
  lea rsi, [rip + action]
  xor edx, edx
  mov r10d, 8
  syscall
  ret
restore:
  mov eax, 15
  syscall
on_signal:
  cld
  mov r14, [rip + kept_result]
  mov qword ptr [r14], 1
  cmp edi, 4
  je illegal
  mov qword ptr [r14], 3
illegal:
  mov rax, [rdx + 168]        # uc_mcontext.gregs[REG_RIP]
  mov [r14 + 8], rax
  jmp continue
.data
.align 16
action: .zero 32
kept_case: .quad 0
kept_result: .quad 0
kept_rsp: .quad 0
`;

const learnt = new Learnt();

/** @param registers how many registers of each class values may be in; default: all */
export function buildNative(module: Module, cases: readonly Case[], registers = 99): Uint8Array {
  const whole = new Module();
  whole.functions = module.functions;
  whole.data = [...module.data];
  whole.assembly = [...module.assembly, { name: 'driver', text: DRIVER, location: null }];
  for (const { fn } of cases) fn.exported = true;
  const objects = [...generate(whole, { name: 'test', target: 'linux-program', learnt, registers }), driverData(cases)];
  return link(objects, { target: 'linux-program', debug: true }).bytes;
}

export function runNative(module: Module, cases: readonly Case[], registers = 99): NativeOutcome[] {
  const image = buildNative(module, cases, registers);
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-native-'));
  try {
    const path = join(folder, 'program');
    writeFileSync(path, image);
    chmodSync(path, 0o755);
    const result = spawnSync(path, { timeout: 20_000, maxBuffer: 1 << 28 });
    if (result.status !== 0) throw new Error(`the driver ended with ${result.status ?? result.signal}: ${result.error?.message ?? ''}`);
    const traps = new Map(
      readElf(image, 'test')
        .traps()
        .map((trap) => [trap.address, trap]),
    );
    const view = new DataView(result.stdout.buffer, result.stdout.byteOffset, result.stdout.byteLength);
    return cases.map((c, k) => outcome(c, view, k * RESULT_BYTES, traps));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function outcome(c: Case, view: DataView, at: number, traps: ReadonlyMap<bigint, { kind: string; line: number }>): NativeOutcome {
  const status = view.getBigUint64(at, true);
  const rip = view.getBigUint64(at + 8, true);
  if (status === 2n) return { kind: 'broken', why: 'a callee-saved register or the stack pointer was lost' };
  if (status === 3n) return { kind: 'broken', why: `a signal other than SIGILL at ${rip.toString(16)}` };
  if (status === 1n) {
    const trap = traps.get(rip);
    return trap === undefined
      ? { kind: 'broken', why: `SIGILL at ${rip.toString(16)}, which is no trap` }
      : { kind: 'trapped', trap: trap.kind, line: trap.line };
  }
  let integers = 0;
  let floats = 0;
  const results = c.fn.results.map((type): Constant => {
    if (type === 'f64') return view.getFloat64(at + 32 + 8 * floats++, true);
    return normal(type, view.getBigInt64(at + 16 + 8 * integers++, true));
  });
  return { kind: 'returned', results };
}

/** Bits above an argument's own are filled with a pattern: nobody may rely on them. */
function dirty(type: Type, value: Constant): bigint {
  if (type === 'i64') return BigInt(value);
  const bits = BigInt(bitsOf(type));
  return (0xa5a5_a5a5_a5a5_a5a5n << bits) | BigInt.asUintN(Number(bits), BigInt(value));
}

function driverData(cases: readonly Case[]): ObjectFile {
  const bytes = new Uint8Array(CASE_BYTES * cases.length);
  const view = new DataView(bytes.buffer);
  const relocations: Relocation[] = [];
  for (const [k, { fn, args }] of cases.entries()) {
    const at = k * CASE_BYTES;
    relocations.push({ kind: 'abs64', offset: at, symbol: fn.symbol, addend: 0 });
    let integers = 0;
    let floats = 0;
    let stack = 0;
    for (const [n, value] of args.entries()) {
      const type = fn.params[n] ?? 'i64';
      const float = type === 'f64';
      const onStack = float ? floats >= 8 : integers >= 6;
      const slot = onStack ? 15 + stack++ : float ? 7 + floats++ : 1 + integers++;
      if (slot >= 15 + STACK_SLOTS) throw new Error('more arguments than the driver passes');
      if (float) view.setFloat64(at + 8 * slot, Number(value), true);
      else view.setBigUint64(at + 8 * slot, BigInt.asUintN(64, dirty(type, value)), true);
    }
  }
  const symbol = (name: string, offset: number) => ({ name, offset, size: 0, type: 'object', binding: 'global' }) as const;
  return {
    name: 'cases',
    atoms: [
      {
        section: '.data',
        kind: 'data',
        alignment: 8,
        bytes,
        size: bytes.length,
        symbols: [symbol('driver_cases', 0), symbol('driver_cases_end', bytes.length)],
        relocations,
      },
      {
        section: '.bss',
        kind: 'bss',
        alignment: 8,
        bytes: new Uint8Array(0),
        size: Math.max(RESULT_BYTES * cases.length, 8),
        symbols: [symbol('driver_results', 0)],
        relocations: [],
      },
    ],
  };
}
