import { describe, test } from 'vitest';
import { judgeConditions } from './conditions.ts';
import { judgeOrders, judgePass, passes } from './judges.ts';

describe('a pass keeps what a program does', () => {
  test.each(Object.entries(passes))('%s', (_name, pass) => judgePass(pass, 15));
  test('all of them, in any order', () => judgeOrders(30));
  test.each(['i8', 'i32'] as const)('conditions over %s', (type) => judgeConditions(type, 60));
});
