/**
 * Times between the frames of the explorer's timeline in Debian's Chromium, while it is zoomed and panned by the wheel between the whole run and single
 * instructions: `node --conditions=palindrome bench/explorer.ts TRACE`. A line a series: frames, median, 95th and 99th percentile, the longest, in ms.
 */
import { chromium } from 'playwright-core';
import { explore } from '../src/explorer/index.ts';

const [, , trace] = process.argv;
if (trace === undefined) throw new Error('give a trace');
const WHEELS = 120;
const FRAME_MS = 16;

const explorer = await explore(trace, {
  port: 0,
  sources: [],
  failed: (error) => {
    throw error;
  },
});
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.goto(explorer.url);
await page.waitForSelector('footer[aria-busy="false"] output:not(:empty)');
await page.waitForLoadState('networkidle');
await page.mouse.move(600, 100);

for (const [name, x, y] of [
  ['closer', 0, -60],
  ['along', 60, 0],
  ['farther', 0, 60],
  ['closer again', 0, -60],
  ['back', -60, 0],
  ['out again', 0, 60],
] as const) {
  await page.evaluate(
    'times = []; isOn = true; (function next(now) { times.push(now); if (isOn) requestAnimationFrame(next); })(performance.now())',
  );
  for (let i = 0; i < WHEELS; i++) {
    await page.mouse.wheel(x, y);
    await page.waitForTimeout(FRAME_MS);
  }
  const times = await page.evaluate<number[]>('isOn = false; times');
  const between = times
    .slice(3)
    .map((time, i) => time - (times[i + 2] ?? 0))
    .sort((a, b) => a - b);
  const at = (share: number): string => (between[Math.floor(share * (between.length - 1))] ?? 0).toFixed(1).padStart(7);
  process.stdout.write(`${name.padEnd(14)}${String(between.length).padStart(5)} frames${at(0.5)}${at(0.95)}${at(0.99)}${at(1)}\n`);
}
await browser.close();
await explorer.close();
