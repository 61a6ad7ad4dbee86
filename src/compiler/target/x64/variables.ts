/**
 * Follows the variables of a function while it is emitted: which are in scope at each place of the code, and where their values are.
 *
 * The emitter says where it stands (`at`, `destroy`, `define`), the location of what comes next gives the environment, `ValuePlaces` what registers
 * and slots hold. What changes is written down with a mark; `finish` makes the scopes of it when marks have become offsets.
 */
import { bug } from '../../../machine/isa/bug.ts';
import type { DebugScope, Piece, PlacedVariable, SourceVariable, VariablePlace } from '../../image/debug-info.ts';
import { floatBits } from '../../image/float-bits.ts';
import { dwarfRegister } from '../../image/object.ts';
import type { Binding, Environment, InlinedCall, LexicalBlock, Location } from '../../ir/function.ts';
import { Instruction, type Value } from '../../ir/function.ts';
import { bitsOf, bytesOf } from '../../ir/types.ts';
import type { Mark } from './code-buffer.ts';
import type { MachineBlock, MachineFunction, MachineInstruction } from './machine.ts';
import { name64, XMM0 } from './registers.ts';
import { throughTrunc } from './selector.ts';
import { type Home, ValuePlaces } from './value-places.ts';

/** Offsets of the frame from the canonical frame address, which lies 16 bytes above RBP. */
export interface FrameOffsets {
  readonly spillBase: number;
  readonly frame: number;
  readonly slotOffsets: readonly number[];
}

/** A place in the code; `early`: one byte in front of it. */
interface Point {
  readonly mark: Mark;
  readonly early: number;
}

/** What a part of a variable is here: one of some places, or a constant, or nothing. */
interface Part {
  readonly bytes: number;
  readonly bits: readonly number[];
  readonly fixed: Piece | null;
}

/** A variable within one inlined call. */
interface Tracked {
  readonly variable: SourceVariable;
  readonly places: { readonly from: Point; readonly to: Point; readonly key: string; readonly parts: VariablePlace['parts'] }[];
  /** Where it is now; '' is nowhere. */
  key: string;
  parts: VariablePlace['parts'];
  /** Which parts that was found of (null: it was said otherwise), and of each what holds it: a bit of ValuePlaces, `FIXED` or `NOTHING`. */
  asked: readonly Part[] | null;
  held: number[];
  since: Point;
  /** When it was last seen in an environment. */
  seen: number;
}

/** A scope, as many of them as inlined calls repeat it. */
interface Node {
  readonly parent: Node | null;
  readonly inlined: InlinedCall | null;
  readonly depth: number;
  readonly nodes: Node[];
  readonly variables: Map<SourceVariable, Tracked>;
  readonly ranges: { readonly from: Point; readonly to: Point }[];
  since: Point | null;
}

interface Bound {
  readonly tracked: Tracked;
  readonly parts: readonly Part[];
}

interface Visible {
  readonly node: Node;
  readonly list: readonly Bound[];
}

const FIXED = -1;
const NOTHING = -2;

/** Where variables are at the jumps to a trap, as far as all agree. */
export interface TrapSite {
  node: Node;
  readonly keys: Map<Tracked, { readonly key: string; readonly parts: VariablePlace['parts'] }>;
}

export class VariableTracker {
  readonly #places: ValuePlaces;
  readonly #offsets: FrameOffsets;
  readonly #origin: NonNullable<MachineFunction['origin']>;
  readonly #root: Node;
  readonly #nodes = new Map<LexicalBlock | InlinedCall | null, Map<LexicalBlock | null, Node>>();
  readonly #visible = new Map<Environment, Visible>();
  readonly #bound = new Map<Binding, Bound>();
  #environment: Environment | null = null;
  #node: Node;
  #open: Tracked[] = [];
  #turn = 0;
  #version = -1;
  #updated: Environment | null = null;

