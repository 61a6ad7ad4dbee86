/**
 * What lowering works on: the program (modules, types, instances, data) and the function being lowered (blocks, scopes, facts).
 *
 * Words:
 * - *instance*: a function or method under one choice of type arguments; it becomes one function of the IR.
 * - *rvalue* (`Rv`): the result of an expression: its type and its IR parts, or a constant or link-time address that needs no code yet.
 * - *path*: a name by which an rvalue can be reached again (`v3.next.size`): what null tests narrow.
 * - *fact*: something known where lowering stands: `n:path` is not null, `a:v3` is assigned.
 * - *origin*: for the escape rule, a set of bits: where what an rvalue points to may live (escape.ts).
 * - *rules*: the mutually recursive parts of lowering, called through one table so that their files need not import each other.
 */

import type ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Code } from '../../diagnostics.ts';
import type { StructureType } from '../../image/debug-info.ts';
import { FunctionBuilder } from '../../ir/builder.ts';
import type { Block, InlineHint, StackSlot, Value } from '../../ir/function.ts';
import { type Location, Module } from '../../ir/module.ts';
import { type Variable, Variables } from '../../ir/ssa.ts';
import type { Type as IrType } from '../../ir/types.ts';
import { assignedNames } from './assigned.ts';
import type { EscapeGraph, Origin } from './escape.ts';
import type { Declaration, SourceModule } from './modules.ts';
import { locationOf, type Problems, Reported } from './problems.ts';
import {
  type ClassType,
  type FunctionType,
  type IntegerType,
  NO_ENVIRONMENT,
  partsOf,
  type Type,
  type TypeEnvironment,
  TypeTable,
} from './types.ts';

export type Constant = number | bigint | boolean | string;

/** The values that a small integer may have here; whole numbers. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface Rv {
  readonly type: Type;
  /** Null for what is constant or fixed: `materialise` makes them. */
  readonly parts: readonly Value[] | null;
  readonly constant?: Constant;
  /** An address that the linker knows; `length` of a slice. */
  readonly fixed?: { readonly symbol: string; readonly offset: number; readonly length: number | null };
  readonly range?: Range;
  readonly origin: Origin;
  readonly path: string | null;
  /** A fresh owned value that somebody must bind. */
  readonly isFresh?: boolean;
  /** Computed modulo 2ⁿ within `wrapping.T(…)`: it may stand for a number or a bigint. */
  readonly isWrapped?: boolean;
}

/** Where names and type parameters are looked up. */
export interface Scope {
  readonly module: SourceModule;
  readonly environment: TypeEnvironment;
  /** The class whose private members may be used here. */
  readonly within: ClassType | null;
}

export type FunctionNode =
  | ts.FunctionDeclaration
  | ts.MethodDeclaration
  | ts.ConstructorDeclaration
  | ts.GetAccessorDeclaration
  | ts.SetAccessorDeclaration
  | ts.ArrowFunction
  | ts.FunctionExpression
  /** The initialisers of the fields of a class without constructor. */
  | ts.ClassDeclaration;

/** A function of the IR, made or to be made. */
export interface Instance {
  readonly symbol: string;
  readonly name: string;
  readonly node: FunctionNode;
  readonly scope: Scope;
  /** Methods: the class of `this`. */
  readonly receiver: ClassType | null;
  readonly params: readonly { readonly name: string; readonly type: Type; readonly initialiser: ts.Expression | null }[];
  /** Null until it is known, where it is not annotated. */
  result: Type | null;
  /** Assembly provides it: never lowered. */
  readonly isExternal: boolean;
  readonly exported: boolean;
  readonly hint: InlineHint;
  state: 'waiting' | 'being made' | 'made';
  escape: EscapeGraph | null;
}

/** A module-level variable, resolved. */
export type Global =
  /** No storage: its value is known. */
  | { readonly kind: 'constant'; readonly value: Rv }
  /** `as const` object: members by name. */
  | { readonly kind: 'table'; readonly members: ReadonlyMap<string, ts.Expression>; readonly scope: Scope }
  /** A static object or array that the name stands for. */
  | { readonly kind: 'object'; readonly value: Rv; readonly align: number }
  /** A cell that holds the value. */
  | { readonly kind: 'cell'; readonly symbol: string; readonly type: Type; readonly isConst: boolean };

