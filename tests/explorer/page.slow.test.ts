/** The explorer's page in Debian's Chromium: what it shows, by mouse, by keyboard and to screen readers. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Explorer, explore } from '../../src/explorer/index.ts';
import { openTrace } from '../../src/replay/index.ts';
import { chromiumPath, inPage, openBrowser, openPage, positionOf, press, settled, type Watched } from './browser.ts';
import { GOLDEN } from './explorer.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-page-'));
const finding = join(folder, 'INV-10-1');
const FAILED_AT = 1_001_000;
let browser: Browser;
let explorer: Explorer;
let watched: Watched;
let page: Page;
let end = 0;

describe.skipIf(chromiumPath === null)('the page', () => {
  beforeAll(async () => {
    mkdirSync(finding);
    copyFileSync(GOLDEN, join(finding, 'trace.mpk'));
    const facts = { at: FAILED_AT, invariant: 'INV-10', message: 'at CPL 3, a stale translation is used' };
    writeFileSync(join(finding, 'finding.json'), JSON.stringify(facts));
    writeFileSync(
      join(finding, 'report.md'),
      '# INV-10: A changed entry is invalidated.\n\n| why it matters | a frame of somebody else |\n',
    );
    end = Number((await openTrace(GOLDEN)).instructions);
    explorer = await explore(finding, {
      port: 0,
      sources: [join(import.meta.dirname, '../../examples')],
      failed: (error) => {
        throw error;
      },
    });
    browser = await openBrowser();
    watched = await openPage(browser, explorer.url);
    page = watched.page;
  });
  afterAll(async () => {
    await browser?.close();
    await explorer?.close();
    rmSync(folder, { recursive: true });
  });

  it('begins at the finding, and says what it is', async () => {
    expect(await positionOf(page)).toBe(FAILED_AT);
    expect(await page.title()).toBe('INV-10-1 – Palindrome explorer');
    const text = (await page.getByRole('complementary', { name: 'Findings' }).textContent()) ?? '';
    for (const part of ['INV-10', 'A changed entry is invalidated.', 'a frame of somebody else', 'a stale translation is used'])
      expect(text).toContain(part);
  });

  it('asks nobody but its own server, and breaks no policy of it', () => {
    expect([...watched.hosts]).toEqual([new URL(explorer.url).host]);
    expect(watched.complaints).toEqual([]);
  });

  it('steps both ways by the keyboard, and says where it is', async () => {
    await press(page, 'ArrowRight');
    expect(await positionOf(page)).toBe(FAILED_AT + 1);
    const forward = await page.locator('tr.current .text').first().textContent();
    await press(page, 'ArrowRight');
    await press(page, 'ArrowLeft');
    expect(await positionOf(page)).toBe(FAILED_AT + 1);
    expect(await page.locator('tr.current .text').first().textContent()).toBe(forward);
    expect(await page.getByRole('status').textContent()).toContain(`Position 1,001,001: ${forward}`);
    await press(page, 'Home');
    expect(await positionOf(page)).toBe(0);
    await press(page, 'End');
    expect(await positionOf(page)).toBe(end);
  });

  it('goes to events, to typed positions and to marks', async () => {
    await press(page, 'Home');
    for (const box of await page.getByRole('checkbox').all()) await box.uncheck();
    await page.getByRole('checkbox', { name: 'system calls' }).check();
    await settled(page);
    await press(page, 'n');
    const call = await positionOf(page);
    expect(await page.locator('.events tr.current').textContent()).toContain('syscall write(');
    await press(page, 'm');
    await press(page, 'Home');
    await press(page, ']');
    const first = await positionOf(page);
    expect([FAILED_AT, call]).toContain(first);
    await page.keyboard.press('g');
    await page.keyboard.type('mark1+1');
    await press(page, 'Enter');
    expect(await positionOf(page)).toBe(call + 1);
    await press(page, 'p');
    expect(await positionOf(page)).toBe(call);
  });

  it('marks what changed by more than a colour', async () => {
    await press(page, 'ArrowRight');
    const changed = page.locator('.registers .changed');
    expect(await changed.count()).toBeGreaterThan(0);
    expect(await changed.first().locator('.dot').count()).toBe(1);
    expect(await changed.first().getByRole('button').getAttribute('aria-label')).toContain(', changed');
  });

  it('says who wrote a byte that is clicked, and goes there', async () => {
    await page.keyboard.press('g');
    await page.keyboard.type('syscall:write');
    await press(page, 'Enter');
    const call = (await page.locator('.events tr.current').textContent()) ?? '';
    await page.getByLabel('Address of the memory shown').fill(/buffer=(0x[0-9a-f]+)/.exec(call)?.[1] ?? '');
    await press(page, 'Enter');
    await page.locator('button.byte:not(:disabled)').first().click();
    const go = page.locator('.chain button').first();
    await go.waitFor();
    await go.click();
    await settled(page);
    expect(await page.getByRole('status').textContent()).toMatch(/^Position [\d,]+: .*mov/);
  });

  it('walks the page tables, and lists the processes in the other tab', async () => {
    const rows = page.locator('table.walk tbody tr');
    expect(await rows.count()).toBe(4);
    await page.getByRole('tab', { name: 'Page tables' }).focus();
    await page.keyboard.press('ArrowLeft');
    expect(await page.getByRole('tab', { name: 'Processes' }).getAttribute('aria-selected')).toBe('true');
    expect(await page.getByRole('tabpanel').textContent()).toContain('CR3');
  });

  it('has its keys in a help that Escape closes', async () => {
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keys' });
    await dialog.waitFor();
    expect(await dialog.textContent()).toContain('one instruction back');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('is a structure for screen readers: landmarks, names, a table beside the canvas, an order of focus', async () => {
    const tree = await page.locator('body').ariaSnapshot();
    for (const part of [
      'main:',
      'region "Timeline"',
      'slider "Position in the run',
      'region "Instructions"',
      'region "Registers',
      'table "Events around',
      'table "Bytes',
      'tablist',
      'status',
      'complementary "Findings"',
    ])
      expect(tree).toContain(part);
    const faults = await inPage(page, 'faults');
    expect(faults).toEqual([]);
    await page.getByLabel('Position', { exact: true }).focus();
    const order: string[] = [];
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press('Tab');
      order.push(await inPage<string>(page, 'focused'));
    }
    const places = ['bar', 'timeline', 'findings', 'pane pane-instructions'].map((name) => order.indexOf(name));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it.each([
    ['light', 1280, 800],
    ['dark', 1280, 800],
    ['light', 2560, 1300],
  ] as const)('is readable and fits: %s, %i × %i', async (colorScheme, width, height) => {
    const other = await openPage(browser, explorer.url, { colorScheme, width, height });
    const shown = await inPage<Measured>(other.page, 'measure');
    expect(shown.isDark).toBe(colorScheme === 'dark');
    expect(shown.overflow).toBe(0);
    for (const [name, contrast] of shown.contrasts) expect(contrast, name).toBeGreaterThanOrEqual(4.5);
    for (const [name, paneHeight] of shown.panes) expect(paneHeight, name).toBeGreaterThan(90);
    expect(other.complaints).toEqual([]);
    await other.page.close();
  });

  it('changes its theme by a switch', async () => {
    const background = () => inPage<string>(page, 'background');
    const before = await background();
    const button = page.getByRole('button', { name: /^theme/ });
    await button.click();
    await button.click();
    expect(await button.textContent()).toBe('theme: dark');
    expect(await background()).not.toBe(before);
    await button.click();
    expect(await background()).toBe(before);
  });
});

interface Measured {
  readonly isDark: boolean;
  readonly contrasts: readonly (readonly [string, number])[];
  readonly overflow: number;
  readonly panes: readonly (readonly [string, number])[];
}
