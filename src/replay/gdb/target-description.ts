/** What gdb is told of the target before anything else: which registers there are (GDB's manual, appendix G), in XML. */
import { FEATURES, type Feature, type RegisterRow } from './registers.ts';

/** Bare metal (`none`): gdb's rules for Linux programs (a dynamic linker, its signals) are not ours. */
export const TARGET_DESCRIPTION: string = [
  '<?xml version="1.0"?>',
  '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
  '<target version="1.0">',
  '<architecture>i386:x86-64</architecture>',
  '<osabi>none</osabi>',
  ...FEATURES.map(featureText),
  '</target>',
].join('\n');

function featureText({ name, types, registers }: Feature): string {
  return [`<feature name="${name}">`, ...(types === '' ? [] : [types]), ...registers.map(registerText), '</feature>'].join('\n');
}

function registerText({ name, bits, type, group }: RegisterRow): string {
  return `<reg name="${name}" bitsize="${bits}" type="${type}"${group === undefined ? '' : ` group="${group}"`}/>`;
}
