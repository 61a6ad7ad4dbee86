/** What of a machine besides RAM is saved, in order: CPU, run, translations, devices; then what is kept but not hashed. */
import { FINAL_STOPS, type FinalStop } from '../config.ts';
import type { Cpu } from '../cpu/helpers/cpu.ts';
import type { SizeClass, TranslationEntry, Translations } from '../memory/translations.ts';
import { loadCpu, loadUnhashed, saveCpu, saveUnhashed } from './cpu-fields.ts';
import type { Fields, StateReader, StateWriter } from './fields.ts';
import { fieldsOf } from './fields.ts';

/** The run's own state: what time and chance have done. */
export interface RunState {
  skipped: number;
  halted: boolean;
  nmiBlocked: boolean;
  randomCount: bigint;
  /** Exceptions delivered since an instruction last retired, and the count at which. */
  deliveries: number;
  deliveredAt: number;
}

export const RUN_FIELDS: Fields<RunState> = fieldsOf<RunState>('run', {
  skipped: 'time',
  halted: 'flag',
  nmiBlocked: 'flag',
  randomCount: 'u64',
  deliveries: 'u32',
  deliveredAt: 'time',
});

/** A device with its declaration. */
export interface Component {
  save(to: StateWriter): void;
  load(from: StateReader): void;
}

export function component<T>(fields: Fields<T>, of: T): Component {
  return { save: (to) => fields.save(of, to), load: (from) => fields.load(of, from) };
}

export interface StateOwner {
  readonly cpu: Cpu;
  readonly run: RunState;
  readonly components: readonly Component[];
  final: FinalStop;
}

/** Writes what the hash is taken over, but for the translations, of which the hash takes the sum. */
export function saveHashed(owner: StateOwner, to: StateWriter): void {
  saveCpu(owner.cpu.state, to);
  RUN_FIELDS.save(owner.run, to);
  to.u8(FINAL_STOPS.findIndex((stop) => isSame(stop, owner.final)));
  for (const each of owner.components) each.save(to);
}

/** Writes the rest of a snapshot's state. */
export function saveTail(owner: StateOwner, to: StateWriter): void {
  saveTranslations(owner.cpu.mmu.translations, to);
  saveUnhashed(owner.cpu.state, to);
}

/** Reads what both wrote; RangeError where it cannot be. The caller renews what is derived. */
export function loadState(owner: StateOwner, from: StateReader): void {
  loadCpu(owner.cpu.state, from);
  RUN_FIELDS.load(owner.run, from);
  owner.final = finalOf(from.u8());
  for (const each of owner.components) each.load(from);
  loadTranslations(owner.cpu.mmu.translations, from);
  loadUnhashed(owner.cpu.state, from);
}

function isSame(a: FinalStop, b: FinalStop): boolean {
  if (a?.reason === 'unsupported' && b?.reason === 'unsupported') return a.what === b.what;
  return a?.reason === b?.reason;
}

function finalOf(number: number): FinalStop {
  const stop = FINAL_STOPS[number];
  if (stop === undefined) throw new RangeError(`an end of the CPU with the number ${number}`);
  return stop;
}

function saveTranslations(translations: Translations, to: StateWriter): void {
  const entries = translations.entries();
  to.u32(entries.length);
  for (const entry of entries) {
    to.f64(entry.page);
    to.u32(entry.tag);
    to.u8(entry.size);
    to.u32(entry.frame);
    to.u8(entry.rights);
    to.u32(entry.seen);
  }
}

function loadTranslations(translations: Translations, from: StateReader): void {
  const count = from.u32();
  const entries: TranslationEntry[] = [];
  for (let i = 0; i < count; i++) {
    const page = from.f64();
    const tag = from.u32();
    const size = from.u8() as SizeClass;
    entries.push({ page, tag, size, frame: from.u32(), rights: from.u8(), seen: from.u32() });
  }
  translations.restore(entries);
}
