import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RIVERSIDE } from './brands.ts';
import { openBrowser, servePages } from './browser.ts';
import { SAMPLES } from './samples.ts';

/**
 * Makes the pictures of docs/pages.md from the real pages: `node test/console/pages/support/screenshots.ts`.
 * Given a folder, every page in light and dark, narrow and wide, to look at.
 */
const docs = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'images');
const PICTURES = [
  ['sign-in', 'light', 480],
  ['sign-in-wrong', 'dark', 480],
  ['enrol-totp', 'light', 480],
  ['factor', 'light', 480],
  ['recovery-codes', 'light', 480],
  ['consent', 'light', 480],
  ['continue', 'light', 480],
  ['sessions', 'light', 760],
] as const;
const ALL = Object.keys(SAMPLES).flatMap((name) =>
  ([360, 1280] as const).flatMap((width) =>
    (['light', 'dark'] as const).map((scheme) => [name, scheme, width] as const),
  ),
);

/** WebP: a third of the browser's own PNG. */
async function smaller(png: Buffer): Promise<Buffer> {
  const url = await encoder.evaluate<string>(`(async () => {
    const picture = await createImageBitmap(await (await fetch('data:image/png;base64,${png.toString('base64')}')).blob());
    const canvas = Object.assign(document.createElement('canvas'), { width: picture.width, height: picture.height });
    canvas.getContext('2d').drawImage(picture, 0, 0);
    return canvas.toDataURL('image/webp', 0.85);
  })()`);
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

const folder = process.argv[2] ?? docs;
mkdirSync(folder, { recursive: true });
const server = await servePages({ brand: RIVERSIDE, assetPath: '/.chartgate/assets/' }, SAMPLES);
const browser = await openBrowser();
const page = await browser.newPage();
const encoder = await browser.newPage();
for (const [name, scheme, width] of process.argv[2] === undefined ? PICTURES : ALL) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.setViewportSize({ width, height: 200 });
  await page.goto(`${server.origin}/${name}`);
  const picture = await page.screenshot({ fullPage: true });
  const file = process.argv[2] === undefined ? `page-${name}.webp` : `${name}-${scheme}-${width}.webp`;
  writeFileSync(join(folder, file), await smaller(picture));
}
await browser.close();
await server.close();