  constructor(
    fn: MachineFunction,
    places: Int32Array,
    offsets: FrameOffsets,
    isNothing: (i: MachineInstruction) => boolean,
    rotated: ReadonlyMap<MachineInstruction, MachineBlock>,
  ) {
    this.#origin = fn.origin ?? bug('a function without notes');
    this.#offsets = offsets;
    this.#root = newNode(null, null);
    this.#node = this.#root;
    this.#places = new ValuePlaces(fn, places, this.#valuesOf(fn), isNothing, rotated);
  }

  /** The code of a block begins. */
  enter(block: MachineBlock, mark: Mark): void {
    this.#places.enter(block);
    this.#update({ mark, early: 0 });
  }

  /** What comes next is of this location; without one it is of the last. */
  at(location: Location | null, mark: Mark): void {
    if (location?.environment !== undefined) this.#environment = location.environment;
    this.#update({ mark, early: 0 });
  }

  reach(i: MachineInstruction): void {
    this.#places.reach(i);
  }

  /**
   * The instruction in front of the mark has been executed.
   * @param a what it wrote, as long as it was virtual
   * @param isCall then its last byte is what debuggers look up for the frames above: what it destroys is not there any more
   */
  executed(i: MachineInstruction, a: number, mark: Mark, isCall: boolean): void {
    this.#places.destroy(i, a);
    if (isCall) this.#update({ mark, early: 1 });
    this.#places.define(i, a);
    this.#update({ mark, early: 0 });
  }

