/**
 * Control transfers through the IDT in IA-32e mode, as WebAssembly: the delivery of interrupts and exceptions (SDM Vol. 3, 6.14; faults.ts has the
 * other modes), the nesting of faults up to the triple fault, and IRET of 64-bit code (SDM Vol. 2). A delivery either commits all of its register
 * changes or none, and then leaves the fault that stopped it.
 *
 * The frame, from RSP up: [error code] RIP CS RFLAGS RSP SS.
 *
 * What it imports besides the memory and the CPU's address: the MMU's `readScratch` and `writeScratch`, and of TypeScript what is rare:
 * `deliverLegacy` (protected and real mode), `died` (a triple fault, or MAX_DELIVERIES), `attend` (the new RFLAGS let a trap or an interrupt through), `endNmi`, `updateMode`,
 * and for observers `tellDelivery`, `tellEntered`, `tellIret`.
 */
import { RFLAGS } from '../isa/flags.ts';
import { CS, SS } from '../isa/registers.ts';
import { IMPLICIT, READ, WRITE } from '../memory/mmu-control.ts';
import { EFER as EFER_BITS } from '../platform/bits.ts';
import { VECTOR } from '../platform/vectors.ts';
import { type Code, CodeModule, I32, I64, type Int, type Routine, type Type, type Var32, type Var64 } from '../translator/code.ts';
import { STATUS } from '../translator/entry.ts';
import { LocalPool } from '../translator/lowering-context.ts';
import { bitsInMemory, pathRecorder } from '../translator/path-recorder.ts';
import { chooseTlbSet, readFlags, writeFlags } from '../translator/rflags-code.ts';
import { FIRST_UNSUPPORTED } from '../unsupported.ts';
import { DescriptorBits, type DescriptorRoutines, descriptorRoutines, FOUND, isCanonical64, setSegment } from './descriptor-code.ts';
import { MODE_64, USER } from './mode.ts';
import { FAULTED } from './ports.ts';
import {
  CODE_BASE, CODE_MASK, COUNT_END, CPL, CR2, DELIVERED_AT, DELIVERIES, EFER, FAULT_CODE, FAULT_CR2, FAULT_HAS_CODE, FAULT_PENDING, FAULT_VECTOR, GPR,
  IDTR_BASE, IDTR_LIMIT, LEFT, MODE_INDEX, NMI_MATTERS, OBSERVED, RETURN_DEPTH, RFLAGS_REST, RFLAGS_REST_MASK, RIP, SEGMENT_ATTRIBUTES,
  SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_SELECTOR, SEGMENT_UNUSABLE, STOP_REQUEST,
} from './state.ts'; // biome-ignore format: one list
import { importMmu, SystemMemory } from './system-memory.ts';

/** Where an event comes from. `software`: INT n, INT3, INTO. `privileged`: INT1. */
export const SOURCE = { external: 0, exception: 1, software: 2, privileged: 3 } as const;

/** So many exceptions in a row without a retired instruction: the guest's handlers fault for ever, and the run ends. */
export const MAX_DELIVERIES = 65536;
/** Flags that delivery clears besides IF. */
export const CLEARED = RFLAGS.tf | RFLAGS.nt | RFLAGS.rf | RFLAGS.vm;
/**
 * Exceptions by bits that push RFLAGS as they are. All others are faults, whose frame has RF=1 (SDM Vol. 3, 17.3.1.1): but the traps #BP, #OF, #DB (as a
 * trap), and the aborts.
 */
export const TRAPS = (1 << VECTOR.BP) | (1 << VECTOR.OF) | (1 << VECTOR.DB) | (1 << VECTOR.NMI) | (1 << VECTOR.DF) | (1 << VECTOR.MC);
const TR = 7;
const RSP = GPR + 8 * 4;
/** ES DS FS GS: what a return to an outer level may have to drop. */
const DATA_SEGMENTS = [0, 3, 4, 5] as const;

