import { test } from 'vitest';
import { differential } from './differential.ts';

test('600 random modules do natively what the interpreter says', { timeout: 120_000 }, () => {
  differential(600, 20_000);
});
