/** Chromium for the tests of the page, Debian's, without a window. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { requireTool } from '../tools.ts';

export const chromiumPath = requireTool('chromium');

const functions = readFileSync(join(import.meta.dirname, 'in-page.js'), 'utf8')
  .trimEnd()
  .replace(/;$/, '');

/** Calls one of the functions of in-page.js. */
export function inPage<Result>(page: Page, name: string): Promise<Result> {
  return page.evaluate(`${functions}.${name}()`);
}

/** In a container there is no sandbox of the browser's own. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? '', args: ['--no-sandbox'] });
}

export interface Watched {
  readonly page: Page;
  /** What the page complains about: errors, refused requests, breaches of its own policy. */
  readonly complaints: string[];
  /** Every host that it asked something of. */
  readonly hosts: Set<string>;
}

export async function openPage(
  browser: Browser,
  url: string,
  options: { colorScheme?: 'light' | 'dark'; width?: number; height?: number } = {},
): Promise<Watched> {
  const { colorScheme = 'light', width = 1280, height = 800 } = options;
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(url);
  await settled(page);
  return { page, complaints, hosts };
}

/** Until the page waits for nothing. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('footer[aria-busy="false"] output:not(:empty)');
  await page.waitForLoadState('networkidle');
}

/** Presses a key, and waits for what it brings. */
export async function press(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await settled(page);
}

export async function positionOf(page: Page): Promise<number> {
  return Number(await page.getByRole('slider').getAttribute('aria-valuenow'));
}
