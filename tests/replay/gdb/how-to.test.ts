import { expect, test } from 'vitest';
import { howToPage } from './how-to.ts';

test('the page on finding a bug backwards shows the session as it is (npm run bless)', () => {
  const { is, should } = howToPage();
  expect(is).toContain('(gdb) reverse-continue');
  expect(is).toBe(should);
});