  /** A jump to a trap leaves from here. */
  trapSite(known: TrapSite | null): TrapSite {
    const now = this.#open.filter((tracked) => tracked.key !== '');
    if (known === null) {
      return { node: this.#node, keys: new Map(now.map((tracked) => [tracked, { key: tracked.key, parts: tracked.parts }])) };
    }
    known.node = commonNode(known.node, this.#node);
    for (const [tracked, { key }] of known.keys) if (tracked.key !== key) known.keys.delete(tracked);
    return known;
  }

  /** The code of a trap begins. */
  atTrap(site: TrapSite, mark: Mark): void {
    const point = { mark, early: 0 };
    this.#goTo(site.node, point);
    for (const tracked of this.#open) if (!site.keys.has(tracked)) move(tracked, '', [], point);
    for (const [tracked, { key, parts }] of site.keys) move(tracked, key, parts, point);
    this.#open = [...site.keys.keys()];
    this.#updated = null;
  }

  finish(end: Mark, offsetOf: (mark: Mark) => number): DebugScope {
    const point = { mark: end, early: 0 };
    for (const tracked of this.#open) move(tracked, '', [], point);
    for (let node: Node | null = this.#node; node !== null; node = node.parent) leave(node, point);
    const at = ({ mark, early }: Point): number => offsetOf(mark) - early;
    return { ...scopeOf(this.#root, at), ranges: [[0, at(point)]] };
  }

  #update(point: Point): void {
    const environment = this.#environment;
    if (environment === null || (environment === this.#updated && this.#version === this.#places.version)) return;
    this.#updated = environment;
    this.#version = this.#places.version;
    const { node, list } = this.#visibleIn(environment);
    if (node !== this.#node) this.#goTo(node, point);
    const turn = ++this.#turn;
    for (const { tracked, parts } of list) {
      tracked.seen = turn;
      if (!this.#ask(tracked, parts)) continue;
      const { held } = tracked;
      const isThere = held.some((each) => each !== NOTHING);
      // Constants differ by what they are.
      const key = isThere ? `${held},${parts.map(({ fixed }) => (fixed === null ? '' : keyOf(fixed)))}` : '';
      if (key !== tracked.key) {
        const pieces = key === '' ? [] : parts.map((part) => ({ bytes: part.bytes, piece: part.fixed ?? this.#pieceOf(part.bits) }));
        move(tracked, key, pieces, point);
      }
      tracked.asked = parts;
    }
    for (const tracked of this.#open) if (tracked.seen !== turn) move(tracked, '', [], point);
    this.#open = list.map(({ tracked }) => tracked);
  }

  /** Notes what holds the parts of a variable here. False: the same as before. */
  #ask(tracked: Tracked, parts: readonly Part[]): boolean {
    const { held } = tracked;
    let isNew = tracked.asked !== parts;
    for (let n = 0; n < parts.length; n++) {
      const { fixed, bits } = parts[n] ?? bug('a hole in the parts');
      const now = fixed !== null ? FIXED : (this.#places.firstHeld(bits) ?? NOTHING);
      if (held[n] === now) continue;
      held[n] = now;
      isNew = true;
    }
    held.length = parts.length;
    return isNew;
  }

  #pieceOf(bits: readonly number[]): Piece | null {
    const bit = this.#places.firstHeld(bits);
    return bit === null ? null : this.#pieceOfHome(this.#places.homes[bit] ?? bug('a bit without a home'));
  }

  #pieceOfHome(home: Home): Piece {
    if (home.kind === 'stack') return { kind: 'frame', offset: home.offset };
    const { place } = home;
    if (place < 0) return { kind: 'frame', offset: this.#offsets.spillBase - 8 * (-1 - place) };
    return { kind: 'register', register: place >= XMM0 ? firstVector + place - XMM0 : dwarfRegister[name64(place)] };
  }

  #goTo(node: Node, point: Point): void {
    const common = commonNode(node, this.#node);
    for (let at: Node | null = this.#node; at !== null && at !== common; at = at.parent) leave(at, point);
    for (let at: Node | null = node; at !== null && at !== common; at = at.parent) at.since = point;
    this.#node = node;
  }

  /** All that environments speak of. */
  #valuesOf(fn: MachineFunction): Set<Value> {
    const values = new Set<Value>();
    const seen = new Set<Environment | Binding>();
    const look = (environment: Environment | undefined): void => {
      if (environment === undefined || seen.has(environment)) return;
      seen.add(environment);
      for (const binding of environment.bindings) {
        if (seen.has(binding)) continue;
        seen.add(binding);
        for (const part of binding.parts) {
          const value = this.#current(part);
          if (value !== null && value.id >= 0) values.add(value);
        }
      }
      look(environment.inlined?.call.environment);
    };
    look(this.#origin.notes.entry.environment);
    for (const block of fn.blocks) for (const i of block.instructions) look(i.location?.environment);
    return values;
  }

  #current(part: Value | null): Value | null {
    const now = part === null ? null : this.#origin.notes.current(part);
    return now === null ? null : this.#origin.notes.current(throughTrunc(now));
  }

  #visibleIn(environment: Environment): Visible {
    let visible = this.#visible.get(environment);
    if (visible !== undefined) return visible;
    const list: Bound[] = [];
    for (let at: Environment | undefined = environment; at !== undefined; at = at.inlined?.call.environment)
      for (const binding of at.bindings) list.push(this.#boundIn(at, binding));
    visible = { node: this.#nodeOf(environment, environment.block), list };
    this.#visible.set(environment, visible);
    return visible;
  }

  #boundIn(environment: Environment, binding: Binding): Bound {
    let bound = this.#bound.get(binding);
    if (bound === undefined) {
      const { variable, block, parts } = binding;
      const tracked = this.#trackedIn(this.#nodeOf(environment, block), variable);
      bound = { tracked, parts: parts.map((part) => this.#part(part)) };
      this.#bound.set(binding, bound);
    }
    return bound;
  }

  #trackedIn(node: Node, variable: SourceVariable): Tracked {
    let tracked = node.variables.get(variable);
    if (tracked === undefined) {
      const since = { mark: { raw: 0, jumps: 0 }, early: 0 };
      tracked = { variable, places: [], key: '', parts: [], asked: null, held: [], since, seen: 0 };
      node.variables.set(variable, tracked);
    }
    return tracked;
  }

  #part(given: Value | null): Part {
    const bytes = given === null ? 0 : bytesOf(given.type);
    const value = this.#current(given);
    if (given === null || value === null) return { bytes, bits: [], fixed: null };
    const { def } = value;
    if (!(def instanceof Instruction)) return { bytes, bits: this.#places.of(value), fixed: null };
    if (def.op === 'const') {
      const bits = def.type === 'f64' ? floatBits(Number(def.value)) : BigInt.asUintN(bitsOf(given.type), BigInt(def.value));
      return { bytes, bits: [], fixed: { kind: 'constant', value: bits } };
    }
    if (def.op === 'symbol') return { bytes, bits: [], fixed: { kind: 'address', symbol: def.symbol, addend: def.offset } };
    if (def.op === 'slot' && def.slot !== null) {
      const { frame, slotOffsets } = this.#offsets;
      return { bytes, bits: [], fixed: { kind: 'frame-address', offset: frame + (slotOffsets[def.slot.index] ?? 0) + def.offset } };
    }
    return { bytes, bits: this.#places.of(value), fixed: null };
  }

  /** The node of a scope within the inlined call that the environment is of. */
  #nodeOf(environment: Environment, block: LexicalBlock): Node {
    const { inlined } = environment;
    let blocks = this.#nodes.get(inlined);
    if (blocks === undefined) this.#nodes.set(inlined, (blocks = new Map()));
    const key = block.parent === null ? null : block;
    let node = blocks.get(key);
    if (node !== undefined) return node;
    if (key !== null && block.parent !== null) node = newNode(this.#nodeOf(environment, block.parent), null);
    else if (inlined === null) node = this.#root;
    else {
      const around = inlined.call.environment;
      node = newNode(around === undefined ? this.#root : this.#nodeOf(around, around.block), inlined);
    }
    blocks.set(key, node);
    return node;
  }
}

/** The number of XMM0. */
const firstVector = 17;

function newNode(parent: Node | null, inlined: InlinedCall | null): Node {
  const depth = parent === null ? 0 : parent.depth + 1;
  const node: Node = { parent, inlined, depth, nodes: [], variables: new Map(), ranges: [], since: null };
  parent?.nodes.push(node);
  return node;
}

function commonNode(a: Node, b: Node): Node {
  let x = a;
  let y = b;
  while (x !== y) {
    if (x.depth >= y.depth) x = x.parent ?? bug('all nodes are below one');
    else y = y.parent ?? bug('all nodes are below one');
  }
  return x;
}

function leave(node: Node, to: Point): void {
  if (node.since !== null) node.ranges.push({ from: node.since, to });
  node.since = null;
}

function move(tracked: Tracked, key: string, parts: VariablePlace['parts'], point: Point): void {
  if (tracked.key === key) return;
  if (tracked.key !== '') tracked.places.push({ from: tracked.since, to: point, key: tracked.key, parts: tracked.parts });
  tracked.key = key;
  tracked.parts = parts;
  tracked.asked = null;
  tracked.since = point;
}

function keyOf(piece: Piece): string {
  switch (piece.kind) {
    case 'constant':
      return `c${piece.value}`;
    case 'address':
      return `a${piece.symbol}+${piece.addend}`;
    case 'frame':
    case 'frame-address':
      return `f${piece.offset}`;
    case 'register':
      return `r${piece.register}`;
  }
}

function scopeOf(node: Node, at: (point: Point) => number): DebugScope {
  const variables: PlacedVariable[] = [];
  for (const { variable, places } of node.variables.values()) variables.push({ variable, places: placesOf(places, at) });
  const ranges: [number, number][] = [];
  for (const { from, to } of node.ranges) {
    const last = ranges.at(-1);
    if (at(to) <= at(from)) continue;
    if (last !== undefined && last[1] >= at(from)) last[1] = Math.max(last[1], at(to));
    else ranges.push([at(from), at(to)]);
  }
  const { inlined } = node;
  return {
    inlined: inlined === null ? null : { callee: inlined.callee, call: inlined.call },
    ranges,
    variables,
    scopes: node.nodes.map((each) => scopeOf(each, at)).filter((each) => each.ranges.length > 0),
  };
}

function placesOf(places: Tracked['places'], at: (point: Point) => number): VariablePlace[] {
  const list: (VariablePlace & { to: number; readonly key: string })[] = [];
  for (const { from, to, key, parts } of places) {
    const start = at(from);
    const end = at(to);
    if (end <= start) continue;
    const last = list.at(-1);
    if (last !== undefined && last.to === start && last.key === key) last.to = end;
    else list.push({ from: start, to: end, parts, key });
  }
  return list.map(({ from, to, parts }) => ({ from, to, parts }));
}
