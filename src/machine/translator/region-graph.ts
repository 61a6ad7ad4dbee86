/**
 * The instructions of a region as a graph of blocks: all that a head leads to along direct edges, within limits.
 *
 * Addresses are numbers relative to the linear page of the head. A near return leads to the return sites of the region's own calls.
 */
import { bug } from '../isa/bug.ts';
import type { Decoded } from '../isa/decode.ts';
import type { Flow } from '../isa/dsl.ts';
import type { RegionForm } from './region-form.ts';

export const MAX_INSTRUCTIONS = 512;
export const MAX_BLOCKS = 64;
/** Return sites that a return compares its target with. */
const MAX_SITES = 8;
/** The same for SYSRET and the region's own SYSCALLs. */
const MAX_SYSTEM_SITES = 4;

export interface RegionInstruction {
  readonly at: number;
  /** Address of the next one. */
  readonly next: number;
  readonly form: RegionForm;
  /** The entry by which tier 0 executes it; 0: there is none yet. */
  readonly entry: number;
}

/** To a block, or out of the region to an address. */
export type Edge = { readonly to: Block } | { readonly out: number };

export type End =
  /** On to what follows, or by a direct jump or call (the last instruction) to its target. */
  | { readonly kind: 'next' | 'jump'; edge: Edge }
  | { readonly kind: 'branch'; taken: Edge; next: Edge }
  /** To a target computed by the last instruction; one that it is thought to have, and some that it may have. */
  | { readonly kind: 'indirect'; foreseen: Edge | null; known: Edge[] }
  /** With an instruction that is not for regions: tier 0 executes it by its entry. */
  | { readonly kind: 'cold'; readonly at: number; readonly entry: number };

export interface Block {
  readonly at: number;
  /** Without one that is not for regions. */
  readonly instructions: readonly RegionInstruction[];
  readonly end: End;
}

/** How many instructions retire in a block. */
export const countOf = ({ instructions, end }: Block): number => instructions.length + (end.kind === 'cold' ? 1 : 0);

/** The instruction at an address, its form (null: it is not for regions) and its entry (0: none yet). */
export interface Read {
  readonly decoded: Decoded;
  readonly form: RegionForm | null;
  readonly entry: number;
}

/** Null: the bytes at the address are not (or no longer) to be had. */
export type CodeReader = (at: number) => Read | null;

/** Where an instruction whose target is computed is thought to lead to; null: nothing is known. */
export type Foresight = (instruction: RegionInstruction) => number | null;

/** Where a call comes back to, and what it calls. */
interface Site {
  readonly at: number;
  readonly target: number;
}

/** What lies at an address: the entry of an instruction that is not for regions, `outside`: nothing to be had. */
type Found = RegionInstruction | number | 'outside';

export class RegionGraph {
  readonly head: Block;
  /** By address. */
  readonly blocks = new Map<number, Block>();
  readonly #read: CodeReader;
  /** Where indirect jumps may lead to. */
  readonly #entered: readonly number[];
  readonly #isCold: (at: number) => boolean;
  readonly #found = new Map<number, Found>();
  readonly #leaders = new Set<number>();
  readonly #foresee: Foresight;
  readonly #sites: Site[] = [];
  #hasReturn = false;
  /** Of SYSCALLs. */
  readonly #systemSites: Site[] = [];
  #hasSystemReturn = false;
  /** Where the returns in the code from an address on lead to, by their addresses. */
  readonly #returns = new Map<number, Set<number>>();
  #count = 0;

