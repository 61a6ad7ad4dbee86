/**
 * The modules whose code follows from the sources alone: everything generated but regions and the functions of rare forms. Emitting them takes longer
 * than most commands have to run, so that a bundle of the command line (tools/bundle.ts) has their bytes written in; from the sources they are made
 * when they are asked for.
 */
import { eventModule } from '../cpu/event-code.ts';
import { transferModule } from '../cpu/transfer-code.ts';
import { bug } from '../isa/bug.ts';
import type { Decoded } from '../isa/decode.ts';
import { effectOf } from '../isa/effect.ts';
import { mmuModule } from '../memory/mmu-code.ts';
import { ramModule } from '../memory/ram-code.ts';
import { translationsModule } from '../memory/translations-code.ts';
import { addressModule } from './address-code.ts';
import { commonForms } from './common-forms.ts';
import type { Form, Segmentation } from './emit.ts';
import { functionsModule } from './form-functions.ts';
import { formKey, immediateOf, type KnownForm, rowNames } from './form-key.ts';
import { hotForms } from './hot-forms.ts';
import { logModule } from './log-code.ts';
import { readyMade } from './ready-made.ts';
import type { Recorded } from './recorders.ts';
import { systemModule } from './system-code.ts';
import { bodyModule } from './tier0.ts';

/** Under each name what makes the module; `+path` records the path. */
const MAKERS = {
  ram: ramModule,
  translations: translationsModule,
  mmu: mmuModule,
  log: logModule,
  events: eventModule,
  system: () => systemModule(false),
  'system+path': () => systemModule(true),
  transfer: () => transferModule(false),
  'transfer+path': () => transferModule(true),
  body: () => bodyModule(inlinedForms(), { hasPath: false, hasAddresses: false }),
  'body+path': () => bodyModule(inlinedForms(), { hasPath: true, hasAddresses: false }),
  functions: () => functionsModule(outlinedForms(), 1, { hasPath: false, hasAddresses: false }),
  'functions+path': () => functionsModule(outlinedForms(), 1, { hasPath: true, hasAddresses: false }),
} as const satisfies Readonly<Record<string, () => Uint8Array<ArrayBuffer>>>;

export type FixedModule = keyof typeof MAKERS;
export const FIXED_MODULES = Object.keys(MAKERS) as readonly FixedModule[];

export const fixedModule = (name: FixedModule): WebAssembly.Module => new WebAssembly.Module(fixedBytes(name));

export function fixedBytes(name: FixedModule): Uint8Array<ArrayBuffer> {
  const ready = readyMade?.modules[name];
  return ready === undefined ? MAKERS[name]() : Uint8Array.fromBase64(ready);
}

/** Keys of the forms that tier 0's body inlines, in the order of their cases. */
export const inlinedKeys = (): readonly string[] => readyMade?.inlinedKeys ?? [...byKey(hotExamples()).keys()];

/** The forms of `functions`: none in the sources, where each process makes what it meets. */
export const knownForms = (): readonly KnownForm[] => readyMade?.known ?? [];

/** Tier 0's body. One that records addresses, which is rare, is in no bundle. */
export function recordingBody(recorded: Recorded): WebAssembly.Module {
  if (recorded.hasAddresses) return new WebAssembly.Module(bodyModule(inlinedForms(), recorded));
  return fixedModule(recorded.hasPath ? 'body+path' : 'body');
}

/** What folds addresses: likewise. */
export const foldingModule = (): WebAssembly.Module => new WebAssembly.Module(addressModule());

interface Example {
  readonly decoded: Decoded;
  readonly segmentation: Segmentation;
}

const hotExamples = (): Example[] => hotForms().map((decoded) => ({ decoded, segmentation: 'long' }));
const outlinedForms = (): Form[] => [...byKey(commonForms()).values()];

function inlinedForms(): Form[] {
  const forms = byKey(hotExamples());
  for (const [key, { effect }] of forms) if (effect.helper !== null) bug(`${key} cannot be inlined`);
  return [...forms.values()];
}

/** Each form once, in the order of its first example. */
function byKey(examples: readonly Example[]): ReadonlyMap<string, Form> {
  const names = rowNames();
  const forms = new Map<string, Form>();
  for (const { decoded, segmentation } of examples) {
    const key = formKey(decoded, segmentation, names, immediateOf(decoded));
    if (!forms.has(key)) forms.set(key, { decoded, effect: effectOf(decoded), segmentation });
  }
  return forms;
}
