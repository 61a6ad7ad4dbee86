/**
 * What debug information needs of a function while it is lowered: which names are in scope at each location, and which values they have there.
 *
 * Noted are a location's names with what was written to them in its block so far; what they are where the block begins is known only when the
 * function is finished. Nothing here makes code: with and without notes a function is the same.
 */
import ts from 'typescript';
import type { SourceFunction, SourceVariable } from '../../image/debug-info.ts';
import type { Binding, Environment, LexicalBlock, Location } from '../../ir/function.ts';
import { type Block, detached, FunctionNotes, Instruction, type Value } from '../../ir/function.ts';
import { normal } from '../../ir/types.ts';
import type { BlockScope, Fn, Local, Notes, Program, ProgramNotes, Rv } from './context.ts';
import { debugType, resultType, UNKNOWN } from './debug-types.ts';
import { locationOf } from './problems.ts';
import { F64, I32, I64, partsOf, type Type, U32, U64, unbranded } from './types.ts';

/** Keeps the variables and functions whose types are yet to be said. */
export class VariableNotes implements ProgramNotes {
  readonly #variables: { readonly variable: SourceVariable; readonly type: Type }[] = [];
  readonly #functions: { readonly source: SourceFunction; readonly result: Type }[] = [];

  of(f: Fn, name: string, declared: Location): Notes {
    return new NotesOfFunction(f, this, name, declared);
  }

  variable(variable: SourceVariable, type: Type): void {
    this.#variables.push({ variable, type });
  }

  result(source: SourceFunction, result: Type): void {
    this.#functions.push({ source, result });
  }