  /**
   * `head`: the address of an instruction. `entered`: addresses that were looked up: indirect jumps may lead there. `isCold`: transfers to this address
   * are hardly ever made: they leave the region. `foresee`: where one with a computed target is thought to lead.
   */
  constructor(read: CodeReader, head: number, entered: readonly number[], isCold: (at: number) => boolean, foresee: Foresight) {
    this.#read = read;
    this.#foresee = foresee;
    this.#entered = entered;
    this.#isCold = isCold;
    this.#explore(head);
    for (const site of this.#sites) this.#findReturns(site, (flow) => flow === 'ret');
    for (const site of this.#systemSites) this.#findReturns(site, (_flow, { form }) => form.system === 'SYSRET');
    this.head = this.#cut(head);
  }

  #find(at: number): Found {
    const known = this.#found.get(at);
    if (known !== undefined) return known;
    if (this.#count >= MAX_INSTRUCTIONS) return 'outside';
    const read = this.#read(at);
    const found = read === null ? 'outside' : read.form === null ? read.entry : instructionOf(at, read.form, read.entry);
    if (typeof found === 'object') this.#count++;
    this.#found.set(at, found);
    return found;
  }

  #explore(head: number): void {
    const queue: number[] = [];
    const lead = (at: number) => {
      if (this.#leaders.has(at) || this.#leaders.size >= MAX_BLOCKS) return;
      this.#leaders.add(at);
      queue.push(at);
    };
    const transfer = (at: number) => {
      if (!this.#isCold(at)) lead(at);
    };
    lead(head);
    for (let start = queue.shift(); start !== undefined; start = queue.shift()) {
      for (let at = start; !(this.#found.has(at) && at !== start); ) {
        if (at !== start && this.#leaders.has(at)) break;
        const found = this.#find(at);
        if (typeof found !== 'object') break;
        const { flow } = found.form.decoded.row;
        const isLast = pageOf(found.next) !== pageOf(at);
        at = found.next;
        if (flow === undefined || flow === 'next') {
          // Another page: another block, to which the way is asked for.
          if (isLast) lead(at);
          continue;
        }
        const target = targetOf(found) ?? this.#foresee(found);
        if (target !== null) transfer(target);
        if (flow === 'branch') lead(at);
        if ((flow === 'call' || flow === 'indirect-call') && target !== null && this.#sites.length < MAX_SITES) {
          this.#sites.push({ at, target });
          if (this.#hasReturn) lead(at);
        }
        if (found.form.system === 'SYSCALL' && target !== null && this.#systemSites.length < MAX_SYSTEM_SITES) {
          this.#systemSites.push({ at, target });
          if (this.#hasSystemReturn) lead(at);
        }
        if (found.form.system === 'SYSRET' && !this.#hasSystemReturn) {
          this.#hasSystemReturn = true;
          for (const site of this.#systemSites) lead(site.at);
        }
        if (flow === 'indirect') this.#entered.forEach(transfer);
        if (flow === 'ret' && !this.#hasReturn) {
          this.#hasReturn = true;
          for (const site of this.#sites) lead(site.at);
        }
        break;
      }
    }
  }

  #cut(head: number): Block {
    const { blocks } = this;
    const waiting: { edge: (e: Edge) => void; at: number }[] = [];
    const edge = (at: number, set: (e: Edge) => void) => {
      waiting.push({ edge: set, at });
      return { out: at };
    };
    for (const start of this.#leaders) {
      const instructions: RegionInstruction[] = [];
      let at = start;
      let end: End | null = null;
      while (end === null) {
        const isNext = instructions.length > 0 && (this.#leaders.has(at) || pageOf(at) !== pageOf(start));
        const found = isNext ? 'outside' : this.#found.get(at);
        if (typeof found === 'number') end = { kind: 'cold', at, entry: found };
        else if (found === undefined || found === 'outside') {
          const next: End = { kind: 'next', edge: { out: at } };
          edge(at, (e) => {
            next.edge = e;
          });
          end = next;
        } else {
          instructions.push(found);
          at = found.next;
          end = this.#endOf(found, edge);
        }
      }
      if (instructions.length > 0 || end.kind === 'cold') blocks.set(start, { at: start, instructions, end });
    }
    for (const { edge: set, at } of waiting) {
      const to = blocks.get(at);
      if (to !== undefined) set({ to });
    }
    return blocks.get(head) ?? bug('a region without its head');
  }

  /** Targets that a transfer with a computed one may have. */
  #mayLeadTo({ at, form }: RegionInstruction): readonly number[] {
    return form.decoded.row.flow === 'indirect' ? this.#entered : [...(this.#returns.get(at) ?? [])];
  }

  /** Notes the site at the returns that its callee comes to; calls on the way come back. */
  #findReturns({ at: site, target }: Site, isReturn: (flow: Flow, instruction: RegionInstruction) => boolean): void {
    const seen = new Set<number>();
    const queue = [target];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const found = this.#found.get(at);
      if (typeof found !== 'object' || seen.has(at)) continue;
      seen.add(at);
      const flow = found.form.decoded.row.flow ?? 'next';
      if (isReturn(flow, found)) {
        const sites = this.#returns.get(at) ?? new Set();
        this.#returns.set(at, sites.add(site));
        continue;
      }
      if (flow === 'ret' || found.form.system === 'SYSRET') continue;
      if (flow === 'indirect') queue.push(...this.#entered);
      else if (flow !== 'jump') queue.push(found.next);
      const direct = flow === 'jump' || flow === 'branch' ? targetOf(found) : null;
      if (direct !== null) queue.push(direct);
    }
  }

  #endOf(last: RegionInstruction, edge: (at: number, set: (e: Edge) => void) => Edge): End | null {
    const { flow } = last.form.decoded.row;
    if (flow === undefined || flow === 'next') return null;
    const target = targetOf(last);
    if (target === null) {
      const end = { kind: 'indirect' as const, foreseen: null as Edge | null, known: [] as Edge[] };
      const foreseen = this.#foresee(last);
      const known = this.#mayLeadTo(last);
      if (foreseen !== null && !known.includes(foreseen)) {
        edge(foreseen, (e) => {
          end.foreseen = e;
        });
      }
      for (const at of known) {
        edge(at, (e) => {
          end.known.push(e);
        });
      }
      return end;
    }
    if (flow === 'branch') {
      const end = { kind: 'branch' as const, taken: { out: target } as Edge, next: { out: last.next } as Edge };
      edge(target, (e) => {
        end.taken = e;
      });
      edge(last.next, (e) => {
        end.next = e;
      });
      return end;
    }
    const end = { kind: 'jump' as const, edge: { out: target } as Edge };
    edge(target, (e) => {
      end.edge = e;
    });
    return end;
  }
}

const instructionOf = (at: number, form: RegionForm, entry: number) => ({ at, next: at + form.decoded.length, form, entry });

/** The page that an address lies in, relative to that of the head. */
export const pageOf = (at: number): number => Math.floor(at / 4096);

/** Where a direct transfer goes; null: it is none. */
function targetOf({ form, next }: RegionInstruction): number | null {
  const rel = form.decoded.operands.find((o) => o.kind === 'rel');
  return rel === undefined ? null : next + Number(rel.value);
}
