/** The call tree of a run: who called whom, and how many instructions each executed itself. Below the root stand processes. */
import type { CodeFunction } from '../symbols.ts';

export class CallNode {
  /** Null: of a process. */
  readonly code: CodeFunction | null;
  /** Of a process: as people name it. */
  readonly name: string;
  readonly parent: CallNode | null;
  readonly isUser: boolean;
  /** Instructions that it executed itself. */
  self = 0;
  calls = 0;
  readonly #processes = new Map<string, CallNode>();
  /** By ring: code that both execute is two. */
  readonly #called = { user: new Map<CodeFunction, CallNode>(), kernel: new Map<CodeFunction, CallNode>() };

  constructor(code: CodeFunction | null, name: string, parent: CallNode | null, isUser: boolean) {
    this.code = code;
    this.name = name;
    this.parent = parent;
    this.isUser = isUser;
  }

  child(code: CodeFunction, isUser: boolean): CallNode {
    const called = isUser ? this.#called.user : this.#called.kernel;
    let child = called.get(code);
    if (child === undefined) called.set(code, (child = new CallNode(code, code.name, this, isUser)));
    return child;
  }

  process(name: string): CallNode {
    let child = this.#processes.get(name);
    if (child === undefined) this.#processes.set(name, (child = new CallNode(null, name, this, false)));
    return child;
  }

  get children(): readonly CallNode[] {
    const { user, kernel } = this.#called;
    return [...this.#processes.values(), ...user.values(), ...kernel.values()];
  }
}

/** One function in one process. */
export interface FunctionCount {
  readonly process: string;
  /** The file that it comes from; empty: none is known. */
  readonly image: string;
  readonly name: string;
  /** At CPL 3. */
  readonly isUser: boolean;
  /** Instructions that it executed itself; and with all that it called, interrupts and system calls in its time included. */
  readonly self: number;
  readonly total: number;
  /** How often it was called, or entered by an interrupt, an exception or a system call. */
  readonly calls: number;
}

interface Sum {
  readonly process: string;
  readonly code: CodeFunction;
  readonly isUser: boolean;
  self: number;
  total: number;
  calls: number;
  /** How many of its nodes lie on the way from the root to where the count is. */
  depth: number;
}

/** Every function of every process, those with most instructions of their own first. */
export function functionCounts(root: CallNode): FunctionCount[] {
  const sums: Sum[] = [];
  for (const process of root.children) {
    const byCode: Sums = { user: new Map(), kernel: new Map() };
    addNode(process, process.name, byCode);
    sums.push(...byCode.user.values(), ...byCode.kernel.values());
  }
  const rows = sums.map(({ process, code: { image, name }, isUser, self, total, calls }) => ({
    process,
    image,
    name,
    isUser,
    self,
    total,
    calls,
  }));
  return rows.sort((a, b) => b.self - a.self || b.total - a.total || (a.name < b.name ? -1 : 1));
}

interface Sums {
  readonly user: Map<CodeFunction, Sum>;
  readonly kernel: Map<CodeFunction, Sum>;
}

/** Instructions of a node and all below it. */
function addNode(node: CallNode, process: string, sums: Sums): number {
  const { code, isUser, self, calls } = node;
  let sum: Sum | undefined;
  if (code !== null) {
    const ofRing = isUser ? sums.user : sums.kernel;
    sum = ofRing.get(code);
    if (sum === undefined) ofRing.set(code, (sum = { process, code, isUser, self: 0, total: 0, calls: 0, depth: 0 }));
    sum.self += self;
    sum.calls += calls;
    sum.depth++;
  }
  let total = self;
  for (const child of node.children) total += addNode(child, process, sums);
  if (sum !== undefined && --sum.depth === 0) sum.total += total;
  return total;
}

/**
 * Folded stacks, as flame graphs are drawn from: a line `process;outermost;…;innermost count` for each stack in which instructions were executed. What ran
 * in the kernel ends in `_[k]`.
 */
export function* foldedStacks(root: CallNode): Generator<string> {
  for (const process of root.children) yield* folded(process, clean(process.name));
}

function* folded(node: CallNode, stack: string): Generator<string> {
  if (node.self > 0) yield `${stack} ${node.self}`;
  for (const child of node.children) yield* folded(child, `${stack};${clean(child.name)}${child.isUser ? '' : '_[k]'}`);
}

/** A name without what separates stacks from each other. */
function clean(name: string): string {
  return name.replaceAll(/[;\r\n]/g, ':');
}
