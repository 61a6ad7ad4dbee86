/** `--addresses`: of every command that records a trace. */
import { Option } from 'commander';
import { UserError } from '../machine/index.ts';

export const addressesOption = (): Option => new Option('--addresses', 'with --trace: record the addresses of memory accesses, too');

/** Whether addresses are recorded. UserError where there is no trace for them. */
export function addressesOf({ addresses = false, trace }: { readonly addresses?: boolean; readonly trace?: string }): boolean {
  if (addresses && !trace) throw new UserError('--addresses says what a trace holds: give --trace FILE as well');
  return addresses;
}
