/**
 * Regions → WebAssembly: `region(base, left, page) → REGION`.
 *
 * Each instruction is emitted by `emitInstruction` from the same terms as in tier 0, with registers in locals (region-access.ts). What is not
 * straight leaves the region with nothing of its instruction done (a *cold* exit): the function that tier 0 has for it (by its entry) does it, and
 * execution goes on at RIP, in a region if there is one, whatever the instruction has changed.
 *
 * Counting: a block takes its instructions from *left* at its begin, a cold exit gives back those that did not retire. At the region's begin and
 * on each edge to a loop header the region is left if the longest way to the next such place might need more than is left.
 */
import { CR0, CR4, FAULT_PENDING, GPR, LEFT, RFLAGS_REST, RIP, TLB_EXECUTE } from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import type { Effect, FlagWrite, FlagWrites } from '../isa/dsl.ts';
import type { Flag } from '../isa/flags.ts';
import type { Term } from '../isa/term.ts';
import { Code, Var32 } from './code.ts';
import { mapEffect } from './effect-terms.ts';
import { type EmitServices, emitInstruction, type Site } from './emit.ts';
import { ENTRY, REGION } from './entry.ts';
import { ALL_FLAGS, flagBit } from './flag-use.ts';
import { STATUS, storeDirection } from './flags.ts';
import { KnownPlaces } from './known-places.ts';
import type { Lowering } from './lower.ts';
import { LocalPool } from './lowering-context.ts';
import { enterPrivilege } from './privilege-code.ts';
import type { Recorded } from './recorders.ts';
import { RegionAccess, RegionState } from './region-access.ts';
import { leaveIfFull, logBefore } from './region-events.ts';
import { PARAMETER, RegionExit } from './region-exit.ts';
import { type FlagState, RegionFlags } from './region-flags.ts';
import { floatHalves } from './region-floats.ts';
import type { RegionForm } from './region-form.ts';
import { type Block, countOf, type Edge, pageOf, type RegionInstruction } from './region-graph.ts';
import { type Liveness, liveness } from './region-liveness.ts';
import { RegionRecorders } from './region-recorders.ts';
import { type Node, structure } from './region-structure.ts';
import { pushNotPlain, type SystemCall } from './region-system.ts';
import type { Origins } from './register-origins.ts';
import { chooseTlbSet } from './rflags-code.ts';
import { substitute } from './substitute.ts';
import { type FunctionBuilder, type Label, OP } from './wasm.ts';

/** CR0.EM TS and CR4.OSFXSR: what SSE instructions ask for. */
const CR0_NO_SSE = (1 << 2) | (1 << 3);
const CR4_OSFXSR = 1 << 9;
/** RIPs of a region lie so far from its page at most: a page that far from the ends of the canonical halves needs no other check. */
const REACH = 1n << 33n;

/**
 * So many instructions share a way to the exit. Each local that an instruction writes has a value of its own on each way to the exit, which costs the engine
 * a move there: the others have the same value on all ways that join before it.
 */
const EXITS_TOGETHER = 8;
/** With more known targets than these an indirect jump finds its block by a table. */
const MOST_COMPARED = 4;

/** What the head of an inner block of a region holds, so that the region's indirect jumps find the block. */
export const innerMark = (region: number, block: number): number => (1 << 31) | (region << 8) | block;
/** More blocks are not told apart by marks. */
const MOST_INNER = 256;

/** Indices of functions in the module, and of types. */
export interface Imported {
  readonly refill: number;
  readonly stored: number;
  readonly faulted: number;
  readonly regionType: number;
  /** The type of tier 0's functions. */
  readonly formType: number;
  /** Of log-code.ts. */
  readonly syscall: number;
  readonly sysret: number;
}

/** What is compiled: the graph from `head` on, and the number of the code page of each relative page that it has code in. */
export interface RegionSource {
  readonly head: Block;
  readonly pages: ReadonlyMap<number, number>;
}

