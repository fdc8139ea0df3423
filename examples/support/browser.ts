import { ask, type Reply } from './https-client.ts';

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

export interface PageForm {
  /** Absolute. */
  readonly action: string;
  /** Hidden fields and boxes that are ticked. */
  readonly fields: URLSearchParams;
}

const REDIRECTS = 20;

/**
 * What somebody's browser without script does: keeps cookies, follows redirects, sends forms. Cookies belong to host
 * and port, which is stricter than a browser is.
 */
export class Browser {
  readonly #authority: string;
  readonly #jars = new Map<string, Cookie[]>();
  /** Where the last page came from. */
  url = '';
  /** The last page. */
  page: Reply | undefined;

  /** @param authority PEM of the authority whose certificates it trusts */
  constructor(authority: string) {
    this.#authority = authority;
  }

  /** Another browser with the same cookies: somebody copied them. */
  twin(): Browser {
    const twin = new Browser(this.#authority);
    for (const [host, cookies] of this.#jars) twin.#jars.set(host, [...cookies]);
    return twin;
  }

  /** The value of a cookie that it has for a host and port; undefined: it has none of that name. */
  cookie(host: string, name: string): string | undefined {
    return this.#jars.get(host)?.find((cookie) => cookie.name === name)?.value;
  }

  get html(): string {
    return this.page?.text ?? '';
  }

  /** Opens an address as if it was typed, and follows where it leads. */
  open(url: string): Promise<Reply> {
    return this.#go(url, 'GET', undefined, { 'sec-fetch-site': 'none' });
  }

  /** Sends the form of the last page that has this hidden `step`, or its first one, with these values. */
  send(values: Readonly<Record<string, string>>, step?: string): Promise<Reply> {
    const form = this.forms().find(({ fields }) => step === undefined || fields.get('step') === step);
    if (form === undefined) {
      return Promise.reject(new Error(`no such form on ${this.page?.status} ${this.url}: ${this.title()}`));
    }
    return this.submit(form, values);
  }

  submit(form: PageForm, values: Readonly<Record<string, string>> = {}): Promise<Reply> {
    for (const [name, value] of Object.entries(values)) form.fields.set(name, value);
    return this.#go(form.action, 'POST', form.fields.toString(), {
      'content-type': 'application/x-www-form-urlencoded',
      origin: new URL(this.url).origin,
      'sec-fetch-site': 'same-origin',
    });
  }

  forms(): PageForm[] {
    return [...this.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, about = '', inner = '']) => {
      const fields = new URLSearchParams();
      for (const [, input = ''] of inner.matchAll(/<input\b([^>]*)>/g)) {
        const type = attribute(input, 'type');
        if (type === 'hidden' || (type === 'checkbox' && /\bchecked\b/.test(input))) {
          fields.append(attribute(input, 'name'), attribute(input, 'value'));
        }
      }
      return { action: new URL(attribute(about, 'action') || this.url, this.url).href, fields };
    });
  }

  /** The page's heading, or its title. */
  title(): string {
    const heading =
      /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(this.html) ?? /<title>([\s\S]*?)<\/title>/.exec(this.html);
    return decode((heading?.[1] ?? '').replace(/<[^>]*>/g, '')).trim();
  }

  async #go(
    url: string,
    method: string,
    body: string | undefined,
    more: Readonly<Record<string, string>>,
  ): Promise<Reply> {
    let reply = await this.#request(url, method, body, more);
    for (let hop = 0; hop < REDIRECTS; hop += 1) {
      const { location } = reply.headers;
      this.url = url;
      this.page = reply;
      if (reply.status < 300 || reply.status > 399 || location === undefined) return reply;
      url = new URL(location, url).href;
      reply = await this.#request(url, 'GET', undefined, { 'sec-fetch-site': 'cross-site' });
    }
    throw new Error('redirected for ever');
  }

  async #request(
    url: string,
    method: string,
    body: string | undefined,
    more: Readonly<Record<string, string>>,
  ): Promise<Reply> {
    const { host, pathname } = new URL(url);
    const jar = this.#jars.get(host) ?? [];
    const cookie = jar
      .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const reply = await ask({
      url,
      authority: this.#authority,
      method,
      headers: {
        accept: 'text/html',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        ...(cookie === '' ? {} : { cookie }),
        ...more,
      },
      ...(body === undefined ? {} : { body }),
    });
    this.#jars.set(host, kept(jar, reply.headers['set-cookie'] ?? []));
    return reply;
  }
}

function kept(jar: readonly Cookie[], lines: readonly string[]): Cookie[] {
  let cookies = [...jar];
  for (const line of lines) {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const said = new Map(
      attributes.map((part) => [part.split('=', 1)[0]?.toLowerCase(), part.split('=')[1]]),
    );
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    const path = said.get('path') ?? '/';
    cookies = cookies.filter((cookie) => cookie.name !== name || cookie.path !== path);
    const gone = said.get('max-age') === '0' || Date.parse(said.get('expires') ?? '') < Date.now();
    if (!gone) cookies.push({ name, value: pair.slice(at + 1), path });
  }
  return cookies;
}

function attribute(text: string, name: string): string {
  return decode(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '');
}

function decode(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
