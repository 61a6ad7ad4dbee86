/** execve. */

import { ENOENT } from '../abi/errno.ts';
import type { Process } from '../task/process.ts';
import { execute } from '../task/start.ts';
import { pathBuffer } from './path.ts';
import { failure } from './result.ts';

export function sysExecve(process: Process, path: u64, argv: u64, envp: u64): i64 {
  const error = pathBuffer.read(path);
  if (error !== 0) return failure(error);
  if (pathBuffer.length === 0) return failure(ENOENT);
  const result = execute(process, pathBuffer.text, argv, envp);
  return result === 0 ? 0n : failure(result);
}