/** A value name, resolved. */
export type Meaning =
  | { readonly kind: 'declaration'; readonly module: SourceModule; readonly declaration: Declaration }
  | { readonly kind: 'module'; readonly module: SourceModule }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'intrinsic'; readonly name: string };

/** The mutually recursive parts; `index.ts` fills it. */
export interface Rules {
  expression(f: Fn, node: ts.Expression, want: Type | null): Rv;
  condition(f: Fn, node: ts.Expression, whenTrue: Block, whenFalse: Block): void;
  statement(f: Fn, node: ts.Statement): void;
  resolveType(p: Program, scope: Scope, node: ts.TypeNode): Type;
  shapeOf(p: Program, type: ClassType): Exclude<ClassType['shape'], null | 'being made'>;
  global(p: Program, module: SourceModule, d: Extract<Declaration, { kind: 'variable' }>): Global;
  /** Lowers it if that has not happened: to know a result type that is not annotated. */
  lowerInstance(p: Program, instance: Instance): void;
  /** Disposes what a scope bound with `using`. */
  disposeScope(f: Fn, scope: BlockScope): void;
  textsAreEqual(f: Fn, a: Rv, b: Rv, node: ts.Node): Rv;
  /** `object.name` as a value. */
  member(f: Fn, object: Rv, node: ts.PropertyAccessExpression): Rv;
  /** The constant that an expression is; a diagnostic if it is none. */
  constant(p: Program, scope: Scope, node: ts.Expression): Rv;
  /** The constant if it is one of that type without any code, else null. */
  maybeConstant(f: Fn, node: ts.Expression, want: Type | null): Rv | null;
  /** The type of an expression, whose code is thrown away. */
  typeOf(f: Fn, node: ts.Expression): Type;
  call(f: Fn, node: ts.CallExpression, want: Type | null): Rv;
  /** `new C(…)`; into `place` if given. */
  create(f: Fn, node: ts.NewExpression, want: Type | null, place: Rv | null): Rv;
  objectLiteral(f: Fn, node: ts.ObjectLiteralExpression, want: Type | null, place: Rv | null): Rv;
  arrow(f: Fn, node: ts.ArrowFunction | ts.FunctionExpression, want: Type | null): Rv;
}

export interface Local {
  readonly name: string;
  readonly id: number;
  readonly type: Type;
  readonly isConst: boolean;
  /** Assigned to somewhere: an SSA variable a part. Else `value`. */
  readonly variables: readonly Variable[] | null;
  readonly value: Rv | null;
  readonly origin: Origin;
  readonly loopDepth: number;
  /** Declared without a value: reading needs the fact that it was assigned. */
  readonly mustAssign: boolean;
  readonly owned: 'using' | 'const' | null;
}

/** What debug information is told of a function while it is lowered; notes.ts. */
export interface Notes {
  /** The location with what its variables are now. */
  at(location: Location): Location;
  /** The same place with what its variables are now. */
  again(location: Location | null): Location | null;
  declare(local: Local, node: ts.Node): void;
  receiver(value: Rv, node: ts.Node): void;
  result(type: Type): void;
  /** The function is in SSA form now; `blocks` are those that are reached. */
  finish(blocks: readonly Block[]): void;
}

/** The same of a program. */
export interface ProgramNotes {
  of(f: Fn, name: string, declared: Location): Notes;
  /** Gives all variables their types: objects' layouts are known when all is lowered. */
  sayTypes(p: Program): void;
}

export interface BlockScope {
  readonly names: Map<string, Local>;
  readonly disposals: { readonly type: ClassType; readonly local: Local }[];
}

export interface JumpTarget {
  readonly label: string | null;
  readonly breakTo: Block;
  readonly continueTo: Block | null;
  /** How many block scopes were open there. */
  readonly depth: number;
  readonly isSwitch?: boolean;
}

