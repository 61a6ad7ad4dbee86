/** Regions → a WebAssembly module. */

import { FORM_PARAMETERS, REGION_PARAMETERS } from './form-functions.ts';
import type { Recorded } from './recorders.ts';
import { RegionEmitter, type RegionSource } from './region-emit.ts';
import { TABLE } from './region-exit.ts';
import { ModuleBuilder } from './wasm.ts';

export interface RegionsModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** By region: the addresses of its inner blocks, whose heads are to be marked with their number in this list. */
  readonly inner: readonly (readonly number[])[];
}

/** A module that puts the functions of these regions into the table of regions from `firstIndex` on. */
export function regionsModule(sources: readonly RegionSource[], firstIndex: number, recorded: Recorded): RegionsModule {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  module.importTable('env', 'regions', 1);
  module.importTable('env', 'table', 1);
  const imported = {
    refill: module.importFunction('env', 'refill', module.type(['i32', 'i32', 'i32'], ['i32'])),
    stored: module.importFunction('env', 'stored', module.type([], ['i32'])),
    faulted: module.importFunction('env', 'faulted', module.type([], ['i32'])),
    regionType: module.type(REGION_PARAMETERS, ['i32']),
    formType: module.type(FORM_PARAMETERS, ['i32']),
    syscall: module.importFunction('env', 'syscall', module.type(['i32', 'i32'], [])),
    sysret: module.importFunction('env', 'sysret', module.type(['i32'], [])),
  };
  const inner: (readonly number[])[] = [];
  const functions = sources.map((source, i) => {
    const f = module.func(imported.regionType);
    const emitter = new RegionEmitter(f, imported, source, firstIndex + i, recorded);
    emitter.emit();
    inner.push([...emitter.inner.keys()]);
    return f;
  });
  module.elements(TABLE.regions, firstIndex, functions);
  return { bytes: module.build(), inner };
}
