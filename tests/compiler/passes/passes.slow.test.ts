import { describe, test } from 'vitest';
import { judgeConditions } from './conditions.ts';
import { judgeOrders, judgePass, passes } from './judges.ts';

describe('a pass keeps what many programs do', () => {
  test.each(Object.entries(passes))('%s', (_name, pass) => judgePass(pass, 500, 2));
  test('all of them, in any order', () => judgeOrders(1000, 2));
  test.each(['i8', 'i32'] as const)('conditions over %s', (type) => judgeConditions(type, 1500, 2));
});
