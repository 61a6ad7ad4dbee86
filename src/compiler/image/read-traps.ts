/** `.palindrome.traps` read back. */
import { ByteReader } from './byte-reader.ts';
import { type Trap, trapsVersion } from './traps.ts';

/** @throws UserError if the bytes are not what `writeTraps` writes */
export function readTraps(bytes: Uint8Array, name: string): Trap[] {
  const reader = new ByteReader(bytes, `${name}: the trap table`);
  const version = reader.uleb();
  if (version !== trapsVersion) reader.fail(`has the unknown version ${version}`);
  const kindCount = reader.uleb();
  const fileCount = reader.uleb();
  const trapCount = reader.uleb();
  const kinds: string[] = [];
  const files: string[] = [];
  while (kinds.length < kindCount) kinds.push(reader.string());
  while (files.length < fileCount) files.push(reader.string());
  const traps: Trap[] = [];
  let address = reader.u64();
  while (traps.length < trapCount) {
    address = BigInt.asUintN(64, address + BigInt(reader.uleb()));
    const kind = kinds[reader.uleb()] ?? reader.fail('names a kind that it does not have');
    const file = files[reader.uleb()] ?? reader.fail('names a file that it does not have');
    const line = reader.uleb();
    traps.push({ address, kind, file, line, column: reader.uleb() });
  }
  return traps;
}