export interface TransferCode {
  /** One attempt. `code` −1: none. The RIP is what the frame holds. 0: the fault that stopped it is pending. */
  deliver(vector: number, code: number, source: number, ripLow: number, ripHigh: number): number;
  /** Delivers the pending fault. 0: triple fault, or what is pending is none (unsupported.ts). */
  fault(): number;
  /** The same, counted: MAX_DELIVERIES end the run, too. Of both it is told. */
  deliverFault(): number;
  /** A fault is pending within a run: one of FAULTED. */
  faulted(): number;
  /** IRET of 64-bit code; a value of STATUS, or −1: TypeScript shall do it, nothing has happened. */
  iret(operandSize: number): number;
  readDescriptor(selector: number, size: number): number;
  markDescriptor(selector: number, high: number, bit: number): number;
}

export function transferModule(hasPath: boolean): Uint8Array<ArrayBuffer> {
  const module = new CodeModule();
  module.memory('memory');
  const transfers = new Transfers(module);
  const deliver = transfers.delivery();
  transfers.faults(deliver);
  transfers.iret(hasPath);
  return module.build();
}

const taking = (n: number): Type[] => new Array<Type>(n).fill('i32');

class Transfers {
  readonly #module: CodeModule;
  readonly #base: I32;
  readonly #memory: SystemMemory;
  readonly #deliverLegacy: Routine;
  readonly #died: Routine;
  readonly #attend: Routine;
  readonly #endNmi: Routine;
  readonly #updateMode: Routine;
  readonly #tellDelivery: Routine;
  readonly #tellEntered: Routine;
  readonly #tellIret: Routine;
  readonly #descriptors: DescriptorRoutines;
  readonly #raise: Routine;

