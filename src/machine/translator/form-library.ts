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
import { formKey, rowNames } from './form-key.ts';
import { hotForms } from './hot-forms.ts';
import { bodyModule, functionsModule } from './tier0.ts';

export interface KnownForm {
  /** The case of the br_table: inlined, or FORM.call. */
  readonly form: number;
  /** Index of the out-of-line function in the table. */
  readonly function: number;
  readonly key: string;
}

export class FormLibrary {
  /** Whether the code records the path. */
  readonly hasPath: boolean;
  /** The interpreter's body; `run` is its export. */
  readonly body: WebAssembly.Module;
  /** Modules with out-of-line functions, in the order in which machines link them. */
  readonly modules: WebAssembly.Module[] = [];
  readonly #known = new Map<string, KnownForm>();
  readonly #inlined = new Map<string, number>();
  readonly #names: ReadonlyMap<Instruction, string>;
  #pending: Form[] = [];
  /** Function indices handed out; table slot 0 stays empty. */
  #functions = 1;

  constructor(options: { readonly hasPath: boolean; readonly hot?: readonly Decoded[] }) {
    this.hasPath = options.hasPath;
    this.#names = rowNames();
    const inlined: Form[] = [];
    for (const decoded of options.hot ?? hotForms()) {
      const effect = effectOf(decoded);
      const key = formKey(decoded, 'long', this.#names);
      if (effect.helper !== null) bug(`${key} cannot be inlined`);
      if (this.#inlined.has(key)) continue;
      this.#inlined.set(key, FORM.inline + inlined.length);
      inlined.push({ decoded, effect, segmentation: 'long' });
    }
    this.body = new WebAssembly.Module(bodyModule(inlined, this.hasPath));
  }

  /** How many table slots are needed after `compile`. */
  get tableSize(): number {
    return this.#functions;
  }

  /** The form of an instruction; its function exists after the next `compile`. */
  find(decoded: Decoded, segmentation: Segmentation): KnownForm {
    const key = formKey(decoded, segmentation, this.#names);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const effect = effectOf(decoded);
    this.#pending.push({ decoded, effect, segmentation });
    const made = { form: this.#inlined.get(key) ?? FORM.call, function: this.#functions++, key };
    if (made.function > 0xffff) bug('more than 65535 forms');
    this.#known.set(key, made);
    return made;
  }

  /** Makes the functions of the forms found since the last call. */
  compile(): void {
    if (this.#pending.length === 0) return;
    const first = this.#functions - this.#pending.length;
    this.modules.push(new WebAssembly.Module(functionsModule(this.#pending, first, this.hasPath)));
    this.#pending = [];
  }
}
