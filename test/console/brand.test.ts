import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeLogo } from '../../config/logo.ts';
import { compileBrand } from '../../console/brand.ts';
import { contrast, inkOn, parseColour, readable } from '../../console/colour.ts';
import { createSite } from '../../console/site.ts';
import { LOGO, RIVERSIDE } from './pages/support/brands.ts';

const svg = (content: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${content}</svg>`);

function png(width: number, height: number): Buffer {
  const header = Buffer.alloc(33);
  header.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
  header.write('IHDR', 12, 'latin1');
  header.writeUInt32BE(width, 16);
  header.writeUInt32BE(height, 20);
  return header;
}

/** Each row: what is wrong with it. */
const BAD_LOGOS: readonly (readonly [string, Uint8Array])[] = [
  ['nothing in it', Buffer.alloc(0)],
  ['one byte too many', Buffer.concat([png(10, 10), Buffer.alloc(65_536)])],
  ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
  ['a GIF', Buffer.from('GIF89a')],
  ['HTML', Buffer.from('<!doctype html><script>alert(1)</script>')],
  ['HTML that mentions an svg', Buffer.from('<html><svg></svg></html>')],
  ['a PNG that stops after its signature', png(10, 10).subarray(0, 8)],
  ['a PNG without width', png(0, 10)],
  ['a PNG that would fill memory', png(60_000, 60_000)],
  ['a script', svg('<script>alert(1)</script>')],
  ['a script with a prefix', svg('<svg:script>alert(1)</svg:script>')],
  ['an event handler', svg('<rect onload="alert(1)"/>')],
  ['an event handler after a line break', svg('<rect\nonclick = "alert(1)"/>')],
  ['HTML inside', svg('<foreignObject><p>x</p></foreignObject>')],
  ['a frame', svg('<iframe src="x"/>')],
  ['a link', svg('<a href="https://evil.example"><rect/></a>')],
  ['a link in the old spelling', svg('<a xlink:href="javascript:alert(1)"><rect/></a>')],
  ['a picture from elsewhere', svg('<image href="https://evil.example/x.png"/>')],
  ['a style that loads something', svg('<style>@import "https://evil.example";</style>')],
  ['a fill from elsewhere', svg('<rect fill="url(https://evil.example/#x)"/>')],
  ['entities', Buffer.from('<!DOCTYPE svg [<!ENTITY x "y">]><svg></svg>')],
  ['a style sheet', Buffer.from('<?xml-stylesheet href="x"?><svg></svg>')],
  ['a handler in character references', svg('<rect &#111;nload="x"/>')],
  ['bytes that are no UTF-8', Buffer.from([0x3c, 0x73, 0x76, 0x67, 0xff, 0xfe])],
];

describe('a logo', () => {
  test.each(BAD_LOGOS)('with %s is refused, and the reason says so', (_what, bytes) => {
    const judged = judgeLogo(bytes);
    expect(judged).toMatchObject({ ok: false });
    expect(judged.ok ? '' : judged.why).toMatch(/^The logo (is|has) .*[.]$/);
    expect(() => compileBrand({ name: 'X', logo: { bytes } })).toThrowError(
      expect.objectContaining({ code: 'configuration-invalid' }),
    );
  });

  test('as a PNG, or as an SVG that only draws, is served as what its bytes are', () => {
    expect(judgeLogo(png(200, 80))).toEqual({ ok: true, type: 'image/png' });
    expect(judgeLogo(LOGO)).toEqual({ ok: true, type: 'image/svg+xml' });
    expect(judgeLogo(Buffer.from('\ufeff<?xml version="1.0"?>\n<!-- drawn -->\n<svg></svg>'))).toMatchObject({
      ok: true,
    });
    expect(judgeLogo(svg('<rect fill="url(#shade)"/><use href="#a"/>'))).toMatchObject({ ok: true });
  });
});

const BAD_BRANDS: readonly (readonly [string, object, RegExp])[] = [
  ['no name', { name: ' ' }, /1 to 80 characters/],
  ['a name that turns the line around', { name: 'Riverside \u202ecinilC' }, /control/],
  ['a name too long', { name: 'x'.repeat(81) }, /1 to 80/],
  ['a colour by its name', { name: 'X', colour: 'teal' }, /#rrggbb/],
  ['a colour that is a style', { name: 'X', colour: '#fff;}body{display:none' }, /#rrggbb/],
  ['a support address without TLS', { name: 'X', support: { url: 'http://x.example' } }, /https/],
  ['a support address that runs', { name: 'X', support: { url: 'javascript:alert(1)' } }, /https/],
  ['a support address of two people', { name: 'X', support: { email: 'a@b.example,c@d.example' } }, /e-mail/],
  ['a telephone number of words', { name: 'X', support: { telephone: 'call us' } }, /telephone/],
];

test.each(BAD_BRANDS)('a brand with %s is refused', (_what, settings, message) => {
  expect(() => compileBrand(settings as never)).toThrowError(message);
});

test('all that is wrong with a brand is said at once', () => {
  expect(() => compileBrand({ name: '', colour: 'x', support: { telephone: 'x' } })).toThrowError(
    /name .*colour .*telephone/s,
  );
});

describe('colours', () => {
  const part = fc.integer({ min: 0, max: 255 });
  const colour = fc.record({ red: part, green: part, blue: part });
  const grounds = (texts: readonly string[]) => texts.flatMap((text) => parseColour(text) ?? []);

  test('text on any colour can be read: 4.5 to 1 or more', () => {
    fc.assert(fc.property(colour, (ground) => contrast(inkOn(ground), ground) >= 4.5));
  });

  test('any colour becomes one that can be read on light and on dark pages', () => {
    for (const on of [grounds(['#f4f6f8', '#ffffff']), grounds(['#11161c', '#1a2129'])]) {
      fc.assert(
        fc.property(colour, (tried) =>
          on.every((ground) => contrast(readable(tried, on, 4.5), ground) >= 4.5),
        ),
      );
    }
  });

  test('a colour that can be read already stays as it is', () => {
    const teal = parseColour('#0f5f7a');
    expect(teal && readable(teal, grounds(['#ffffff']), 4.5)).toEqual(teal);
  });

  test('contrast is as WCAG computes it', () => {
    const [black, white, grey] = grounds(['#000000', '#ffffff', '#767676']);
    expect(black && white && contrast(black, white)).toBeCloseTo(21, 5);
    expect(grey && white && contrast(grey, white)).toBeCloseTo(4.54, 2);
  });
});

describe('files of a site', () => {
  const site = createSite({ brand: RIVERSIDE, assetPath: '/.chartgate/assets/' });

  test('are named after their content, cached for ever, and never run anything by themselves', () => {
    for (const name of ['page', 'brand', 'icon', 'passkey', 'logo'] as const) {
      const path = site.assets.path(name);
      expect(path).toMatch(/^\/\.chartgate\/assets\/[a-z]+\.[0-9a-f]{24}\.(css|js|svg)$/);
      const asset = site.asset(path ?? '');
      expect(asset?.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(asset?.headers['content-security-policy']).toMatch(/^default-src 'none'.*sandbox$/);
      expect(asset?.headers['x-content-type-options']).toBe('nosniff');
    }
  });

  test('of two brands differ only where the brands do', () => {
    const other = createSite({
      brand: { ...RIVERSIDE, colour: '#aa3355' },
      assetPath: '/.chartgate/assets/',
    });
    expect(other.assets.path('page')).toBe(site.assets.path('page'));
    expect(other.assets.path('brand')).not.toBe(site.assets.path('brand'));
    expect(other.asset(site.assets.path('brand'))).toBeUndefined();
  });

  test.each([
    '/.chartgate/assets/',
    '/.chartgate/assets/page.css',
    '/.chartgate/assets/../page.mjs',
    '',
    '__proto__',
  ])('there is none at %j', (path) => {
    expect(site.asset(path)).toBeUndefined();
  });

  test('a time zone that is not known is refused, and moments are shown in the one that was set', () => {
    expect(() => createSite({ brand: { name: 'X', timeZone: 'Mars/Base' }, assetPath: '/a/' })).toThrowError(
      /time zone/,
    );
    const chicago = createSite({ brand: { name: 'X', timeZone: 'America/Chicago' }, assetPath: '/a/' });
    expect(chicago.moment(Date.UTC(2026, 10, 22, 9, 41))).toMatch(/22 November 2026.*03:41/);
    expect(chicago.moment(Number.NaN)).toBe('–');
  });
});
