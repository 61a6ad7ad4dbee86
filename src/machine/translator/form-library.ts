/**
 * All forms met so far, and the compiled modules that run them. One library serves many machines of a process: it holds code, no
 * state. Each machine has a function table of its own and links the modules that it lacks, in order.
 *
 * Functions are made when a form is first decoded: batched by decoded run, since a module costs much more than a function.
 */

import { bug } from '../isa/bug.ts';
import type { Decoded } from '../isa/decode.ts';
import type { Instruction } from '../isa/dsl.ts';
import { effectOf } from '../isa/effect.ts';
import type { Form, Segmentation } from './emit.ts';
import { FORM } from './entry.ts';
import { fixedModule, foldingModule, inlinedKeys, knownForms, recordingBody } from './fixed-modules.ts';
import { functionsModule } from './form-functions.ts';
import { formKey, immediateOf, type KnownForm, quickKey, rowNames } from './form-key.ts';
import type { Recorded } from './recorders.ts';
import { isForRegions } from './region-form.ts';

/** The functions of a library and their table, for a library of another thread: it needs neither emit nor compile them. To be sent as it is (a structured clone). */
export interface SharedForms extends Recorded {
  readonly modules: readonly WebAssembly.Module[];
  /** In the order of their functions, from 1 on. */
  readonly known: readonly KnownForm[];
}

/** An instance of a module costs more than many functions in one. */
const MANY = 24;
/** Far more than kernels and compilers use (some 500); about 10 KB of host memory each. */
const CAPACITY = 16_000;

interface LibraryOptions {
  readonly hasPath: boolean;
  /** Default: false. */
  readonly hasAddresses?: boolean;
  /** Renewed after so many forms (of which a guest can make more by rare immediates); at most 65,000. */
  readonly capacity?: number;
  /** Of another library that records the same. */
  readonly shared?: SharedForms;
}

export class FormLibrary implements Recorded {
  /** Whether the code records the path, and addresses. */
  readonly hasPath: boolean;
  readonly hasAddresses: boolean;
  /** The interpreter's body; `run` is its export. */
  readonly body: WebAssembly.Module;
  /** See system-code.ts. */
  readonly system: WebAssembly.Module;
  /** See cpu/transfer-code.ts. */
  readonly transfer: WebAssembly.Module;
  /** See log-code.ts. */
  readonly log: WebAssembly.Module;
  /** See cpu/event-code.ts. */
  readonly events: WebAssembly.Module;
  /** See address-code.ts; null: addresses are not recorded. */
  readonly addresses: WebAssembly.Module | null;
  /** Modules with out-of-line functions, in the order in which machines link them. */
  readonly #modules: WebAssembly.Module[] = [];
  /** How many of them, and of the functions, came from another library: their forms are not here. */
  #given: { readonly modules: number; readonly functions: number };
  readonly #forms: Form[] = [];
  /** The functions of the first `modules` modules that were made here once more, in one module: for machines that come late. */
  #all: { readonly module: WebAssembly.Module; readonly modules: number } | null = null;
  readonly #known = new Map<string, KnownForm>();
  /** The same by `quickKey`. */
  readonly #quick = new Map<number, KnownForm>();
  readonly #inlined: ReadonlyMap<string, number>;
  /** Of rows with `byImmediate`: `#immediateOf`. */
  readonly #immediates = new Map<Instruction, number>();
  readonly #names = rowNames();
  #pending: Form[] = [];
  readonly #capacity: number;
  /** Counts renewals: machines drop what they decoded before the last one. */
  generation = 0;
  /** Function indices handed out; table slot 0 stays empty. */
  #functions = 1;

  constructor({ hasPath, hasAddresses = false, capacity = CAPACITY, shared }: LibraryOptions) {
    this.hasPath = hasPath;
    this.hasAddresses = hasAddresses;
    this.#capacity = capacity;
    this.#inlined = new Map(inlinedKeys().map((key, index) => [key, FORM.inline + index]));
    this.body = recordingBody(this);
    this.system = fixedModule(hasPath ? 'system+path' : 'system');
    this.transfer = fixedModule(hasPath ? 'transfer+path' : 'transfer');
    this.log = fixedModule('log');
    this.events = fixedModule('events');
    this.addresses = hasAddresses ? foldingModule() : null;
    const { modules, known } = shared ?? readyForms(this);
    this.#given = { modules: modules.length, functions: known.length };
    this.#modules.push(...modules);
    for (const form of known) this.#known.set(form.key, form);
    this.#functions += known.length;
  }

