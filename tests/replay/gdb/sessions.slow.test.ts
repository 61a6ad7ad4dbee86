/** The real gdb on recordings, script by script: see run-session.ts. `npm run bless` writes what it says today. */
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toolOrSkip } from '../../tools.ts';
import { runSession, sessions } from './run-session.ts';

describe('gdb says what is expected', () => {
  for (const session of sessions()) {
    test(basename(session.path, '.gdb'), async (context) => {
      const gdb = toolOrSkip(context, 'gdb');
      expect(await runSession(gdb, session)).toBe(session.expected);
    });
  }
});
