/**
 * IR module → objects for the linker: the door of the x86-64 target.
 *
 *     const objects = generate(module, { name: 'main.ts', target: 'linux-program' });
 *     link(objects, …)
 *
 * The first object holds the module's functions and data; each assembly block is one of its own, so that its labels are its own.
 */

import { AssemblyError, type InlineCode } from '../../assembler/index.ts';
import { type Atom, dataAtom, functionAtom, type ObjectFile } from '../../image/object.ts';
import type { IrFunction } from '../../ir/function.ts';
import type { AssemblyBlock, DataObject, Location, Module } from '../../ir/module.ts';
import { type Target, TargetError, type TargetProblem } from '../options.ts';
import { allocate } from './allocate.ts';
import { type EmitContext, type EmittedFunction, emit } from './emit.ts';
import { Learnt } from './learnt.ts';
import { printMachine } from './machine.ts';
import { select } from './select.ts';
import type { ConstantPool } from './selector.ts';

export interface GenerateOptions {
  /** The first object's name. */
  readonly name: string;
  readonly target: Target;
  /** Default true: rows of lines and frames, for DWARF. */
  readonly debug?: boolean;
  /** What other modules have taught: pass the same one again and it need not be learnt twice. */
  readonly learnt?: Learnt;
  /** For tests of spilling: how many registers of each class values may be in. Default: all. */
  readonly registers?: number;
  /** Gets the machine code of each function before registers are allocated. */
  readonly dump?: (symbol: string, text: string) => void;
}

/**
 * Frames larger than this are refused: no probe is needed, because a frame cannot reach over the guard below a stack
 * (one page in keel, 1 MiB in Linux).
 */
const FRAME_LIMIT: Readonly<Record<Target, number>> = { 'keel-kernel': 4096, 'linux-program': 1 << 19 };

/** @throws TargetError with everything that the target refuses */
export function generate(module: Module, options: GenerateOptions): ObjectFile[] {
  return new Generator(options).run(module);
}

class Generator {
  private readonly options: GenerateOptions;
  private readonly problems: TargetProblem[] = [];
  private readonly pool = new Pool();
  private readonly context: EmitContext;
  private readonly learnt: Learnt;
  /** Texts of inline assembly that are wrong: each is reported once. */
  private readonly refused = new Set<string>();

  constructor(options: GenerateOptions) {
    this.options = options;
    this.learnt = options.learnt ?? new Learnt();
    const assembleText = (text: string, location: Location | null): InlineCode => this.assemble(text, location);
    this.context = { buffer: this.learnt.buffer, debug: options.debug ?? true, assemble: assembleText };
  }

  run(module: Module): ObjectFile[] {
    const atoms: Atom[] = [];
    const tables: Atom[] = [];
    for (const fn of module.functions) {
      const [code, ...own] = this.atomsOf(fn);
      if (code !== undefined) atoms.push(code);
      tables.push(...own);
    }
    atoms.push(...tables, ...this.pool.atoms, ...module.data.map(atomOfData));
    const objects: ObjectFile[] = [{ name: this.options.name, atoms, globals: module.globals }];
    for (const block of module.assembly) {
      const object = this.assemblyBlock(block);
      if (object !== null) objects.push(object);
    }
    if (this.problems.length > 0) throw new TargetError(this.problems);
    return objects;
  }

  /** The function's own atom and its tables'; none if it is refused. */
  private atomsOf(fn: IrFunction): readonly Atom[] {
    if (!fn.isShared || this.options.registers !== undefined || this.options.dump !== undefined) return this.function(fn);
    const kept = this.context.debug ? this.learnt.functions : this.learnt.functionsWithoutDebug;
    const known = kept.get(fn);
    if (known !== undefined) return known;
    const constants = this.pool.atoms.length;
    const atoms = this.function(fn);
    // What adds constants to the module is more than its atoms.
    if (this.problems.length === 0 && this.pool.atoms.length === constants) kept.set(fn, atoms);
    return atoms;
  }

