/**
 * What happens all the time and is told from generated code, or from helpers in TypeScript by numbers alone: deliveries, IRET to user mode, changes of page
 * tables and of CR3, as WebAssembly. Each function adds its event to the log (trace-log.ts) where that is all that observes, else it calls TypeScript's
 * function of the same name, which tells the observer: so those who call it know of neither. (SYSCALL and SYSRET log for themselves:
 * translator/system-code.ts.)
 *
 * What it imports: the memory, the CPU's address and the log's, the functions of log-code.ts, and `Telling` from TypeScript.
 */
import { bug } from '../isa/bug.ts';
import { VECTOR } from '../platform/vectors.ts';
import { type Code, CodeModule, type I32, I64, type Routine, type Var32 } from '../translator/code.ts';
import { COUNT_END, type CpuState, CR2, GPR, LEFT, OBSERVED, OBSERVED_BY, RIP } from './state.ts';
import { CAUSE, FLUSH, HOW, LOG, LOGGED, type TraceLog } from './trace-log.ts';
import { SOURCE } from './transfer-code.ts';

/** Only called while somebody observes. Addresses and values are halves. */
export interface Telling {
  /** An interrupt or exception is delivered. `code` −1: it has none. `source`: of SOURCE. `rip`: what the frame holds. */
  tellDelivery(vector: number, code: number, source: number, targetLow: number, targetHigh: number, ripLow: number, ripHigh: number): void;
  /** … and has brought the CPU to a lower CPL. */
  tellEntered(source: number): void;
  /** IRET to CPL 3: 0 before it does anything, 1 afterwards. */
  tellIret(isDone: number): void;
  /** An entry of a page table has changed from which a translation had been walked. */
  tableChanged(frame: number, index: number, beforeLow: number, beforeHigh: number, afterLow: number, afterHigh: number): void;
  /**
   * CR3 was written. `asid`: the bits that are a PCID. `isSwitch`: it names another address space, and paging is on. `isFlush`: the PCID's own translations
   * were dropped.
   */
  rootChanged(lowBefore: number, highBefore: number, low: number, high: number, asid: number, isSwitch: number, isFlush: number): void;
}

/** How many numbers each function takes. */
const TELLING = { tellDelivery: 7, tellEntered: 1, tellIret: 1, tableChanged: 6, rootChanged: 7 } as const satisfies Record<
  keyof Telling,
  number
>;

export function eventModule(): Uint8Array<ArrayBuffer> {
  const module = new CodeModule();
  module.memory('memory');
  new Events(module).define();
  return module.build();
}

/** The functions for a CPU and the log that lies in the same memory; `module` is the one above. */
export function eventCode(module: WebAssembly.Module, { base }: CpuState, log: TraceLog, telling: Telling): Telling {
  const env = { memory: log.memory, base, log: log.base, ...log.exports, ...telling };
  return new WebAssembly.Instance(module, { env }).exports as unknown as Telling;
}

type Event = (typeof LOGGED)[keyof typeof LOGGED];
type Parameters = readonly [Var32, Var32, Var32, Var32, Var32, Var32, Var32];

const taking = (n: number): 'i32'[] => new Array<'i32'>(n).fill('i32');

class Events {
  readonly #module: CodeModule;
  readonly #base: I32;
  readonly #log: I32;
  readonly #telling: ReadonlyMap<string, Routine>;
  readonly #add: ReadonlyMap<number, Routine>;
  readonly #addEntered: Routine;

  constructor(module: CodeModule) {
    this.#module = module;
    this.#base = module.global32('base');
    this.#log = module.global32('log');
    this.#telling = new Map(Object.entries(TELLING).map(([name, n]) => [name, module.import(name, taking(n), null)]));
    const words = new Set(Object.values(LOGGED).map((event) => event.words));
    this.#add = new Map([...words].map((n) => [n, module.import(`add${n}`, taking(2), null)]));
    this.#addEntered = module.import('entered', taking(3), 'i32');
  }

