import { defineConfig } from 'vitest/config';

/** Two projects: `fast` is part of `npm run check`; `slow` (files named *.slow.test.ts) is added by `npm test`. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'fast', include: ['tests/**/*.test.ts'], exclude: ['tests/**/*.slow.test.ts'], testTimeout: 30_000 } },
      { test: { name: 'slow', include: ['tests/**/*.slow.test.ts'], testTimeout: 900_000, hookTimeout: 300_000 } },
    ],
    pool: 'forks',
    maxWorkers: 2,
  },
});