interface Here {
  readonly flags: FlagState;
  readonly ordinary: number;
  readonly places: KnownPlaces['now'];
  readonly origins: Origins;
}

export class RegionEmitter {
  readonly #f: FunctionBuilder;
  readonly #imported: Imported;
  readonly #recorders: RegionRecorders;
  readonly #head: Block;
  readonly #index: number;
  readonly #pages: ReadonlyMap<number, number>;
  /** Bits for relative pages that are known to be what they were when the region was compiled. */
  readonly #checked: number;
  readonly #checkedBits = new Map<number, number>();
  /** There are instructions after which each page is another address space's: that of the head is checked, too. */
  readonly #changesPrivilege: boolean;
  /** Numbers of blocks that indirect jumps lead to, by address. */
  readonly inner = new Map<number, number>();
  readonly #nodes: ReadonlyMap<Block, Node>;
  readonly #base = PARAMETER.base;
  readonly #left = PARAMETER.left;
  readonly #page = PARAMETER.page;
  readonly #exits: RegionExit;
  readonly #locals: LocalPool;
  readonly #state: RegionState;
  readonly #loops = new Map<Node, Label>();
  readonly #merges = new Map<Node, Label>();
  readonly #flags: RegionFlags;
  readonly #places: KnownPlaces;
  readonly #liveness: Liveness;
  /** Not 0: the instruction's store is to be told of. */
  readonly #told: number;
  /** Where exits go, with RIP and a value of REGION in their locals. */
  readonly #status: number;
  #exit: Label | null = null;

