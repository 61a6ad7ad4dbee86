import { expect, test } from 'vitest';
import { UserError } from '../../../src/machine/isa/bug.ts';
import { Translations } from '../../../src/machine/memory/translations.ts';

test('more translations than there is room for are named, not a failure of the host', () => {
  const { code } = new Translations();
  const enter = () => {
    for (let page = 0; page < 2 ** 25; page++) code.insert(page, 0, 1, 0, page, 0, 1, 1, 0);
  };
  expect(enter).toThrow(
    new UserError(
      'the guest uses more than 4194304 translations and invalidates none of them: the machine keeps no more (a TLB has fewer)',
    ),
  );
});