export class Program {
  readonly types = new TypeTable();
  readonly ir = new Module();
  readonly problems: Problems;
  readonly rules: Rules;
  readonly modules: readonly SourceModule[];
  /** For debug information; null if none is wanted. */
  readonly notes: ProgramNotes | null;
  readonly instances = new Map<string, Instance>();
  readonly waiting: Instance[] = [];
  /** The functions of the modules' initialisers, for the escape rule. */
  readonly initialisers: { readonly scope: Scope; readonly params: readonly { readonly name: string }[]; readonly escape: EscapeGraph }[] =
    [];
  readonly globals = new Map<Declaration, Global | 'being made'>();
  /** What debug information says of classes. */
  readonly structures = new Map<ClassType, StructureType>();
  /** Functions whose address is taken, by the id of their type: what an indirect call may reach. */
  readonly addressTaken = new Map<number, Instance[]>();
  /** By the id of a function type: the ids of those that are used as it. */
  readonly functionConversions = new Map<number, Set<number>>();
  /** Names around functions that are values, for the message that they capture nothing. */
  readonly outerNames = new Map<Instance, ReadonlySet<string>>();
  readonly #symbols = new Set<string>();
  readonly #strings = new Map<string, string>();
  /** How many static objects without a name of their own there are. */
  anonymousObjects = 0;
  /** Module-level variables whose initialiser has been lowered. */
  readonly initialised = new Set<Declaration>();
  readonly statics = new Map<ts.PropertyDeclaration, Extract<Declaration, { kind: 'variable' }>>();

  constructor(modules: readonly SourceModule[], problems: Problems, rules: Rules, notes: ProgramNotes | null) {
    this.notes = notes;
    this.modules = modules;
    this.problems = problems;
    this.rules = rules;
  }

  /** The linker symbols that are taken, in that order. */
  get symbols(): ReadonlySet<string> {
    return this.#symbols;
  }

  /** The symbol of a text's bytes, if it has them already. */
  textSymbol(text: string): string | null {
    return this.#strings.get(text) ?? null;
  }

  /** How many texts have read-only bytes. */
  get stringCount(): number {
    return this.#strings.size;
  }