  /** `index`: of the function in the table of regions. */
  constructor(f: FunctionBuilder, imported: Imported, { head, pages }: RegionSource, index: number, recorded: Recorded) {
    this.#f = f;
    this.#imported = imported;
    this.#recorders = new RegionRecorders(f, this.#base, this.#page, recorded);
    this.#head = head;
    this.#index = index;
    this.#pages = pages;
    this.#checked = f.local('i32');
    this.#nodes = structure(head);
    this.#changesPrivilege = [...this.#nodes.keys()].some(({ instructions }) => instructions.at(-1)?.form.system != null);
    if (this.#changesPrivilege) this.#checkedBits.set(0, 1);
    this.#exits = new RegionExit(f, imported);
    this.#locals = new LocalPool(f);
    this.#told = f.local('i32');
    this.#status = f.local('i32');
    this.#state = new RegionState(f, this.#base, this.#page, floatHalves([...this.#nodes.keys()].flatMap((b) => b.instructions)));
    this.#flags = new RegionFlags(f, this.#state, this.#locals, { base: this.#base, float: null, integer: null, giveUp: null });
    this.#places = new KnownPlaces(f);
    this.#liveness = liveness(this.#nodes);
  }

  emit(): void {
    const f = this.#f;
    const head = this.#node(this.#head);
    this.#exit = f.block();
    this.#enter(head);
    this.#tree(head);
    f.end();
    this.#flags.finish();
    this.#storeState();
    f.get(this.#status);
    f.if(undefined, false);
    // The interpreter finds the fault of a refill once more.
    f.get(this.#base);
    f.i32(0);
    f.store('i32', FAULT_PENDING);
    f.i32(REGION.cold);
    f.op(OP.return);
    f.end();
    this.#exits.call();
    this.#exits.chain();
    f.i32(REGION.jump);
    f.op(OP.return);
    f.op(OP.unreachable);
    f.before(() => {
      this.#exits.loadTlb();
      if (this.#changesPrivilege) {
        f.i32(1);
        f.set(this.#checked);
      }
      this.#state.load();
      this.#recorders.load();
    });
  }

  #node(block: Block): Node {
    return this.#nodes.get(block) ?? bug('a block without a node');
  }

  // ---- Entry and exits ---------------------------------------------------------------------------------------------------------------

  /** What is asked once: the budget, SSE, and that direct targets are canonical. */
  #enter(head: Node): void {
    const f = this.#f;
    this.#needBudget(head);
    this.#state.rip(head.block.at);
    f.set(this.#exits.rip);
    f.i32(REGION.cold);
    f.set(this.#status);
    let usesSse = false;
    for (const { instructions } of this.#nodes.keys()) usesSse ||= instructions.some((i) => i.form.needs === 'sse');
    if (usesSse) {
      f.get(this.#base);
      f.load('i32', CR0);
      f.i32(CR0_NO_SSE);
      f.op(OP.i32.and);
      f.get(this.#base);
      f.load('i32', CR4);
      f.i32(CR4_OSFXSR);
      f.op(OP.i32.and, OP.i32.eqz, OP.i32.or);
      f.brIf(this.#exitLabel, false);
    }
    for (const reach of [-REACH, REACH]) {
      f.get(this.#page);
      f.i64(reach);
      f.op(OP.i64.add);
      f.i64(47n);
      f.op(OP.i64.shr_s);
      f.i64(1n);
      f.op(OP.i64.add);
      f.i64(2n);
      f.op(OP.i64.ge_u);
      f.brIf(this.#exitLabel, false);
    }
    f.i32(REGION.jump);
    f.set(this.#status);
  }

  get #exitLabel(): Label {
    return this.#exit ?? bug('no exit yet');
  }

  /** Leaves the region before a block if the budget might end within it, or on the way from it. */
  #needBudget(to: Node): void {
    const f = this.#f;
    f.get(this.#left);
    f.i32(to.weight);
    f.op(OP.i32.lt_u);
    f.if(undefined, false);
    this.#coldExit(to.block.at, 0, 0);
    f.end();
  }

  #storeState(): void {
    const f = this.#f;
    this.#state.store();
    this.#recorders.store();
    f.get(this.#base);
    f.get(this.#exits.rip);
    f.store('i64', RIP);
    f.get(this.#base);
    f.get(this.#left);
    f.store('i32', LEFT);
  }

  /** What is known at the point that is being emitted: the same on each way from a fork. */
  get #here(): Here {
    return { flags: this.#flags.now, ordinary: this.#state.ordinary, places: this.#places.now, origins: this.#state.origins.now };
  }

  set #here({ flags, ordinary, places, origins }: Here) {
    this.#flags.now = flags;
    this.#state.ordinary = ordinary;
    this.#places.now = places;
    this.#state.origins.now = origins;
  }

  /** Ways join: what is known is what holds on each of them. */
  #join(flags: FlagState): void {
    this.#flags.now = flags;
    this.#state.ordinary = 0;
    this.#places.now = [];
    this.#state.origins.forget();
  }

  // ---- Structure -----------------------------------------------------------------------------------------------------------------------

  /** The block and all that it dominates; nothing falls out at the end. */
  #tree(node: Node): void {
    const f = this.#f;
    if (node.isLoop) this.#loops.set(node, f.loop());
    if (node.isLoop || node.isMerge) this.#join(RegionFlags.joined(this.#liveness.readAt.get(node.block) ?? 0));
    this.#within(
      node,
      node.children.filter((child) => child.isMerge).sort((a, b) => a.order - b.order),
    );
    if (node.isLoop) f.end();
  }

  /** The block inside of blocks at whose ends its merge children follow, the last of them outermost. */
  #within(node: Node, merges: readonly Node[]): void {
    const last = merges.at(-1);
    if (last === undefined) return this.#block(node);
    this.#merges.set(last, this.#f.block());
    this.#within(node, merges.slice(0, -1));
    this.#f.end();
    this.#tree(last);
  }

  #follow(from: Node, edge: Edge): void {
    const f = this.#f;
    if ('out' in edge) {
      this.#state.rip(edge.out);
      f.set(this.#exits.rip);
      return this.#jumpExit();
    }
    const to = this.#node(edge.to);
    if (pageOf(edge.to.at) !== pageOf(from.block.at) || from.block.instructions.at(-1)?.form.system != null) this.#needPage(edge.to.at);
    if (to.isLoop) this.#needBudget(to);
    if (to.isLoop || to.isMerge) this.#flags.join(this.#liveness.readAt.get(edge.to) ?? 0, this.#liveness.liveAt.get(edge.to) ?? 0);
    if (to.order <= from.order) return f.br(this.#loops.get(to) ?? bug('a backward edge to what is no loop'));
    if (to.isMerge) return f.br(this.#merges.get(to) ?? bug('an edge to a merge that is not open'));
    this.#tree(to);
  }

  /**
   * Leaves the region before a block of another page, unless that page is translated to the code that the block was compiled from. Nothing can
   * change that while the region runs: it is asked once.
   */
  #needPage(at: number): void {
    const f = this.#f;
    const page = pageOf(at);
    if (page === 0 && !this.#changesPrivilege) return;
    const bit = this.#checkedBits.get(page) ?? 1 << this.#checkedBits.size;
    this.#checkedBits.set(page, bit);
    const slot = f.local('i32');
    f.get(this.#checked);
    f.i32(bit);
    f.op(OP.i32.and, OP.i32.eqz);
    f.if(undefined, false);
    this.#state.rip(at);
    f.set(this.#exits.rip);
    this.#exits.executeSlot(slot);
    this.#exits.isForeign();
    f.get(slot);
    f.load('i32', TLB_EXECUTE + 12);
    f.i32(this.#pages.get(page) ?? bug('a page without a number'));
    f.op(OP.i32.ne, OP.i32.or);
    f.if(undefined, false);
    this.#jumpExit();
    f.end();
    f.get(this.#checked);
    f.i32(bit);
    f.op(OP.i32.or);
    f.set(this.#checked);
    f.end();
  }

  // ---- Blocks --------------------------------------------------------------------------------------------------------------------------

  #block(node: Node): void {
    const f = this.#f;
    const { instructions, end } = node.block;
    const count = countOf(node.block);
    f.get(this.#left);
    f.i32(count);
    f.op(OP.i32.sub);
    f.set(this.#left);
    const live = this.#liveness.liveAfter(node.block);
    const last = end.kind === 'jump' || end.kind === 'branch' || end.kind === 'indirect' ? instructions.at(-1) : undefined;
    const straight = last === undefined ? instructions : instructions.slice(0, -1);
    for (let from = 0; from < straight.length; from += EXITS_TOGETHER) {
      this.#together(() => {
        for (const [i, instruction] of straight.slice(from, from + EXITS_TOGETHER).entries())
          this.#instruction(instruction, count - from - i, null, node, live[from + i] ?? 0);
      });
    }
    if (end.kind === 'cold') return this.#coldExit(end.at, 1, end.entry);
    if (end.kind === 'next') return this.#follow(node, end.edge);
    this.#instruction(last ?? bug('a block that ends with nothing'), 1, end, node, live.at(-1) ?? 0);
  }

  /** What leaves the region within `emit` (which falls out at its end) joins before it goes to the exit. */
  #together(emit: () => void): void {
    const f = this.#f;
    const exit = this.#exit;
    const done = f.block();
    const joined = f.block();
    this.#exit = joined;
    emit();
    this.#exit = exit;
    f.br(done);
    f.end();
    f.br(this.#exitLabel);
    f.end();
  }

  /** To the exit; what is known of flags stays as it is for code of other ways. */
  #jumpExit(): void {
    const known = this.#flags.now;
    this.#flags.toKind(ALL_FLAGS);
    this.#flags.now = known;
    this.#f.br(this.#exitLabel);
  }

  /** `entry`: of the instruction at `at`; 0: the interpreter goes on there. */
  #coldExit(at: number, unretired: number, entry: number): void {
    const f = this.#f;
    this.#stopAt(at, unretired);
    f.i32(entry === 0 ? REGION.cold : entry);
    f.set(entry === 0 ? this.#status : this.#exits.called);
    this.#jumpExit();
  }

  /** Sets RIP, and gives back the block's instructions that do not retire. */
  #stopAt(at: number, unretired: number): void {
    const f = this.#f;
    if (unretired > 0) {
      f.get(this.#left);
      f.i32(unretired);
      f.op(OP.i32.add);
      f.set(this.#left);
    }
    this.#state.rip(at);
    f.set(this.#exits.rip);
  }

  /** `unretired`: instructions of the block from this one on. `end`: how the block ends, if this is its last. */
  #instruction(instruction: RegionInstruction, unretired: number, end: Block['end'] | null, node: Node, live: number): void {
    const f = this.#f;
    this.#locals.reset();
    this.#flags.begin();
    const before = this.#flags.now;
    const { form } = instruction;
    const { mayGoCold } = form.flagUse;
    const done = end === null && mayGoCold ? f.block() : null;
    const cold = mayGoCold ? f.block() : this.#exitLabel;
    const site: Site = {
      f,
      locals: this.#locals,
      entry: null,
      cold,
      hasLinks: false,
      direct: this.#direct(node, end),
      next: () => {
        if (done !== null) return f.br(done);
        if (end?.kind === 'branch') this.#follow(node, end.next);
      },
      again: () => bug('a region repeats nothing'),
      jump: (target) => {
        f.get(target);
        f.set(this.#exits.rip);
        if (form.system !== null) this.#enterPrivilege(form.system);
        if (end?.kind === 'indirect' && end.foreseen !== null) this.#known(node, [end.foreseen]);
        if (end?.kind === 'indirect' && end.known.length > MOST_COMPARED) this.#inner(node, end.known);
        else if (end?.kind === 'indirect') this.#known(node, end.known);
        this.#jumpExit();
      },
      goto: () => bug('a region has no links'),
      fault: () => f.br(cold),
      leave: () => bug('a region runs no helpers'),
    };
    const { refill } = this.#imported;
    const none = { load: 0, store: 0, probe: 0, segment: 0, helper: 0, float: null, integer: null };
    const places = this.#places;
    const told = end === null && form.mayTell ? this.#told : null;
    const services: EmitServices = { ...none, refill, places, told, base: this.#base, tlb: this.#exits.tlb, giveUp: cold };
    const effect = this.#withFlags(form);
    const written = effect.writes.map((write) => write.value);
    const access = new RegionAccess(this.#state, instruction, (l) => this.#prepareFlags(l, effect.flags, written, live));
    if (form.system !== null) {
      pushNotPlain(f, this.#base, form.system, (index) => this.#state.get(GPR + 8 * index));
      f.brIf(cold, false);
      logBefore(this.#state, this.#left, form.system, instruction.at, this.#imported);
    }
    const recorders = this.#recorders.of(instruction, end === null ? null : node.block, this.#locals);
    emitInstruction({ ...form, effect: { ...effect, flags: needed(effect.flags, live) } }, site, access, services, recorders);
    if (!mayGoCold) return;
    f.end();
    const after = this.#flags.now;
    this.#flags.now = before;
    this.#coldExit(instruction.at, unretired, instruction.entry);
    this.#flags.now = after;
    if (done !== null) f.end();
    if (told !== null) this.#tellStore(instruction.next, unretired - 1);
  }

  /** Tells of the store that was just made, if it is to be; the region is left if its own code may lie elsewhere since. */
  #tellStore(next: number, unretired: number): void {
    const f = this.#f;
    f.get(this.#told);
    f.if(undefined, false);
    f.i32(0);
    f.set(this.#told);
    f.call(this.#imported.stored);
    f.if(undefined, false);
    this.#stopAt(next, unretired);
    this.#jumpExit();
    f.end();
    this.#places.tableStored();
    f.end();
  }

  #enterPrivilege(system: SystemCall): void {
    const f = this.#f;
    const code = new Code(f);
    const base = new Var32(f, this.#base);
    enterPrivilege(code, base, system === 'SYSCALL' ? 'kernel' : 'user');
    chooseTlbSet(code, base, base.load32(RFLAGS_REST));
    this.#exits.loadTlb();
    this.#places.now = [];
    f.i32(0);
    f.set(this.#checked);
    leaveIfFull(this.#state, this.#left, () => this.#jumpExit());
  }

  /** DF lies in memory, as all of RFLAGS but the status flags. */
  #prepareFlags(l: Lowering, flags: FlagWrites, written: readonly Term[], live: number): () => void {
    const status = this.#flags.prepare(l, flags, written, live);
    const write = flags.values.df;
    if (write === undefined) return status;
    const df = l.toLocal(write.value);
    return () => {
      status();
      storeDirection(this.#f, this.#base, df);
    };
  }

  /** The effect with what is known of flags in place of the flags that it reads. */
  #withFlags({ effect, flagUse }: RegionForm): Effect {
    if (flagUse.reads === 0) return effect;
    const memo = new Map<Term, Term>();
    const known = (t: Term) => (t.source?.kind === 'flag' && t.source.flag !== 'df' ? this.#flags.termOf(t.source.flag) : null);
    return mapEffect(effect, (t) => substitute(t, known, memo));
  }

  #direct(node: Node, end: Block['end'] | null): (() => void) | null {
    if (end?.kind === 'branch') {
      return () => {
        const here = this.#here;
        this.#follow(node, end.taken);
        this.#here = here;
      };
    }
    if (end?.kind === 'jump') return () => this.#follow(node, end.edge);
    return null;
  }

  /** Goes to the block at RIP, if its head has this region's mark. */
  #inner(node: Node, known: readonly Edge[]): void {
    const f = this.#f;
    const edges = known.flatMap((edge) => {
      if (!('to' in edge)) return [];
      const number = this.inner.get(edge.to.at) ?? this.inner.size;
      if (number >= MOST_INNER) return [];
      this.inner.set(edge.to.at, number);
      return [{ edge, number }];
    });
    const labels = edges.map(() => f.block());
    const none = f.block();
    const table = Array.from({ length: this.inner.size }, () => none);
    for (const [i, { number }] of edges.entries()) table[number] = labels[i] ?? none;
    const entry = f.local('i32');
    this.#exits.findEntry(entry, none);
    // The same frame may lie at other addresses, too: the region's own are relative to its page.
    f.get(this.#exits.rip);
    f.i64(-4096n);
    f.op(OP.i64.and);
    f.get(this.#page);
    f.op(OP.i64.ne);
    f.brIf(none, false);
    f.get(entry);
    f.load('i32', ENTRY.inner);
    f.i32(innerMark(this.#index, 0));
    f.op(OP.i32.sub);
    f.brTable(table, none);
    f.end();
    const here = this.#here;
    this.#jumpExit();
    for (const { edge } of [...edges].reverse()) {
      f.end();
      this.#here = here;
      this.#follow(node, edge);
    }
    this.#here = here;
  }

  /** Asks whether RIP is one of the known targets. */
  #known(node: Node, known: readonly Edge[]): void {
    const f = this.#f;
    for (const edge of known) {
      if (!('to' in edge)) continue;
      f.get(this.#exits.rip);
      this.#state.rip(edge.to.at);
      f.op(OP.i64.eq);
      f.if();
      const here = this.#here;
      this.#follow(node, edge);
      this.#here = here;
      f.end();
    }
  }
}

/** Of the flags that are written, those that matter. */
function needed({ when, values }: FlagWrites, live: number): FlagWrites {
  const matter: Partial<Record<Flag, FlagWrite>> = {};
  for (const flag of STATUS) {
    const write = values[flag];
    if (write !== undefined && (live & flagBit(flag)) !== 0) matter[flag] = write;
  }
  return values.df === undefined ? { when, values: matter } : { when, values: { ...matter, df: values.df } };
}
