import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RIVERSIDE } from './support/brands.ts';
import { openBrowser, type PageServer, servePages } from './support/browser.ts';
import { SAMPLES } from './support/samples.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.2, levels A and AA, and what the makers of axe call good practice. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const NAMES = Object.keys(SAMPLES);

let browser: Browser;
let server: PageServer;
/** A colour in the middle, which is good enough neither as text on light nor on dark. */
const SETTINGS = { brand: { ...RIVERSIDE, colour: '#c98a2b' }, assetPath: '/.chartgate/assets/' };

beforeAll(async () => {
  server = await servePages(SETTINGS, SAMPLES);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Widths in CSS pixels, and the size of text that the reader has set: 320 px, 200 % zoom, text twice as large. */
const SIZES = [
  [320, 16],
  [640, 32],
  [360, 32],
] as const;

/** Looks at page after page in one window. */
async function openWindow(options: BrowserContextOptions) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  let complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));

  const scrollsSideways = () => page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');

  /** What axe finds, what the browser complains of, and at which sizes the page is wider than the window. */
  async function look(name: string) {
    complaints = [];
    await page.goto(`${server.origin}/${name}`);
    const wide = (await scrollsSideways()) ? ['as opened'] : [];
    await page.evaluate(AXE);
    const found = await page.evaluate<readonly Violation[]>(
      `axe.run(document, ${JSON.stringify({ runOnly: TAGS, resultTypes: ['violations'] })}).then((result) => result.violations)`,
    );
    const violations = found.map(
      (one) => `${one.id}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`,
    );
    return { violations, complaints, wide };
  }

  /** The same, without axe, in windows and with text of other sizes. */
  async function sidewaysAt(name: string) {
    const wide: string[] = [];
    await page.goto(`${server.origin}/${name}`);
    for (const [width, standard] of SIZES) {
      await page.setViewportSize({ width, height: 600 });
      await devtools.send('Page.setFontSizes', { fontSizes: { standard, fixed: standard } });
      if (await scrollsSideways()) wide.push(`${name}: ${width} px, text ${standard} px`);
    }
    return wide;
  }

  return { look, sidewaysAt, close: () => context.close() };
}

const NOTHING = { violations: [], complaints: [], wide: [] };

const LOOKS = [
  ['light, 1280 px', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
  ['dark, 360 px', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
] as const;

describe.each(LOOKS)('%s', (_name, options) => {
  let opened: Awaited<ReturnType<typeof openWindow>>;
  beforeAll(async () => {
    opened = await openWindow(options);
  });
  afterAll(() => opened.close());

  test.each(NAMES)(
    'axe finds nothing on "%s", the browser complains of nothing, nothing scrolls sideways',
    async (name) => {
      expect(await opened.look(name)).toEqual(NOTHING);
    },
  );
});

test('nothing scrolls sideways at 320 px, at 200 % zoom, or with text twice as large on a telephone', async () => {
  const opened = await openWindow({});
  const wide: string[] = [];
  for (const name of NAMES) wide.push(...(await opened.sidewaysAt(name)));
  await opened.close();
  expect(wide).toEqual([]);
});

test('with forced colours and with more contrast axe finds nothing either', async () => {
  const names = ['sign-in-wrong', 'enrol-totp', 'sessions', 'consent-choosable', 'recovery-codes'];
  for (const options of [{ forcedColors: 'active' }, { contrast: 'more' }] as const) {
    const opened = await openWindow(options);
    for (const name of names) expect(await opened.look(name), name).toEqual(NOTHING);
    await opened.close();
  }
});

test('nothing moves: there is no animation that reduced motion would have to stop', () => {
  const css = server.site.asset(server.site.assets.path('page'))?.body.toString() ?? '';
  expect(css).not.toMatch(/animation|transition|@keyframes|scroll-behavior/);
});

test('every page names its language, says in its title what went wrong, and asks for nothing that is not there', async () => {
  for (const name of NAMES) {
    const { html } = SAMPLES[name]?.(server.site) ?? { html: '' };
    expect(html, name).toMatch(/^<!doctype html>\n<html lang="en" dir="ltr">/);
    const failed = /role="alert"/.test(html) || /^(error|unavailable|maintenance)/.test(name);
    expect(/<title>Error: /.test(html), name).toBe(failed);
    expect(html.match(/<h1>/g), name).toHaveLength(1);
  }
  expect(server.missing).toEqual([]);
});