  /** A linker symbol of that name, or of one like it if that is taken. */
  symbol(name: string): string {
    let symbol = name;
    for (let n = 2; this.#symbols.has(symbol); n++) symbol = `${name}~${n}`;
    this.#symbols.add(symbol);
    return symbol;
  }

  /** Takes a symbol that must be exactly this; false if it is taken. */
  reserve(symbol: string): boolean {
    if (this.#symbols.has(symbol)) return false;
    this.#symbols.add(symbol);
    return true;
  }

  /** The read-only bytes of a text, each once. */
  text(text: string): { readonly symbol: string; readonly length: number } {
    const bytes = new TextEncoder().encode(text);
    let symbol = this.#strings.get(text);
    if (symbol === undefined) {
      symbol = `.text.${this.#strings.size}`;
      this.#strings.set(text, symbol);
      const size = Math.max(1, bytes.length);
      const padded = new Uint8Array(size);
      padded.set(bytes);
      this.ir.data.push({ symbol, section: '.rodata', kind: 'rodata', align: 1, size, bytes: padded, relocations: [], exported: false });
    }
    return { symbol, length: bytes.length };
  }

  /** A function value of one type is used as another: what is called through `to` may be of type `from`. */
  noteFunctionConversion(from: FunctionType, to: FunctionType): void {
    const id = this.types.id(to);
    const known = this.functionConversions.get(id) ?? new Set();
    this.functionConversions.set(id, known.add(this.types.id(from)));
  }

  /** What a call through a function value of each type may reach. */
  reachable(): ReadonlyMap<number, readonly Instance[]> {
    const all = new Map([...this.addressTaken].map(([id, list]) => [id, new Set(list)]));
    for (let changed = true; changed; ) {
      changed = false;
      for (const [to, sources] of this.functionConversions) {
        const reached = all.get(to) ?? new Set();
        const before = reached.size;
        for (const from of sources) for (const instance of all.get(from) ?? []) reached.add(instance);
        all.set(to, reached);
        if (reached.size !== before) changed = true;
      }
    }
    return new Map([...all].map(([id, set]) => [id, [...set]]));
  }

  noteAddressTaken(type: FunctionType, instance: Instance): void {
    const id = this.types.id(type);
    const known = this.addressTaken.get(id);
    if (known === undefined) this.addressTaken.set(id, [instance]);
    else if (!known.includes(instance)) known.push(instance);
  }
}

const NO_FACTS: ReadonlySet<string> = new Set();

/** A function of the IR being built. */
export class Fn {
  readonly program: Program;
  readonly rules: Rules;
  readonly scope: Scope;
  readonly b: FunctionBuilder;
  /** Of the function of the IR; completed when the result type is inferred. */
  readonly results: IrType[];
  readonly variables: Variables;
  readonly escape: EscapeGraph;
  /** What its variables are, for debug information. */
  readonly notes: Notes | null;
  /** Result type; null while it is being inferred, or at module level. */
  result: Type | null;
  /** Where an owned result is put. */
  ownedResult: Rv | null = null;
  receiver: Rv | null = null;
  /** The source of what it does; null where there is none. */
  body: ts.Node | null = null;
  readonly scopes: BlockScope[] = [];
  readonly targets: JumpTarget[] = [];
  facts: ReadonlySet<string> = NO_FACTS;
  /** What follows cannot be reached. */
  isDead = false;
  loopDepth = 0;
  /** Within `wrapping.T(…)`: arithmetic is modulo 2^bits of this. */
  wrap: IntegerType | null = null;
  /** The function that runs a module's initialisers: declarations directly in it are static. */
  readonly isInitialiser: boolean;
  /** Made for types and constants only; its code is thrown away. */
  readonly isScratch: boolean;
  frameBytes = 0;
  /** Names of the function around a function that is a value: it captures none. */
  outerNames: ReadonlySet<string> = NO_FACTS;
  /** A statement was given up: paths through it are not known. */
  hasFailed = false;
  /** In a constructor `readonly` fields of `this` may be set. */
  isConstructor = false;
  readonly #incoming = new Map<Block, ReadonlySet<string>>();
  #locals = 0;

  constructor(
    program: Program,
    scope: Scope,
    symbol: string,
    params: readonly IrType[],
    results: readonly IrType[],
    graph: EscapeGraph,
    kind: 'function' | 'initialiser' | 'scratch',
    location: Location | null,
  ) {
    this.program = program;
    this.rules = program.rules;
    this.scope = scope;
    this.results = [...results];
    this.b = new FunctionBuilder(symbol, params, this.results, location);
    this.variables = new Variables(this.b);
    this.escape = graph;
    this.result = null;
    this.isInitialiser = kind === 'initialiser';
    this.isScratch = kind === 'scratch';
    this.scopes.push({ names: new Map(), disposals: [] });
    this.notes = program.notes === null || this.isScratch || location === null ? null : program.notes.of(this, symbol, location);
  }

  fail(node: ts.Node, code: Code, ...values: string[]): never {
    return this.program.problems.fail(this.scope.module.file, node, code, ...values);
  }

  report(node: ts.Node, code: Code, ...values: string[]): void {
    this.program.problems.add(this.scope.module.file, node, code, ...values);
  }

  /** The location of the instructions that follow. */
  at(node: ts.Node): void {
    const location = locationOf(this.scope.module.file, node);
    this.b.at(this.notes === null ? location : this.notes.at(location));
  }

  /** Variables have got values or gone out of scope: what follows sees them so. */
  noteVariables(): void {
    if (this.notes !== null) this.b.at(this.notes.again(this.b.location));
  }

  expression(node: ts.Expression, want: Type | null = null): Rv {
    return this.rules.expression(this, node, want);
  }

  // Blocks

  jump(to: Block): void {
    if (!this.b.isOpen) return;
    if (!this.isDead) this.#merge(to, this.facts);
    this.b.jump(to);
  }

  branch(condition: Value, whenTrue: Block, whenFalse: Block, factsTrue: readonly string[] = [], factsFalse: readonly string[] = []): void {
    if (!this.b.isOpen) return;
    if (!this.isDead) {
      this.#merge(whenTrue, this.withFacts(factsTrue));
      this.#merge(whenFalse, this.withFacts(factsFalse));
    }
    this.b.branch(condition, whenTrue, whenFalse);
  }

  /** Notes an edge that the builder's own `jump` with arguments or `switch` makes. */
  noteEdge(to: Block): void {
    if (!this.isDead) this.#merge(to, this.facts);
  }

  /** Goes on in `block`; all edges to it exist unless it is a loop's header. */
  enter(block: Block, isHeader = false): void {
    if (this.b.isOpen) bug(`${this.b.fn.symbol}: b${block.id} is entered while another block is open`);
    this.b.place(block);
    if (!isHeader) this.variables.seal(block);
    const facts = this.#incoming.get(block);
    this.isDead = facts === undefined;
    this.facts = facts ?? NO_FACTS;
    this.noteVariables();
  }

  /** Behind a terminator: what follows is lowered for its types and thrown away. */
  startDead(): void {
    const block = this.b.block();
    this.b.place(block);
    this.variables.seal(block);
    this.isDead = true;
  }

  /** Ends in a trap what cannot go on. */
  endUnreachable(): void {
    this.b.trap('unreachable');
    this.startDead();
  }

  #merge(to: Block, facts: ReadonlySet<string>): void {
    const known = this.#incoming.get(to);
    if (known === undefined) this.#incoming.set(to, facts);
    else if (known !== facts && known.size > 0) this.#incoming.set(to, new Set([...known].filter((fact) => facts.has(fact))));
  }

  withFacts(added: readonly string[]): ReadonlySet<string> {
    return added.length === 0 ? this.facts : new Set([...this.facts, ...added]);
  }

  addFacts(...added: string[]): void {
    this.facts = this.withFacts(added);
  }

  /** Forgets what is known of a path and of what is reached through it. */
  forget(path: string): void {
    if (this.facts.size === 0) return;
    const isOf = (fact: string): boolean => fact === `n:${path}` || fact.startsWith(`n:${path}.`);
    if ([...this.facts].some(isOf)) this.facts = new Set([...this.facts].filter((fact) => !isOf(fact)));
  }

  /** Forgets what is known of a member of any object. */
  forgetMember(name: string): void {
    if (this.facts.size === 0) return;
    const isOf = (fact: string): boolean => fact.startsWith('n:') && fact.split('.').includes(name, 1);
    if ([...this.facts].some(isOf)) this.facts = new Set([...this.facts].filter((fact) => !isOf(fact)));
  }

  // Names

  lookup(name: string): Local | null {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const found = this.scopes[i]?.names.get(name);
      if (found !== undefined) return found;
    }
    return null;
  }

