import { readFileSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { narrativeFault } from '../../../inspection/payload/fhir/narrative.ts';
import { mutated, Random } from '../../../measure/inspection/fuzz/mutate.ts';
import { PAYLOAD_TARGETS } from '../../../measure/inspection/fuzz/payload-targets.ts';

/** What is taken as a narrative is shown in a real browser, as portals do: nothing may run, nothing may be fetched. */

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
afterAll(() => browser?.close());

interface Shown {
  readonly elements: readonly string[];
  readonly attributes: readonly string[];
  readonly ran: boolean;
  readonly fetched: readonly string[];
}

async function show(narratives: readonly string[]): Promise<Shown> {
  const page = await browser.newPage();
  const fetched: string[] = [];
  await page.route('**/*', (route) => {
    const url = route.request().url();
    if (url === 'http://portal.example/')
      return route.fulfill({ contentType: 'text/html', body: '<main></main>' });
    fetched.push(url);
    return route.abort();
  });
  await page.goto('http://portal.example/');
  const found = (await page.evaluate(`(${inPage.toString()})(${JSON.stringify(narratives)})`)) as Omit<
    Shown,
    'fetched'
  >;
  await page.close();
  return { ...found, fetched };
}

/** Runs in the browser, whose globals the type check does not know. */
function inPage(narratives: readonly string[]): Omit<Shown, 'fetched'> {
  const page = globalThis as unknown as {
    ran?: boolean;
    alert: () => void;
    document: {
      querySelector(name: string): { innerHTML: string; querySelectorAll(name: string): Iterable<never> };
    };
  };
  page.alert = () => {
    page.ran = true;
  };
  const elements = new Set<string>();
  const attributes = new Set<string>();
  const main = page.document.querySelector('main');
  for (const narrative of narratives) {
    main.innerHTML = narrative;
    for (const each of main.querySelectorAll('*')) {
      const element = each as { localName: string; attributes: Iterable<{ name: string; value: string }> };
      elements.add(element.localName);
      for (const { name, value } of element.attributes) {
        attributes.add(
          /^(?:href|src)$/.test(name)
            ? `${name} ${value.trim().split(':')[0]?.slice(0, 20).toLowerCase()}`
            : name,
        );
      }
    }
  }
  return { elements: [...elements], attributes: [...attributes], ran: page.ran === true };
}

const ALLOWED =
  /^(?:a|abbr|acronym|address|b|bdo|big|blockquote|br|caption|cite|code|col|colgroup|dd|dfn|div|dl|dt|em|h[1-6]|hr|i|img|kbd|li|ol|p|pre|q|samp|small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|ul|var)$/;
const div = (inner: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`;

/** Ways past a filter that reads otherwise than the browser. */
const VECTORS = [
  '<img src="x" onerror="alert(1)"/>',
  '<img src=x onerror=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<math><mtext><table><mglyph><style><img src="x" onerror="alert(1)"/></style></mglyph></table></mtext></math>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></p></noscript>',
  '<p title="</p><img src=x onerror=alert(1)>">a</p>',
  "<p title='\"><img src=x onerror=alert(1)>'>a</p>",
  '<!--><img src="x" onerror="alert(1)"/>-->',
  '<!--- --!><img src="x" onerror="alert(1)"/> -->',
  '<![CDATA[><img src="x" onerror="alert(1)"/>]]>',
  '<?xml ><img src="x" onerror="alert(1)"/>?>',
  '<a href="java&#x09;script:alert(1)">a</a>',
  '<a href="&#x200B;javascript:alert(1)">a</a>',
  '<p style="background:url(javascript:alert(1))">a</p>',
  '<p style="width:expression(alert(1))">a</p>',
  '<textarea><img title="</textarea><img src=x onerror=alert(1)>"/></textarea>',
  '<title/><img src="x" onerror="alert(1)"/>',
  '<br/onclick="alert(1)">',
  '<img alt="`><img src=x onerror=alert(1)>"/>',
  '<table><tr><td><a href="vbscript:x">a</a></td></tr></table>',
  '<IMG SRC="x" ONERROR="alert(1)"/>',
  '<p\u00a0onclick="alert(1)">a</p>',
  '<pre>\n<b>a</b></pre>',
  '<p>&lt;img src=x onerror=alert(1)&gt;</p>',
];

describe('in a browser', () => {
  it('narratives that are taken show what is allowed and run nothing', async () => {
    const random = new Random(8);
    const { seeds, words } = PAYLOAD_TARGETS.find(({ name }) => name === 'narratives') ?? {
      seeds: [],
      words: [],
    };
    const sources = [...seeds, ...VECTORS.map(div)].map((text) => Buffer.from(text));
    const pieces = [...words, ...VECTORS].map((text) => Buffer.from(text));
    const taken: string[] = [];
    for (let made = 0; made < 60_000; made += 1) {
      const bytes = mutated(random.of(sources), random.of(sources), random, pieces);
      const text = bytes.toString('utf8');
      if (narrativeFault(text) !== undefined) continue;
      taken.push(text);
      // What was taken is changed again, so that the changes add up.
      if (sources.length < 2_000 && text.length < 2_000) sources.push(Buffer.from(text));
    }
    expect(taken.length).toBeGreaterThan(1_000);
    const { elements, attributes, ran, fetched } = await show(taken);
    expect(elements.filter((name) => !ALLOWED.test(name))).toEqual([]);
    expect(attributes.filter((name) => /^on|^(?:href|src) (?:javascript|vbscript|data)$/.test(name))).toEqual(
      [],
    );
    expect(ran).toBe(false);
    // Pictures of a relative or http address are FHIR's to allow; nothing else is loaded.
    expect(
      fetched.filter((url) => !url.startsWith('http://portal.example/') && !/^https?:/.test(url)),
    ).toEqual([]);
  });

  it.each(VECTORS)('%s is refused or harmless', async (vector) => {
    if (narrativeFault(div(vector)) !== undefined) return;
    const { elements, ran, fetched } = await show([div(vector)]);
    expect(elements.filter((name) => !ALLOWED.test(name))).toEqual([]);
    expect([ran, fetched.filter((url) => !url.startsWith('http://portal.example/'))]).toEqual([false, []]);
  });

  it('every narrative of the official examples is shown as it is', async () => {
    const lines = readFileSync(
      new URL('../../../../shared/data/fhir/r4-examples.ndjson', import.meta.url),
      'utf8',
    );
    const divs = lines
      .trim()
      .split('\n')
      .flatMap((line) => (JSON.parse(line) as { text?: { div?: string } }).text?.div ?? []);
    expect(divs.length).toBeGreaterThan(200);
    expect((await show(divs)).elements.filter((name) => !ALLOWED.test(name))).toEqual([]);
  });
});
