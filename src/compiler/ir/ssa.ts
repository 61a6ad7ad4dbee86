/**
 * From assigned variables to SSA while the function is being built (Braun et al., "Simple and Efficient Construction of SSA Form", 2013).
 *
 *     const variables = new Variables(builder);
 *     const x = variables.declare('i32');
 *     variables.write(x, value);                 // in the builder's current block
 *     … variables.read(x)                        // the value there; block parameters and edge arguments appear by themselves
 *     variables.seal(block)                      // when all edges to it exist; a block that will get no more edges must be sealed
 *     variables.finish();                        // before builder.finish(): takes out parameters that turned out needless
 *
 * The entry block is sealed from the start. A loop's header is placed unsealed and sealed behind the loop. Edges are noted as the builder
 * makes terminators. A block's parameters that the caller makes himself must be made before any edge to it. Reading a variable that is not
 * written on some way here gives 0 there: definite assignment is the front's matter.
 */

import { bug } from '../../machine/isa/bug.ts';
import type { FunctionBuilder } from './builder.ts';
import { type Block, type Edge, Instruction, type IrFunction, type Value } from './function.ts';
import { normal, type Type } from './types.ts';

export interface Variable {
  readonly index: number;
  readonly type: Type;
}

interface BlockState {
  sealed: boolean;
  /** Edges to this block so far. */
  readonly incoming: { readonly from: Block; readonly edge: Edge }[];
  /** By variable index. */
  readonly values: (Value | undefined)[];
  /** Parameters made for variables, and their positions among the block's. */
  readonly made: { readonly variable: Variable; readonly position: number }[];
  /** The same by variable index. */
  readonly params: (Value | undefined)[];
}

/** Blocks that are reached, entry first; by position their states; by id whether. */
interface Reached {
  readonly blocks: readonly Block[];
  readonly states: readonly BlockState[];
  readonly reached: readonly (boolean | undefined)[];
  readonly current: (value: Value) => Value | null;
}

export class Variables {
  private readonly builder: FunctionBuilder;
  private readonly states: (BlockState | undefined)[] = [];
  private count = 0;
  /** Parameters whose arguments are still to be found. */
  private readonly wanted: { readonly variable: Variable; readonly position: number; readonly incoming: BlockState['incoming'] }[] = [];

  constructor(builder: FunctionBuilder) {
    this.builder = builder;
    builder.onTerminator = (block) => this.noteEdges(block);
    this.seal(builder.here);
  }

  declare(type: Type): Variable {
    return { index: this.count++, type };
  }

  write(variable: Variable, value: Value): void {
    this.state(this.builder.here).values[variable.index] = value;
  }

  /** The variable's value at the end of what the current block has so far. */
  read(variable: Variable): Value {
    return this.readIn(variable, this.builder.here);
  }

  /** No more edges will come to this block. */
  seal(block: Block): void {
    this.state(block).sealed = true;
  }

  finish(): void {
    removeRedundantParams(this.builder.fn);
  }

  /** What was written to it in the current block, or read there; null: what it is where the block begins. */
  written(variable: Variable): Value | null {
    return this.state(this.builder.here).values[variable.index] ?? null;
  }

  /**
   * Gives the value that a variable has where each block begins, by block id, as far as it is one value; makes nothing that reading it would. Call it when
   * the function is finished.
   * @param blocks those that are reached, entry first
   */
  entering(
    blocks: readonly Block[],
    current: (value: Value) => Value | null,
  ): (variable: Variable) => readonly (Value | null | undefined)[] {
    const reached: boolean[] = [];
    for (const block of blocks) reached[block.id] = true;
    const states = blocks.map((block) => this.state(block));
    const known: (readonly (Value | null | undefined)[] | undefined)[] = [];
    return ({ index }) => (known[index] ??= this.enteringOf(index, { blocks, states, reached, current }));
  }

  private enteringOf(index: number, { blocks, states, reached, current }: Reached): readonly (Value | null | undefined)[] {
    const entering: (Value | null | undefined)[] = [];
    const leaving = (block: Block): Value | null | undefined => {
      const value = this.state(block).values[index];
      return value === undefined ? entering[block.id] : current(value);
    };
    for (let changed = true; changed; ) {
      changed = false;
      for (const [at, block] of blocks.entries()) {
        const { incoming, params } = states[at] ?? bug('a block without a state');
        const param = params[index];
        let value = param !== undefined ? current(param) : at === 0 ? null : undefined;
        if (value === undefined) {
          for (const { from } of incoming) {
            const other = reached[from.id] === true ? leaving(from) : undefined;
            // What is not known yet may turn out to be the same.
            if (other !== undefined) value = value === undefined || value === other ? other : null;
          }
        }
        if (value === entering[block.id]) continue;
        entering[block.id] = value;
        changed = true;
      }
    }
    return entering;
  }

  private noteEdges(from: Block): void {
    for (const edge of from.terminator?.targets ?? []) {
      const state = this.state(edge.block);
      if (state.sealed) bug(`an edge from b${from.id} to b${edge.block.id}, which is sealed`);
      state.incoming.push({ from, edge });
      for (const { variable, position } of state.made) edge.args[position] = this.readIn(variable, from);
    }
  }