  define(): void {
    this.#function('tellDelivery', (code, [vector, errorCode, source, targetLow, targetHigh, ripLow, ripHigh]) => {
      const number = vector.unsigned64;
      const target = I64.join(targetLow, targetHigh);
      code.if(source.eq(SOURCE.exception), () => {
        const cr2 = code.var64(0n);
        code.if(vector.eq(VECTOR.PF), () => cr2.set(this.#base.load64(CR2)));
        const error = errorCode.where(errorCode.geS(0), 0).unsigned64;
        this.#event(code, LOGGED.exception, [number, error, cr2, I64.join(ripLow, ripHigh), target]);
        code.return();
      });
      code.if(source.eq(SOURCE.external), () => {
        this.#event(code, LOGGED.irq, [number, target]);
        code.return();
      });
      this.#event(code, LOGGED.softwareInterrupt, [number, this.#base.load64(RIP), target]);
    });
    this.#function('tellEntered', (code, [source]) => {
      const entered = (cause: Event, by: number) => this.#entered(code, LOGGED.enterKernel, cause, by);
      code.if(
        source.eq(SOURCE.exception),
        () => entered(LOGGED.exception, CAUSE.exception),
        () =>
          code.if(
            source.eq(SOURCE.external),
            () => entered(LOGGED.irq, CAUSE.irq),
            () => entered(LOGGED.softwareInterrupt, CAUSE.int),
          ),
      );
    });
    this.#function('tellIret', (code, [isDone]) => {
      code.if(
        isDone,
        () => this.#entered(code, LOGGED.enterUser, LOGGED.sysret, HOW.iret),
        () => this.#event(code, LOGGED.sysret, [this.#base.load64(GPR), I64.of(BigInt(HOW.iret))]),
      );
    });
    this.#function('tableChanged', (code, [frame, index, beforeLow, beforeHigh, afterLow, afterHigh]) => {
      const address = frame.unsigned64.shl(12n).or(index.shl(3).unsigned64);
      this.#event(code, LOGGED.pageTableWrite, [address, I64.join(beforeLow, beforeHigh), I64.join(afterLow, afterHigh)]);
    });
    this.#function('rootChanged', (code, [lowBefore, highBefore, low, high, asid, isSwitch, isFlush]) => {
      this.#event(code, LOGGED.controlRegister, [I64.of(3n), I64.join(lowBefore, highBefore), I64.join(low, high)]);
      const root = (lowHalf: I32, highHalf: I32) => I64.join(lowHalf.and(~0xfff), highHalf);
      const pcid = (lowHalf: I32) => lowHalf.and(asid).unsigned64;
      code.if(isSwitch, () =>
        this.#event(code, LOGGED.contextSwitch, [root(lowBefore, highBefore), pcid(lowBefore), root(low, high), pcid(low)]),
      );
      code.if(isFlush, () => this.#event(code, LOGGED.tlbFlush, [I64.of(BigInt(FLUSH.pcid)), pcid(low), I64.of(0n)]));
    });
  }

  /** Exports a function that logs, but leaves it to TypeScript's where somebody there is told. */
  #function(name: keyof Telling, log: (code: Code, at: Parameters) => void): void {
    this.#module.define(name, taking(TELLING[name]), null, (code, at) => {
      code.rarely(this.#base.load32(OBSERVED).has(OBSERVED_BY.told), () => {
        code.do((this.#telling.get(name) ?? bug(`${name} is not imported`))(...at));
        code.return();
      });
      log(code, at as unknown as Parameters);
    });
  }

  #event(code: Code, { tag, words }: Event, values: readonly I64[]): void {
    if (values.length !== words) bug(`an event of ${words} words is given ${values.length}`);
    for (const [i, value] of values.entries()) code.store64(this.#log, LOG.words + 8 * i, value);
    code.do((this.#add.get(words) ?? bug(`no code adds ${words} words`))(tag, this.#position));
  }

  /** A change of privilege: beside its cause, if nothing came between. */
  #entered(code: Code, event: Event, cause: Event, by: number): void {
    code.rarely(this.#addEntered(event.tag, cause.tag, this.#position).isZero, () => this.#event(code, event, [I64.of(BigInt(by))]));
  }

  /** The low 32 bits of the count. */
  get #position(): I32 {
    return this.#base.load32(COUNT_END).sub(this.#base.load32(LEFT));
  }
}