  /** What it holds by now. */
  share(): SharedForms {
    this.compile();
    const { hasPath, hasAddresses } = this;
    return { hasPath, hasAddresses, modules: this.#modules.slice(), known: [...this.#known.values()] };
  }

  /** Forgets all forms but the body's, when there are so many that the memory for their code matters. Function indices begin anew. */
  renewIfWorn(): void {
    if (this.#functions < this.#capacity) return;
    this.generation++;
    this.#known.clear();
    this.#quick.clear();
    this.#modules.length = 0;
    this.#forms.length = 0;
    this.#all = null;
    this.#given = { modules: 0, functions: 0 };
    this.#functions = 1;
  }

  /** How many table slots are needed after `compile`. */
  get tableSize(): number {
    return this.#functions;
  }

  /** The form of an instruction; its function exists after the next `compile`. */
  find(decoded: Decoded, segmentation: Segmentation): KnownForm {
    const quick = quickKey(decoded, segmentation);
    if (quick < 0) return this.#find(decoded, segmentation);
    const known = this.#quick.get(quick);
    if (known !== undefined) return known;
    const made = this.#find(decoded, segmentation);
    this.#quick.set(quick, made);
    return made;
  }

  #find(decoded: Decoded, segmentation: Segmentation): KnownForm {
    const immediate = this.#immediateOf(decoded);
    const key = formKey(decoded, segmentation, this.#names, immediate);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const effect = effectOf(decoded);
    this.#pending.push({ decoded, effect, segmentation });
    const made = {
      form: this.#inlined.get(key) ?? FORM.call,
      function: this.#functions++,
      key,
      immediate,
      isHelper: effect.helper !== null,
      isForRegions: isForRegions(decoded, effect),
    };
    if (made.function > 0xffff) bug('more than 65535 forms between two renewals');
    this.#known.set(key, made);
    return made;
  }

  /** `immediateOf`, looked for once in each row. */
  #immediateOf(decoded: Decoded): number {
    const { row, operands } = decoded;
    if (row.byImmediate !== true) return operands.findIndex((o) => o.kind === 'imm');
    const known = this.#immediates.get(row);
    if (known !== undefined) return known;
    const index = immediateOf(decoded);
    this.#immediates.set(row, index);
    return index;
  }

  /** Makes the functions of the forms found since the last call. */
  compile(): void {
    if (this.#pending.length === 0) return;
    const first = this.#functions - this.#pending.length;
    this.#modules.push(new WebAssembly.Module(functionsModule(this.#pending, first, this)));
    this.#forms.push(...this.#pending);
    this.#pending = [];
  }

  /** How many modules there are by now. */
  get moduleCount(): number {
    return this.#modules.length;
  }

  /** The modules from number `from` on; many small ones that were made here come as few. */
  modulesFrom(from: number): readonly WebAssembly.Module[] {
    const { modules, functions } = this.#given;
    const made = this.#modules.length - modules;
    if (from > 0 || made < MANY) return this.#modules.slice(from);
    if (this.#all === null || made - this.#all.modules >= MANY) {
      this.#all = { module: new WebAssembly.Module(functionsModule(this.#forms, 1 + functions, this)), modules: made };
    }
    return [...this.#modules.slice(0, modules), this.#all.module, ...this.#modules.slice(modules + this.#all.modules)];
  }
}

/** What a bundle has of the common forms: the first functions of every library. */
function readyForms({ hasPath, hasAddresses }: Recorded): SharedForms {
  const known = hasAddresses ? [] : knownForms();
  return { hasPath, hasAddresses, modules: known.length === 0 ? [] : [fixedModule(hasPath ? 'functions+path' : 'functions')], known };
}