  sayTypes(p: Program): void {
    for (const { variable, type } of this.#variables.splice(0)) variable.type = debugType(p, type);
    for (const { source, result } of this.#functions.splice(0)) source.result = resultType(p, result);
  }
}

/** What a name's variables are: for each what was written in the block; null: not assigned yet. */
type Written = readonly (Value | null)[] | null;

/** An environment whose bindings are still to be found. */
interface Pending {
  readonly environment: Environment & { bindings: readonly Binding[] };
  readonly block: Block;
  readonly names: readonly Noted[];
  /** By name. */
  readonly written: readonly Written[];
}

interface Noted {
  readonly local: Local | null;
  readonly variable: SourceVariable;
  readonly block: LexicalBlock;
  readonly value: Rv | null;
}

class NotesOfFunction implements Notes {
  readonly #f: Fn;
  readonly #program: VariableNotes;
  readonly #source: SourceFunction;
  readonly #names = new Map<Local, Noted>();
  readonly #blocks = new Map<BlockScope, LexicalBlock>();
  readonly #root: LexicalBlock = { parent: null };
  readonly #pending: Pending[] = [];
  readonly #parameters: Binding[] = [];
  #this: Noted | null = null;

  constructor(f: Fn, program: VariableNotes, name: string, declared: Location) {
    this.#f = f;
    this.#program = program;
    // Without the number that tells it from others of its name.
    this.#source = { name: name.replace(/~\d+$/, ''), declared, result: null };
    const environment: Environment = { block: this.#root, inlined: null, bindings: this.#parameters };
    f.b.fn.notes = new FunctionNotes(this.#source, { ...declared, original: declared, environment });
  }

  result(type: Type): void {
    this.#program.result(this.#source, type);
  }

  receiver(value: Rv, node: ts.Node): void {
    const declared = locationOf(this.#f.scope.module.file, node);
    const variable: SourceVariable = { name: 'this', declared, isParameter: true, type: UNKNOWN };
    this.#program.variable(variable, value.type);
    this.#this = { local: null, variable, block: this.#root, value };
    this.#noteParameter(variable, value.parts ?? []);
  }

  declare(local: Local, node: ts.Node): void {
    const declared = locationOf(this.#f.scope.module.file, node);
    const variable: SourceVariable = {
      name: local.name,
      declared,
      isParameter: ts.isParameter(node) && this.#f.scopes.length === 1,
      type: UNKNOWN,
    };
    this.#program.variable(variable, settledType(local));
    this.#names.set(local, { local, variable, block: this.#lexicalBlock(), value: local.value });
    if (variable.isParameter)
      this.#noteParameter(variable, local.value?.parts ?? (local.variables ?? []).map((v) => this.#f.variables.written(v)));
  }

  #noteParameter(variable: SourceVariable, parts: readonly (Value | null)[]): void {
    this.#parameters.push({ variable, block: this.#root, parts });
  }

  at(location: Location): Location {
    const f = this.#f;
    const names: Noted[] = this.#this === null ? [] : [this.#this];
    for (const scope of f.scopes) {
      for (const local of scope.names.values()) {
        const noted = this.#names.get(local);
        if (noted !== undefined) names.push(noted);
      }
    }
    const written = names.map(({ local }) => {
      if (local?.mustAssign === true && !f.facts.has(`a:v${local.id}`)) return null;
      return (local?.variables ?? []).map((variable) => f.variables.written(variable));
    });
    return { ...location, environment: this.#environment(names, written) };
  }

  /** That of the location before, if nothing was written since: most locations are within one statement. */
  #environment(names: readonly Noted[], written: readonly Written[]): Environment {
    const block = this.#lexicalBlock();
    const { here } = this.#f.b;
    const last = this.#pending.at(-1);
    const isSame = last?.block === here && last.environment.block === block && isEqual(last.names, names);
    if (isSame && written.every((own, k) => isEqual(own, last.written[k] ?? null))) return last.environment;
    const environment = { block, inlined: null, bindings: [] };
    this.#pending.push({ environment, block: here, names, written });
    return environment;
  }

  again(location: Location | null): Location | null {
    if (location === null) return null;
    const { file, line, column, original } = location;
    return { ...this.at({ file, line, column }), original: original ?? location };
  }

  finish(blocks: readonly Block[]): void {
    const { variables, b } = this.#f;
    const current = (value: Value): Value | null => b.fn.notes?.current(value) ?? null;
    const entering = variables.entering(blocks, current);
    const known = new Map<Noted, { readonly block: Block; readonly own: Written; readonly binding: Binding }>();
    for (const { environment, block, names, written } of this.#pending) {
      environment.bindings = names.map((noted, k): Binding => {
        const { local, variable, block: home, value } = noted;
        const own = written[k] ?? null;
        // Most names are what they were at the location before.
        const last = known.get(noted);
        if (last?.block === block && isEqual(last.own, own)) return last.binding;
        const partsNow = (): Binding['parts'] => {
          if (own === null) return [];
          if (local === null || local.variables === null) return value === null ? [] : this.#partsOf(value);
          return local.variables.map((each, n) => {
            const here = own[n] ?? null;
            return here === null ? (entering(each)[block.id] ?? null) : current(here);
          });
        };
        const binding = { variable, block: home, parts: partsNow() };
        known.set(noted, { block, own, binding });
        return binding;
      });
    }
    this.#pending.length = 0;
  }

  #partsOf(value: Rv): (Value | null)[] {
    if (value.parts !== null) return [...value.parts];
    const { constant, fixed } = value;
    if (fixed !== undefined) {
      const address = symbol(fixed.symbol, fixed.offset);
      return fixed.length === null ? [address] : [address, number('i64', fixed.length)];
    }
    if (typeof constant === 'string') {
      const known = this.#f.program.textSymbol(constant);
      return [known === null ? null : symbol(known, 0), number('i64', new TextEncoder().encode(constant).length)];
    }
    if (constant === undefined) return [];
    const [part] = partsOf(unbranded(settledConstant(value.type, constant)));
    return part === undefined ? [] : [number(part, typeof constant === 'boolean' ? Number(constant) : constant)];
  }

  /** The scopes of parameters and of the body are the function's own. */
  #lexicalBlock(): LexicalBlock {
    let block = this.#root;
    const own = this.#f.isInitialiser ? 1 : 2;
    for (const scope of this.#f.scopes.slice(own)) {
      let known = this.#blocks.get(scope);
      if (known === undefined) this.#blocks.set(scope, (known = { parent: block }));
      block = known;
    }
    return block;
  }
}

function isEqual(a: readonly unknown[] | null, b: readonly unknown[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((each, k) => each === b[k]);
}

function settledType({ type, value }: Local): Type {
  return value?.constant === undefined ? type : settledConstant(type, value.constant);
}

/** What the type of an untyped constant is when it meets none. */
export function settledConstant(type: Type, constant: NonNullable<Rv['constant']>): Type {
  if (type.kind !== 'untyped') return type;
  if (type.key === 'float') return F64;
  if (typeof constant === 'bigint') return constant < 0n ? I64 : U64;
  const n = Number(constant);
  return n >= -0x8000_0000 && n <= 0x7fff_ffff ? I32 : n >= 0 && n <= 0xffff_ffff ? U32 : F64;
}

function number(type: Value['type'], value: number | bigint): Value {
  const i = new Instruction('const', type, [], null);
  i.value = normal(type, value);
  return detached(i);
}

function symbol(name: string, offset: number): Value {
  const i = new Instruction('symbol', 'i64', [], null);
  i.symbol = name;
  i.offset = offset;
  return detached(i);
}