  private function(fn: IrFunction): readonly Atom[] {
    if (this.options.target === 'keel-kernel' && this.refuseFloat(fn)) return [];
    const machine = select(fn, this.pool);
    const allocation = allocate(machine, this.options.registers);
    this.options.dump?.(fn.symbol, printMachine(machine));
    const code = emit(machine, allocation, this.context);
    const limit = FRAME_LIMIT[this.options.target];
    if (code.frameBytes > limit) {
      this.problems.push({
        message: `the frame of ${fn.symbol} takes ${code.frameBytes} bytes, at most ${limit} are possible`,
        location: fn.location,
      });
    }
    const binding = fn.exported ? 'global' : 'local';
    const { bytes, relocations, lines, traps, frames } = code;
    const declared = fn.location === null ? {} : { declared: fn.location };
    const debug = code.scope === null || fn.notes === null ? {} : { debug: { source: fn.notes.source, scope: code.scope } };
    const atom = functionAtom({ symbol: fn.symbol, binding, bytes, relocations, lines, traps, frames, ...declared, ...debug });
    return [atom, ...code.tables.map((table) => atomOfTable(fn.symbol, table))];
  }

  private refuseFloat(fn: IrFunction): boolean {
    for (const block of fn.blocks) {
      for (const i of block.instructions) {
        if (i.type !== 'f64' && i.results[0]?.type !== 'f64' && i.args[0]?.type !== 'f64') continue;
        this.problems.push({ message: `${fn.symbol} uses f64, which the kernel cannot`, location: i.location ?? fn.location });
        return true;
      }
    }
    if (!fn.params.includes('f64')) return false;
    this.problems.push({ message: `${fn.symbol} has a parameter of type f64, which the kernel cannot`, location: fn.location });
    return true;
  }

  private assemble(text: string, location: Location | null): InlineCode {
    try {
      if (!this.refused.has(text)) return this.learnt.assembly.inline(text);
    } catch (error) {
      this.refused.add(text);
      this.note(error, location);
    }
    return { bytes: new Uint8Array(0), relocations: [] };
  }

  private assemblyBlock(block: AssemblyBlock): ObjectFile | null {
    const { name, text, location } = block;
    try {
      return this.learnt.assembly.object(text, name, location?.line ?? 1);
    } catch (error) {
      this.note(error, location);
      return null;
    }
  }

  private note(error: unknown, location: Location | null): void {
    if (!(error instanceof AssemblyError)) throw error;
    for (const { line, message } of error.problems) {
      const at = location === null ? null : { ...location, line: location.line + Math.max(0, line - 1) };
      this.problems.push({ message, location: at });
    }
  }
}

/** Constants that are read from memory, each once. */
class Pool implements ConstantPool {
  readonly atoms: Atom[] = [];
  private readonly known = new Set<string>();

  float(value: number): string {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, true);
    return this.constant(`float.${view.getBigUint64(0, true).toString(16)}`, () => new Uint8Array(view.buffer));
  }

  mask(kind: 'sign' | 'magnitude'): string {
    return this.constant(`float.${kind}`, () => {
      const bytes = new Uint8Array(16).fill(kind === 'sign' ? 0 : 0xff);
      bytes[7] = kind === 'sign' ? 0x80 : 0x7f;
      bytes[15] = bytes[7];
      return bytes;
    });
  }

  private constant(symbol: string, bytes: () => Uint8Array): string {
    if (!this.known.has(symbol)) {
      this.known.add(symbol);
      const content = bytes();
      this.atoms.push(
        dataAtom({ symbol, binding: 'local', section: '.rodata', kind: 'rodata', alignment: content.length, bytes: content }),
      );
    }
    return symbol;
  }
}

function atomOfTable(fn: string, table: EmittedFunction['tables'][number]): Atom {
  return dataAtom({
    symbol: table.symbol,
    binding: 'local',
    section: '.rodata',
    kind: 'rodata',
    alignment: 8,
    bytes: new Uint8Array(8 * table.offsets.length),
    relocations: table.offsets.map((offset, k) => ({ kind: 'abs64', offset: 8 * k, symbol: fn, addend: offset })),
  });
}

function atomOfData(data: DataObject): Atom {
  const isBss = data.kind === 'bss';
  return dataAtom({
    symbol: data.symbol,
    binding: data.exported ? 'global' : 'local',
    section: data.section,
    kind: data.kind,
    alignment: data.align,
    bytes: isBss ? new Uint8Array(0) : (data.bytes ?? new Uint8Array(data.size)),
    size: data.size,
    relocations: data.relocations,
  });
}
