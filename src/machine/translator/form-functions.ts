/** The out-of-line functions of single forms, which tier 0's body and regions call, and what the modules of both import. */
import { RIP, TLB_SET } from '../cpu/state.ts';
import { recordersInMemory } from './address-recorder.ts';
import { type BulkRecorded, emitBulk, hasBulk } from './bulk-string.ts';
import { type EmitServices, emitInstruction, type Form, NO_REGION, type Site } from './emit.ts';
import { ENTRY, STATUS } from './entry.ts';
import { EntryAccess, type EntryLocals } from './entry-access.ts';
import { LocalPool } from './lowering-context.ts';
import type { Recorded } from './recorders.ts';
import { type FunctionBuilder, ModuleBuilder, OP } from './wasm.ts';

/** The names under which modules import: `env.memory`, `env.table` and the services. */
const SERVICE_TYPES = {
  load: ['i32', 'i32', 'i32'],
  store: ['i32', 'i32', 'i32'],
  probe: ['i32', 'i32', 'i32'],
  segment: ['i32', 'i32'],
  helper: ['i32', 'i32'],
  float: ['i32', 'i32'],
  integer: ['i32', 'i32'],
  writeRflags: [],
} as const;
type ServiceName = keyof typeof SERVICE_TYPES;
const WITHOUT_RESULT: readonly string[] = ['integer', 'writeRflags'];

export interface Imported {
  readonly module: ModuleBuilder;
  readonly functions: Readonly<Record<ServiceName, number>>;
  /** The type of out-of-line functions: (base, entry, page) → status. */
  readonly formType: number;
}

/** Of an out-of-line function: (base, entry, page) → STATUS. */
export const FORM_PARAMETERS = ['i32', 'i32', 'i64'] as const;
/** Of a region's function: (base, left, page) → REGION. */
export const REGION_PARAMETERS = ['i32', 'i32', 'i64'] as const;

/** `second`: a table besides that of the out-of-line functions. */
export function begin(second?: 'regions'): Imported {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  module.importTable('env', 'table', 1);
  if (second !== undefined) module.importTable('env', second, 1);
  const functions = Object.fromEntries(
    Object.entries(SERVICE_TYPES).map(([name, parameters]) => {
      const type = module.type(parameters, WITHOUT_RESULT.includes(name) ? [] : ['i32']);
      return [name, module.importFunction('env', name, type)];
    }),
  ) as Record<ServiceName, number>;
  return { module, functions, formType: module.type(FORM_PARAMETERS, ['i32']) };
}

/** A module that puts the out-of-line functions of these forms into the table from `firstIndex` on. */
export function functionsModule(forms: readonly Form[], firstIndex: number, recorded: Recorded): Uint8Array<ArrayBuffer> {
  const { module, functions, formType } = begin();
  const repeat = recorded.hasAddresses ? module.importFunction('env', 'repeat', module.type(['i32', 'i32', 'i32'], [])) : null;
  const made = forms.map((form) => {
    const f = module.func(formType);
    emitFunction(f, form, functions, { ...recorded, repeat });
    return f;
  });
  module.elements(0, firstIndex, made);
  return module.build();
}

function emitFunction(f: FunctionBuilder, form: Form, functions: Imported['functions'], recorded: BulkRecorded): void {
  const at: EntryLocals = { base: 0, entry: 1, page: 2 };
  const locals = new LocalPool(f);
  const tlb = locals.take('i32');
  f.get(at.base);
  f.get(at.base);
  f.load('i32', TLB_SET);
  f.op(OP.i32.add);
  f.set(tlb);
  if (hasBulk(form)) emitBulk(f, form, locals, { ...at, tlb }, recorded);
  const access = new EntryAccess(f, at, form.decoded, functions.writeRflags);
  const leaveWith = (status: number) => {
    f.i32(status);
    f.op(OP.return);
  };
  const site: Site = {
    f,
    locals,
    entry: at.entry,
    cold: null,
    hasLinks: false,
    direct: null,
    next: () => leaveWith(STATUS.next),
    again: () => leaveWith(STATUS.again),
    fault: () => leaveWith(STATUS.fault),
    goto: () => leaveWith(STATUS.next),
    jump: (target) => {
      f.get(at.base);
      f.get(target);
      f.store('i64', RIP);
      leaveWith(STATUS.jump);
    },
    leave: () => {
      // A helper may have changed how code is found: even the next instruction is looked up anew.
      const status = locals.take('i32');
      f.tee(status);
      f.if();
      f.get(status);
      f.op(OP.return);
      f.end();
      f.get(at.base);
      access.rip(ENTRY.next);
      f.store('i64', RIP);
      leaveWith(STATUS.jump);
    },
  };
  const services: EmitServices = { ...functions, ...NO_REGION, base: at.base, tlb, giveUp: null };
  emitInstruction(form, site, access, services, recordersInMemory(f, locals, at, form.decoded, access, recorded));
  f.op(OP.unreachable);
}