  constructor(module: CodeModule) {
    this.#module = module;
    this.#base = module.global32('base');
    const mmu = importMmu(module);
    this.#deliverLegacy = module.import('deliverLegacy', taking(5), 'i32');
    this.#died = module.import('died', [], null);
    this.#attend = module.import('attend', [], null);
    this.#endNmi = module.import('endNmi', [], null);
    this.#updateMode = module.import('updateMode', [], null);
    this.#tellDelivery = module.import('tellDelivery', taking(7), null);
    this.#tellEntered = module.import('tellEntered', taking(1), null);
    this.#tellIret = module.import('tellIret', taking(1), null);
    this.#memory = new SystemMemory(module, this.#base, mmu);
    this.#descriptors = descriptorRoutines(module, this.#base, this.#memory);
    /** `code` −1: none. */
    this.#raise = module.define(null, ['i32', 'i32'], null, (code, [vector, errorCode]) => {
      this.#set(code, FAULT_PENDING, 1);
      this.#set(code, FAULT_VECTOR, vector);
      this.#set(code, FAULT_CODE, errorCode.where(errorCode.geS(0), 0));
      this.#set(code, FAULT_HAS_CODE, errorCode.geS(0));
    });
  }

  #get(offset: number): I32 {
    return this.#base.load32(offset);
  }

  #set(code: Code, offset: number, value: Int): void {
    code.store32(this.#base, offset, value);
  }

  #selector(segment: number): I32 {
    return this.#get(SEGMENT_SELECTOR + 4 * segment);
  }

  /** Leaves a fault pending and returns `result`. */
  #fail(code: Code, vector: Int, errorCode: Int, result: number): void {
    code.do(this.#raise(vector, errorCode));
    code.return(result);
  }

  /** What follows from the code segment and CPL that were loaded, where the code is 64-bit code. */
  #enter64(code: Code, cpl: Var32): void {
    this.#set(code, CPL, cpl);
    this.#set(code, MODE_INDEX, I32.of(MODE_64 | USER).where(cpl.eq(3), MODE_64));
    code.store64(this.#base, CODE_BASE, 0n);
    code.store64(this.#base, CODE_MASK, -1n);
  }

  // ---- Delivery ---------------------------------------------------------------------------------------------------------------------------

  delivery(): Routine {
    const five = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;
    const deliver64 = this.#module.define(null, five, 'i32', (code, [vector, errorCode, source, ripLow, ripHigh]) =>
      this.#deliver64(code, { vector, errorCode, source, ripLow, ripHigh }),
    );
    return this.#module.define('deliver', five, 'i32', (code, at) => {
      this.#set(code, RETURN_DEPTH, 0);
      code.rarely(this.#get(EFER).lacks(EFER_BITS.LMA), () => code.return(this.#deliverLegacy(...at)));
      code.return(deliver64(...at));
    });
  }

  #deliver64(code: Code, event: Record<'vector' | 'errorCode' | 'source' | 'ripLow' | 'ripHigh', Var32>): void {
    const { vector, errorCode, source, ripLow, ripHigh } = event;
    const base = this.#base;
    const fail = (name: 'TS' | 'NP' | 'SS' | 'GP', error: Int) => this.#fail(code, VECTOR[name], error, 0);
    const ext = code.var32(source.ne(SOURCE.software));
    const inIdt = code.var32(vector.shl(3).add(2).add(ext));
    const offset = code.var32(vector.shl(4));
    code.if(offset.add(15).gtU(this.#get(IDTR_LIMIT)), () => fail('GP', inIdt));
    const gate = this.#locate(code, base.load64(IDTR_BASE), offset, 16);
    const gate0 = code.var32(gate.load32());
    const gate1 = code.var32(gate.load32(4));
    const target = code.var64(I64.join(gate0.and(0xffff).or(gate1.and(0xffff0000)), gate.load32(8)));
    const type = code.var32(gate1.shrU(8).and(0x1f));
    const cpl = code.var32(this.#get(CPL));
    code.if(type.and(0x1e).ne(0xe), () => fail('GP', inIdt));
    code.if(source.eq(SOURCE.software).and(gate1.shrU(13).and(3).ltU(cpl)), () => fail('GP', inIdt));
    code.if(gate1.lacks(0x8000), () => fail('NP', inIdt));

    const selector = code.var32(gate0.shrU(16));
    const inTable = code.var32(selector.and(0xfffc).or(ext));
    code.if(selector.lacks(0xfffc), () => fail('GP', ext));
    const segment = new DescriptorBits(code);
    const found = code.var32(this.#descriptors.locate(selector, 8));
    code.if(found.eq(FOUND.fault), () => code.return(0));
    code.if(found.eq(FOUND.outside), () => fail('GP', inTable));
    segment.take(found);
    const isCode64 = segment.isCode.and(segment.isLong).and(segment.isBig.isZero).and(segment.dpl.leU(cpl));
    code.if(isCode64.isZero, () => fail('GP', inTable));
    code.if(segment.isPresent.isZero, () => fail('NP', inTable));
    const newCpl = code.var32(cpl.where(segment.isConforming, segment.dpl));

    const rsp = this.#newStack(code, { ist: gate1.and(7), cpl, newCpl, ext });
    const flags = code.var32(readFlags(code, base));
    const words: I64[] = [
      I64.join(ripLow, ripHigh),
      this.#selector(CS).unsigned64,
      flags.or(I32.of(RFLAGS.rf).where(source.eq(SOURCE.exception).and(isFault(vector)), 0)).unsigned64,
      base.load64(RSP),
      this.#selector(SS).unsigned64,
    ];
    const hasCode = code.var32(errorCode.geS(0));
    const bytes = code.var32(hasCode.add(words.length).shl(3));
    rsp.set(rsp.sub(bytes.unsigned64));
    code.rarely(isCanonical64(rsp).isZero, () => fail('SS', ext));
    code.rarely(isCanonical64(target).isZero, () => fail('GP', ext));
    const kind = I32.of(WRITE | IMPLICIT).where(newCpl.ltU(3), WRITE);
    this.#memory.write(code, { low: rsp.low, high: rsp.high, bytes, kind }, (to) => {
      code.if(hasCode, () => code.store64(to, 0, errorCode.unsigned64));
      const at = code.var32(to.add(hasCode.shl(3)));
      for (const [n, word] of words.entries()) code.store64(at, 8 * n, word);
    });
    code.if(this.#descriptors.mark(selector, segment.high, 8).isZero, () => code.return(0));

    code.rarely(this.#get(OBSERVED), () =>
      code.do(this.#tellDelivery(vector, errorCode, source, target.low, target.high, ripLow, ripHigh)),
    );
    // What was read has A clear where it had to be set.
    segment.high.set(segment.high.or(1 << 8));
    segment.load(code, base, CS, selector.and(0xfffc).or(newCpl));
    code.if(newCpl.ne(cpl), () =>
      setSegment(code, base, SS, { selector: newCpl, address: 0n, limit: 0, attributes: newCpl.shl(5).or(SEGMENT_UNUSABLE) }),
    );
    code.store64(base, RSP, rsp);
    code.store64(base, RIP, target);
    const closed = I32.of(RFLAGS.if).where(type.eq(0xe), 0);
    const rest = code.var32(flags.and(~CLEARED).and(closed.xor(-1)).and(RFLAGS_REST_MASK).or(RFLAGS.fixed));
    code.store64(base, RFLAGS_REST, rest.unsigned64);
    this.#enter64(code, newCpl);
    chooseTlbSet(code, base, rest);
    code.rarely(this.#get(OBSERVED).ne(0).and(newCpl.ltU(cpl)), () => code.do(this.#tellEntered(source)));
    code.return(1);
  }

  /** The stack that the gate's IST or the change of privilege asks for, aligned. */
  #newStack(code: Code, { ist, cpl, newCpl, ext }: { ist: I32; cpl: Var32; newCpl: Var32; ext: Var32 }): Var64 {
    const base = this.#base;
    const rsp = code.var64(base.load64(RSP));
    const number = code.var32(ist);
    code.if(number.or(newCpl.ltU(cpl)), () => {
      const slot = code.var32(number.shl(3).add(28).where(number, newCpl.shl(3).add(4)));
      const inTss = this.#selector(TR).and(0xfffc).or(ext);
      code.if(slot.add(7).gtU(this.#get(SEGMENT_LIMIT + 4 * TR)), () => this.#fail(code, VECTOR.TS, inTss, 0));
      rsp.set(this.#locate(code, base.load64(SEGMENT_BASE + 8 * TR), slot, 8).load64());
      code.rarely(isCanonical64(rsp).isZero, () => this.#fail(code, VECTOR.SS, ext, 0));
    });
    rsp.set(rsp.and(-16n));
    return rsp;
  }

  /** Where bytes of a system table are; returns 0 where reading them faults. */
  #locate(code: Code, table: I64, offset: I32, size: number): Var32 {
    const linear = code.var64(table.add(offset.unsigned64));
    const found = code.var32(this.#memory.locate(linear.low, linear.high, size, READ | IMPLICIT));
    code.if(found.isZero, () => code.return(0));
    return found;
  }

  // ---- Faults -----------------------------------------------------------------------------------------------------------------------------

  faults(deliver: Routine): void {
    const module = this.#module;
    const base = this.#base;
    const makesDoubleFault = module.define(null, ['i32', 'i32'], 'i32', (code, [first, second]) => {
      // SDM table 6-5: contributory after contributory, or contributory or page fault after a page fault.
      const isContributory = (vector: I32) => vector.eq(VECTOR.DE).or(vector.geU(VECTOR.TS).and(vector.leU(VECTOR.GP)));
      code.if(first.eq(VECTOR.PF), () => code.return(second.eq(VECTOR.PF).or(isContributory(second))));
      code.return(isContributory(first).and(isContributory(second)));
    });
    const fault = module.define('fault', [], 'i32', (code) => {
      const previous = code.var32(-1);
      const vector = code.var32(0);
      code.loop(() => {
        this.#set(code, FAULT_PENDING, 0);
        vector.set(this.#get(FAULT_VECTOR));
        code.rarely(vector.geS(FIRST_UNSUPPORTED), () => code.return(0));
        code.if(vector.eq(VECTOR.PF), () => code.store64(base, CR2, base.load64(FAULT_CR2)));
        code.rarely(previous.geS(0), () => {
          code.if(previous.eq(VECTOR.DF), () => code.return(0));
          code.if(makesDoubleFault(previous, vector), () => vector.set(VECTOR.DF));
        });
        const given = this.#get(FAULT_CODE).where(this.#get(FAULT_HAS_CODE), -1);
        const errorCode = code.var32(I32.of(0).where(vector.eq(VECTOR.DF), given));
        code.if(deliver(vector, errorCode, SOURCE.exception, this.#get(RIP), this.#get(RIP + 4)), () => code.return(1));
        previous.set(vector);
      });
    });
    const deliverFault = module.define('deliverFault', [], 'i32', (code) => {
      const count = code.var64(base.load64(COUNT_END).sub(this.#get(LEFT).unsigned64));
      const isAgain = base.load64(DELIVERED_AT).eq(count);
      const deliveries = code.var32(this.#get(DELIVERIES).mul(isAgain).add(1));
      this.#set(code, DELIVERIES, deliveries);
      code.store64(base, DELIVERED_AT, count);
      const isAlive = code.var32(deliveries.ltU(MAX_DELIVERIES));
      code.if(isAlive, () => isAlive.set(fault()));
      code.rarely(isAlive.isZero, () => code.do(this.#died()));
      code.return(isAlive);
    });
    // No interrupt can be due before the handler: one that may come in comes before the instruction that faults, and one that is held off ends the
    // run after the next instruction.
    module.define('faulted', [], 'i32', (code) => {
      // A single step: its trap comes first.
      code.rarely(this.#get(RFLAGS_REST).has(RFLAGS.tf), () => code.return(FAULTED.pending));
      code.if(deliverFault().and(this.#get(STOP_REQUEST).isZero), () => code.return(FAULTED.goOn));
      code.return(FAULTED.look);
    });
  }

  // ---- IRET -------------------------------------------------------------------------------------------------------------------------------

  iret(hasPath: boolean): void {
    this.#module.define('iret', ['i32'], 'i32', (code, [operandSize]) => {
      const base = this.#base;
      const rsp = code.var64(base.load64(RSP));
      const flagsNow = code.var32(readFlags(code, base));
      const is64 = this.#get(MODE_INDEX).and(7).eq(MODE_64).and(operandSize.eq(64));
      const isWhole = rsp.low
        .and(0xfff)
        .leU(4096 - 40)
        .and(isCanonical64(rsp));
      code.rarely(is64.and(isWhole).and(flagsNow.lacks(RFLAGS.nt)).isZero, () => code.return(-1));
      const frame = code.var32(this.#memory.locate(rsp.low, rsp.high, 40, READ));
      code.if(frame.isZero, () => code.return(STATUS.fault));
      const word = (n: number) => frame.load64(8 * n);
      const rip = code.var64(word(0));
      const selector = code.var32(word(1).low.and(0xffff));
      const image = code.var32(word(2).low);
      const newRsp = code.var64(word(3));
      const stackSelector = code.var32(word(4).low.and(0xffff));
      const cpl = code.var32(this.#get(CPL));
      const newCpl = code.var32(selector.and(3));
      const segment = this.#returnCode(code, selector, cpl);
      const stack = this.#returnStack(code, { selector: stackSelector, newCpl, to64: segment.isLong });
      const isBadRip = isCanonical64(rip).isZero.where(segment.isLong, rip.high.ne(0).or(rip.low.gtU(segment.limit)));
      code.if(isBadRip, () => this.#fail(code, VECTOR.GP, 0, STATUS.fault));
      const hasStack = code.var32(stackSelector.has(0xfffc));
      const mark = (of: I32, bits: DescriptorBits) => {
        code.if(this.#descriptors.mark(of, bits.high, 8).isZero, () => code.return(STATUS.fault));
        bits.high.set(bits.high.or(1 << 8));
      };
      mark(selector, segment);
      code.if(hasStack, () => mark(stackSelector, stack));

      // Nothing fails from here on.
      const isToUser = code.var32(newCpl.eq(3).and(cpl.ltU(3)));
      code.rarely(isToUser.and(this.#get(OBSERVED).ne(0)), () => code.do(this.#tellIret(0)));
      segment.load(code, base, CS, selector);
      code.if(
        hasStack,
        () => stack.load(code, base, SS, stackSelector),
        () =>
          setSegment(code, base, SS, {
            selector: stackSelector,
            address: 0n,
            limit: 0,
            attributes: newCpl.shl(5).or(SEGMENT_UNUSABLE),
          }),
      );
      code.store64(base, RSP, newRsp);
      const mask = code.var32(I32.of(IRET_FLAGS).or(I32.of(RFLAGS.if).where(cpl.leU(flagsNow.shrU(12).and(3)), 0)));
      code.if(cpl.isZero, () => mask.set(mask.or(RFLAGS.iopl | RFLAGS.vif | RFLAGS.vip)));
      const flags = code.var32(flagsNow.and(mask.xor(-1)).or(image.and(mask)).and(~RFLAGS.rf));
      code.if(newCpl.gtU(cpl), () => this.#dropSegments(code, newCpl));
      this.#enter64(code, newCpl);
      code.rarely(segment.isLong.isZero, () => code.do(this.#updateMode()));
      writeFlags(code, base, flags, () => code.do(this.#attend()));
      code.rarely(this.#get(NMI_MATTERS), () => code.do(this.#endNmi()));
      code.store64(base, RIP, rip);
      this.#set(code, RETURN_DEPTH, 0);
      const own = code.var32(base);
      const locals = new LocalPool(code.f);
      if (hasPath) pathRecorder(code.f, locals, own.index, bitsInMemory(code.f, locals, own.index)).target(rip.index);
      code.rarely(isToUser.and(this.#get(OBSERVED).ne(0)), () => code.do(this.#tellIret(1)));
      code.return(STATUS.jump);
    });
  }

  /** The code segment that is returned to. */
  #returnCode(code: Code, selector: Var32, cpl: Var32): DescriptorBits {
    const fail = (name: 'NP' | 'GP', error: Int) => this.#fail(code, VECTOR[name], error, STATUS.fault);
    const error = selector.and(0xfffc);
    code.if(error.isZero, () => fail('GP', 0));
    const bits = new DescriptorBits(code);
    const found = code.var32(this.#descriptors.locate(selector, 8));
    code.if(found.eq(FOUND.fault), () => code.return(STATUS.fault));
    code.if(found.eq(FOUND.outside), () => fail('GP', error));
    bits.take(found);
    const rpl = code.var32(selector.and(3));
    const isWrong = bits.isCode.isZero.or(rpl.ltU(cpl)).or(bits.isLong.and(bits.isBig));
    code.if(isWrong, () => fail('GP', error));
    code.if(bits.dpl.gtU(rpl).where(bits.isConforming, bits.dpl.ne(rpl)), () => fail('GP', error));
    code.if(bits.isPresent.isZero, () => fail('NP', error));
    return bits;
  }

  /** The stack segment that comes with it. A null selector is allowed for 64-bit code below CPL 3. */
  #returnStack(code: Code, { selector, newCpl, to64 }: { selector: Var32; newCpl: Var32; to64: I32 }): DescriptorBits {
    const fail = (name: 'SS' | 'GP', error: Int) => this.#fail(code, VECTOR[name], error, STATUS.fault);
    const error = code.var32(selector.and(0xfffc));
    const isOtherLevel = selector.and(3).ne(newCpl);
    const bits = new DescriptorBits(code);
    code.if(
      error.isZero,
      () => code.if(to64.isZero.or(newCpl.eq(3)).or(isOtherLevel), () => fail('GP', 0)),
      () => {
        const found = code.var32(this.#descriptors.locate(selector, 8));
        code.if(found.eq(FOUND.fault), () => code.return(STATUS.fault));
        code.if(found.eq(FOUND.outside), () => fail('GP', error));
        bits.take(found);
        const isWrong = isOtherLevel.or(bits.isWritableData.isZero).or(bits.dpl.ne(newCpl));
        code.if(isWrong, () => fail('GP', error));
        code.if(bits.isPresent.isZero, () => fail('SS', error));
      },
    );
    return bits;
  }

  /** Data segments that the new CPL may not use become null; FS and GS keep their bases. */
  #dropSegments(code: Code, cpl: Var32): void {
    for (const segment of DATA_SEGMENTS) {
      const attributes = code.var32(this.#get(SEGMENT_ATTRIBUTES + 4 * segment));
      const isUnusable = code.var32(attributes.has(SEGMENT_UNUSABLE));
      const isConforming = attributes.and(0xc).eq(0xc);
      const mayStay = isConforming.or(attributes.shrU(5).and(3).geU(cpl));
      code.if(isUnusable.or(mayStay.isZero), () => {
        this.#set(code, SEGMENT_SELECTOR + 4 * segment, 0);
        code.if(isUnusable.isZero, () => this.#set(code, SEGMENT_ATTRIBUTES + 4 * segment, SEGMENT_UNUSABLE));
      });
    }
  }
}

/** Flags that IRET of 64-bit code always loads. */
const IRET_FLAGS =
  RFLAGS.cf | RFLAGS.pf | RFLAGS.af | RFLAGS.zf | RFLAGS.sf | RFLAGS.tf | RFLAGS.df | RFLAGS.of | RFLAGS.nt | RFLAGS.ac | RFLAGS.id;

const isFault = (vector: I32): I32 => I32.of(1).shl(vector).lacks(TRAPS);
