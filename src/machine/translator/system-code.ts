/**
 * The system instructions that programs and kernels run all the time, as WebAssembly: SYSCALL, SYSRET to 64-bit code, IRET (cpu/transfer-code.ts),
 * SWAPGS, STI, reading CR2, CR3 and CR4, writing CR3 (memory/root-code.ts), and the writing of RFLAGS (POPF, CLI, STAC …). It stands between the interpreter's code and TypeScript, under the names that code imports:
 *
 *     helper(number, entry) → status    does these instructions itself, asks `env.helper` for all others and where one of these faults
 *     writeRflags()                     RFLAGS from the first service operand
 *
 * What it imports besides: `env.base`, the address of the CPU; `env.attend`, called when the new RFLAGS let a trap or an interrupt through
 * after this instruction; `env.tell`, called with one of TELL where somebody in TypeScript observes (OBSERVED in the state); and `env.syscall` and
 * `env.sysret` of log-code.ts, which log the event.
 */
import { MODE_64 } from '../cpu/mode.ts';
import {
  COUNT_END, CPL, CR2, EFER, GPR, INTERRUPT_PENDING, INTERRUPT_SHADOW, LEFT, MODE_INDEX, MSR_SLOT, OBSERVED, OBSERVED_BY, RFLAGS_REST, RIP, SEGMENT_BASE,
  STEP_DONE,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { RFLAGS } from '../isa/flags.ts';
import { HELPER_NAMES, type HelperName } from '../isa/helpers.ts';
import { GS, RCX } from '../isa/registers.ts';
import { EFER as EFER_BITS } from '../platform/bits.ts';
import { Code as Statements, Var32 } from './code.ts';
import { ENTRY, STATUS } from './entry.ts';
import { LocalPool } from './lowering-context.ts';
import { bitsInMemory, pathRecorder } from './path-recorder.ts';
import { enterPrivilege } from './privilege-code.ts';
import { readFlags, writeFlags } from './rflags-code.ts';
import { SERVICE_OPERANDS } from './services.ts';
import { type FunctionBuilder, ModuleBuilder, OP } from './wasm.ts';

/** What `env.tell` is told: SYSCALL before it changes anything, and then the kernel entered; SYSRET before, and then user mode entered. */
export const TELL = { syscall: 0, enteredKernel: 1, sysret: 2, enteredUser: 3 } as const;

/** Bits that SYSRET loads from R11. */
export const SYSRET_FLAGS = 0x3c7fd7;
const R11 = 11;

/** The imported global: address of the CPU. */
const BASE_GLOBAL = 0;

/** Imported functions that take events: see log-code.ts for `syscall` and `sysret`. */
interface Telling {
  readonly told: number;
  readonly syscall: number;
  readonly sysret: number;
}

export function systemModule(hasPath: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  module.importGlobal('env', 'base', 'i32');
  const helperType = module.type(['i32', 'i32'], ['i32']);
  const plain = module.type([], []);
  const one = module.type(['i32'], []);
  const other = module.importFunction('env', 'helper', helperType);
  const iret = module.importFunction('env', 'iret', module.type(['i32'], ['i32']));
  const writeCr3 = module.importFunction('env', 'writeCr3', helperType);
  const attend = module.importFunction('env', 'attend', plain);
  const tell: Telling = {
    told: module.importFunction('env', 'tell', one),
    syscall: module.importFunction('env', 'syscall', module.type(['i32', 'i32'], [])),
    sysret: module.importFunction('env', 'sysret', one),
  };

  const flags = new Code(module, one);
  flags.writeFlags(attend);
  const make = (emit: (code: Code) => void): FunctionBuilder => {
    const code = new Code(module, helperType);
    emit(code);
    return code.f;
  };
  const instructions: readonly [HelperName, FunctionBuilder][] = [
    ['SYSCALL', make((code) => code.syscall(other, flags.f.index, tell, hasPath))],
    ['SYSRET', make((code) => code.sysret(other, flags.f.index, tell, hasPath))],
    ['IRET', make((code) => code.iret(other, iret))],
    ['MOV_FROM_CR', make((code) => code.movFromCr(other))],
    ['MOV_TO_CR', make((code) => code.movToCr(other, writeCr3))],
    ['SWAPGS', make((code) => code.swapgs())],
    ['STI', make((code) => code.sti(attend))],
  ];

  const helper = module.func(helperType);
  for (const [name, { index }] of instructions) {
    helper.get(0);
    helper.i32(HELPER_NAMES.indexOf(name));
    helper.op(OP.i32.eq);
    helper.if();
    helper.get(0);
    helper.get(1);
    helper.call(index);
    helper.op(OP.return);
    helper.end();
  }
  helper.get(0);
  helper.get(1);
  helper.call(other);
  module.exportFunction('helper', helper);

  const write = new Code(module, plain);
  write.load32(SERVICE_OPERANDS);
  write.f.call(flags.f.index);
  module.exportFunction('writeRflags', write.f);
  return module.build();
}

/** A function of the module. Those of instructions have the parameters number (local 0) and entry (1). */
class Code {
  readonly f: FunctionBuilder;
  readonly #base: number;
  readonly #locals: LocalPool;

  constructor(module: ModuleBuilder, type: number) {
    this.f = module.func(type);
    this.#locals = new LocalPool(this.f);
    this.#base = this.#locals.take('i32');
    this.f.globalGet(BASE_GLOBAL);
    this.f.set(this.#base);
  }

  load32(offset: number): void {
    this.f.get(this.#base);
    this.f.load('i32', offset);
  }

  #load64(offset: number): void {
    this.f.get(this.#base);
    this.f.load('i64', offset);
  }

  #store32(offset: number, value: () => void): void {
    this.f.get(this.#base);
    value();
    this.f.store('i32', offset);
  }

  #store64(offset: number, value: () => void): void {
    this.f.get(this.#base);
    value();
    this.f.store('i64', offset);
  }

  #constant32(offset: number, value: number): void {
    this.#store32(offset, () => this.f.i32(value));
  }

  /** RFLAGS from the parameter, and what follows from it. */
  writeFlags(attend: number): void {
    const { f } = this;
    writeFlags(new Statements(f), new Var32(f, this.#base), new Var32(f, 0), () => f.call(attend));
  }

  syscall(other: number, writeFlags: number, tell: Telling, hasPath: boolean): void {
    const { f } = this;
    this.#otherwise(other, () => {
      this.#is64();
      this.#mayCall();
      f.op(OP.i32.and);
    });
    this.#tell(tell, TELL.syscall);
    const before = this.#locals.take('i32');
    this.load32(CPL);
    f.set(before);
    const statements = new Statements(f);
    const own = new Var32(f, this.#base);
    const flags = statements.var32(readFlags(statements, own).and(~RFLAGS.rf));
    this.#store64(GPR + 8 * RCX, () => this.#nextRip());
    this.#store64(GPR + 8 * R11, () => {
      flags.push(f);
      f.op(OP.i64.extend_i32_u);
    });
    this.#goTo(() => this.#load64(MSR_SLOT.LSTAR), hasPath);
    enterPrivilege(statements, own, 'kernel');
    flags.push(f);
    this.load32(MSR_SLOT.FMASK);
    f.i32(-1);
    f.op(OP.i32.xor, OP.i32.and);
    f.call(writeFlags);
    this.#constant32(STEP_DONE, 1);
    f.get(before);
    f.if();
    this.#tell(tell, TELL.enteredKernel);
    f.end();
    f.i32(STATUS.jump);
  }

  sysret(other: number, writeFlags: number, tell: Telling, hasPath: boolean): void {
    const { f } = this;
    this.#otherwise(other, () => {
      f.get(1);
      f.load('i32', ENTRY.displacement);
      f.i32(64);
      f.op(OP.i32.eq);
      this.#mayCall();
      f.op(OP.i32.and);
      this.load32(CPL);
      f.op(OP.i32.eqz, OP.i32.and);
      this.#isCanonical(GPR + 8 * RCX);
      f.op(OP.i32.and);
    });
    this.#tell(tell, TELL.sysret);
    this.#goTo(() => this.#load64(GPR + 8 * RCX), hasPath);
    enterPrivilege(new Statements(f), new Var32(f, this.#base), 'user');
    this.load32(GPR + 8 * R11);
    f.i32(SYSRET_FLAGS);
    f.op(OP.i32.and);
    f.call(writeFlags);
    this.#tell(tell, TELL.enteredUser);
    f.i32(STATUS.jump);
  }

  iret(other: number, iret: number): void {
    const { f } = this;
    const status = this.#locals.take('i32');
    f.get(1);
    f.load('i32', ENTRY.displacement);
    f.call(iret);
    f.set(status);
    this.#otherwise(other, () => {
      f.get(status);
      f.i32(0);
      f.op(OP.i32.ge_s);
    });
    f.get(status);
  }

  /** CR2, CR3 and CR4, in 64-bit code. */
  movFromCr(other: number): void {
    const { f } = this;
    const source = this.#locals.take('i32');
    f.get(1);
    f.load('i32_8u', ENTRY.operand + 1);
    f.set(source);
    this.#otherwise(other, () => {
      this.#is64();
      f.get(source);
      f.i32(2 * 4);
      f.op(OP.i32.sub);
      f.i32(2 * 4);
      f.op(OP.i32.le_u, OP.i32.and);
    });
    f.get(this.#base);
    f.get(1);
    f.load('i32_8u', ENTRY.operand);
    f.op(OP.i32.add);
    f.get(this.#base);
    f.get(source);
    f.i32(1);
    f.op(OP.i32.shl, OP.i32.add);
    f.load('i64', CR2 - 2 * 8);
    f.store('i64', GPR);
    f.i32(STATUS.next);
  }

  /** CR3; outside of 64-bit code its upper half becomes 0. */
  movToCr(other: number, writeCr3: number): void {
    const { f } = this;
    const source = this.#locals.take('i32');
    this.#otherwise(other, () => {
      f.get(1);
      f.load('i32_8u', ENTRY.operand);
      f.i32(3 * 4);
      f.op(OP.i32.eq);
    });
    f.get(this.#base);
    f.get(1);
    f.load('i32_8u', ENTRY.operand + 1);
    f.op(OP.i32.add);
    f.tee(source);
    f.load('i32', GPR);
    f.get(source);
    f.load('i32', GPR + 4);
    f.i32(0);
    this.#is64();
    f.op(OP.select);
    f.call(writeCr3);
  }

  swapgs(): void {
    const { f } = this;
    const gs = SEGMENT_BASE + 8 * GS;
    const value = this.#locals.take('i64');
    this.#load64(gs);
    f.set(value);
    this.#store64(gs, () => this.#load64(MSR_SLOT.KERNEL_GS_BASE));
    this.#store64(MSR_SLOT.KERNEL_GS_BASE, () => f.get(value));
    f.i32(STATUS.next);
  }

  /** The instruction after it runs before an interrupt may come in. */
  sti(attend: number): void {
    const { f } = this;
    const rest = this.#locals.take('i32');
    this.load32(RFLAGS_REST);
    f.tee(rest);
    f.i32(RFLAGS.if);
    f.op(OP.i32.and, OP.i32.eqz);
    f.if();
    this.#store32(RFLAGS_REST, () => {
      f.get(rest);
      f.i32(RFLAGS.if);
      f.op(OP.i32.or);
    });
    this.#store64(INTERRUPT_SHADOW, () => {
      this.#load64(COUNT_END);
      f.get(this.#base);
      f.load('i64_32u', LEFT);
      f.op(OP.i64.sub);
      f.i64(2n);
      f.op(OP.i64.add);
    });
    this.load32(INTERRUPT_PENDING);
    f.if(undefined, false);
    f.call(attend);
    f.end();
    f.end();
    f.i32(STATUS.next);
  }

  /** Leaves to TypeScript unless what `isOurs` leaves is 1. */
  #otherwise(other: number, isOurs: () => void): void {
    const { f } = this;
    isOurs();
    f.op(OP.i32.eqz);
    f.if(undefined, false);
    f.get(0);
    f.get(1);
    f.call(other);
    f.op(OP.return);
    f.end();
  }

  #tell(tell: Telling, what: number): void {
    const { f } = this;
    const by = this.#locals.take('i32');
    this.load32(OBSERVED);
    f.tee(by);
    f.if(undefined, false);
    f.get(by);
    f.i32(OBSERVED_BY.told);
    f.op(OP.i32.and);
    f.if();
    f.i32(what);
    f.call(tell.told);
    f.else();
    this.#log(tell, what);
    f.end();
    f.end();
  }

  /** The event goes to the log, with the change of privilege that the instruction will make. */
  #log(tell: Telling, what: number): void {
    const { f } = this;
    if (what !== TELL.syscall && what !== TELL.sysret) return;
    f.get(this.#base);
    if (what === TELL.sysret) return f.call(tell.sysret);
    this.load32(CPL);
    f.call(tell.syscall);
  }

  #is64(): void {
    this.load32(MODE_INDEX);
    this.f.i32(7);
    this.f.op(OP.i32.and);
    this.f.i32(MODE_64);
    this.f.op(OP.i32.eq);
  }

  /** EFER.SCE. */
  #mayCall(): void {
    this.load32(EFER);
    this.f.i32(EFER_BITS.SCE);
    this.f.op(OP.i32.and);
  }

  /** Bits 63:47 all alike. */
  #isCanonical(offset: number): void {
    const { f } = this;
    const top = this.#locals.take('i64');
    this.#load64(offset);
    f.i64(47n);
    f.op(OP.i64.shr_s);
    f.tee(top);
    f.op(OP.i64.eqz);
    f.get(top);
    f.i64(-1n);
    f.op(OP.i64.eq, OP.i32.or);
  }

  /** RIP after the instruction of the entry; the state's is still its own. */
  #nextRip(): void {
    const { f } = this;
    this.#load64(RIP);
    for (const [field, op] of [
      [ENTRY.next, OP.i64.add],
      [ENTRY.offset, OP.i64.sub],
    ] as const) {
      // biome-ignore format: one list
      f.get(1);
      f.load('i64_16u', field);
      f.op(op);
    }
  }

  /** A jump of a helper: see the rules in path-recorder.ts. */
  #goTo(target: () => void, hasPath: boolean): void {
    const { f } = this;
    const rip = this.#locals.take('i64');
    target();
    f.set(rip);
    this.#store64(RIP, () => f.get(rip));
    if (hasPath) pathRecorder(f, this.#locals, this.#base, bitsInMemory(f, this.#locals, this.#base)).target(rip);
  }
}