  private state(block: Block): BlockState {
    let state = this.states[block.id];
    if (state === undefined) {
      state = { sealed: false, incoming: [], values: [], made: [], params: [] };
      this.states[block.id] = state;
    }
    return state;
  }

  private readIn(variable: Variable, block: Block): Value {
    const value = this.find(variable, block);
    // Parameters that were made on the way want arguments, which may make more of them: a list, since it can be long.
    for (let wanted = this.wanted.pop(); wanted !== undefined; wanted = this.wanted.pop()) {
      for (const { from, edge } of wanted.incoming) edge.args[wanted.position] = this.find(wanted.variable, from);
    }
    return value;
  }

  private find(variable: Variable, block: Block): Value {
    // Walk up through sealed blocks of one predecessor; what is found is noted in each of them.
    const passed: BlockState[] = [];
    let at = block;
    let state = this.state(at);
    let value = state.values[variable.index];
    while (value === undefined && state.sealed && state.incoming.length === 1) {
      if (passed.length > this.builder.fn.blockCount) break; // a loop that nothing enters
      passed.push(state);
      at = state.incoming[0]?.from ?? bug('one edge');
      state = this.state(at);
      value = state.values[variable.index];
    }
    if (value === undefined) {
      value = state.sealed && state.incoming.length <= 1 ? this.zero(variable.type, at) : this.makeParam(variable, at, state);
      state.values[variable.index] = value;
    }
    for (const below of passed) below.values[variable.index] = value;
    return value;
  }

  private makeParam(variable: Variable, block: Block, state: BlockState): Value {
    const position = block.params.length;
    const param = this.builder.param(block, variable.type);
    state.made.push({ variable, position });
    state.params[variable.index] = param;
    this.wanted.push({ variable, position, incoming: state.incoming.slice() });
    return param;
  }

  private zero(type: Type, block: Block): Value {
    const i = new Instruction('const', type, [], null);
    i.value = normal(type, 0);
    const value = this.builder.fn.newValue(type, i);
    i.results = [value];
    block.instructions.unshift(i);
    return value;
  }
}

/**
 * Takes out block parameters that get the same value on every edge (or themselves), the entry's excepted. Values stay where they are
 * defined, so it keeps SSA. Needs: every block has its terminator.
 */
export function removeRedundantParams(fn: IrFunction): void {
  if (!fn.blocks.some((block, at) => at > 0 && block.params.length > 0)) return;
  const forward: (Value | undefined)[] = new Array(fn.valueCount);
  const resolve = (value: Value): Value => {
    let at = value;
    for (let next = forward[at.id]; next !== undefined; next = forward[at.id]) {
      // Half of the way is spared the next time.
      forward[at.id] = forward[next.id] ?? next;
      at = next;
    }
    return at;
  };

  const incoming: Edge[][] = Array.from({ length: fn.blockCount }, () => []);
  for (const block of fn.blocks) for (const edge of block.terminator?.targets ?? []) incoming[edge.block.id]?.push(edge);

  let found = false;
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of fn.blocks) {
      if (block === fn.blocks[0] || block.params.length === 0) continue;
      const edges = incoming[block.id] ?? [];
      for (let k = 0; k < block.params.length; k++) {
        const param = block.params[k] ?? bug('a hole in params');
        if (forward[param.id] !== undefined) continue;
        const only = onlyArgument(edges, k, param, resolve);
        if (only === null) continue;
        forward[param.id] = only;
        changed = found = true;
      }
    }
  }
  if (!found) return;

  for (const block of fn.blocks) {
    for (const i of block.instructions) replaceAll(i.args, resolve);
    const end = block.terminator;
    if (end === null) continue;
    replaceAll(end.args, resolve);
    for (const edge of end.targets) {
      replaceAll(edge.args, resolve);
      const params = edge.block.params;
      if (edge.block !== fn.blocks[0]) edge.args = edge.args.filter((_, k) => forward[params[k]?.id ?? -1] === undefined);
    }
  }
  for (const block of fn.blocks.slice(1)) {
    if (fn.notes !== null) for (const param of block.params) if (forward[param.id] !== undefined) fn.notes.replace(param, resolve(param));
    block.params = block.params.filter((param) => forward[param.id] === undefined);
  }
}

/** The one value that parameter `k` gets besides itself, or null if there are several or none. */
function onlyArgument(edges: readonly Edge[], k: number, param: Value, resolve: (value: Value) => Value): Value | null {
  let only: Value | null = null;
  for (const edge of edges) {
    const arg = resolve(edge.args[k] ?? bug(`an edge to b${edge.block.id} lacks argument ${k}`));
    if (arg === param || arg === only) continue;
    if (only !== null) return null;
    only = arg;
  }
  return only;
}

function replaceAll(values: Value[], resolve: (value: Value) => Value): void {
  for (let k = 0; k < values.length; k++) values[k] = resolve(values[k] ?? bug('a hole in values'));
}