  /** Is the name assigned to somewhere in the function? */
  isAssigned(name: string): boolean {
    return this.body !== null && assignedNames(this.scope.module, this.body).has(name);
  }

  declare(local: Omit<Local, 'id' | 'loopDepth'>, node: ts.Node): Local {
    const names = this.scopes.at(-1)?.names ?? bug('no scope');
    if (names.has(local.name)) this.fail(node, 'P1105', local.name);
    const made = { ...local, id: this.#locals++, loopDepth: this.loopDepth };
    names.set(local.name, made);
    this.notes?.declare(made, node);
    this.noteVariables();
    return made;
  }

  /** The result type of a function without annotation, from its first `return`. */
  inferResult(type: Type): void {
    this.result = type;
    this.results.push(...partsOf(type));
  }

  slot(size: number, align: number): StackSlot {
    this.frameBytes += size;
    return this.b.slot(Math.max(1, size), Math.min(16, align));
  }

  const64(value: number | bigint): Value {
    return this.b.const('i64', value);
  }
}

/** Runs `work`; what it reported ends there. @returns false if it was given up */
export function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof Reported) return false;
    throw error;
  }
}

export const MODULE_SCOPE = (module: SourceModule): Scope => ({ module, environment: NO_ENVIRONMENT, within: null });
