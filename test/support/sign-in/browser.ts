import { ask, type Reply } from '../../../examples/support/https-client.ts';

/** What a browser does with cookies and redirects, seen from outside; everything else is left to the test. */
export class Browser {
  readonly authority: string;
  /** By host and port: browsers share cookies between ports, but here one issuer must not see another's. */
  readonly cookies = new Map<string, Map<string, string>>();
  /** Where it was, in order. */
  readonly visited: string[] = [];

  constructor(authority: string) {
    this.authority = authority;
  }

  cookie(url: string, name: string): string | undefined {
    return this.cookies.get(new URL(url).host)?.get(name);
  }

  setCookie(url: string, name: string, value: string): void {
    const { host } = new URL(url);
    const jar = this.cookies.get(host) ?? new Map<string, string>();
    jar.set(name, value);
    this.cookies.set(host, jar);
  }

  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.request('GET', url, undefined, {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'none',
      ...headers,
    });
  }

  /** A form of a page of the same host. */
  async post(
    url: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ) {
    return this.request('POST', url, new URLSearchParams(fields).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
      origin: new URL(url).origin,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'same-origin',
      ...headers,
    });
  }

  async request(
    method: string,
    url: string,
    body: string | Buffer | undefined,
    headers: Readonly<Record<string, string>>,
  ) {
    const jar = this.cookies.get(new URL(url).host);
    const cookie = [...(jar ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
    this.visited.push(`${method} ${url}`);
    const reply = await ask({
      url,
      authority: this.authority,
      method,
      headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    for (const set of reply.headers['set-cookie'] ?? []) {
      const [pair = '', ...attributes] = set.split(';');
      const equals = pair.indexOf('=');
      const [name, value] = [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
      const gone = attributes.some(
        (each) => /^\s*max-age=0\s*$/i.test(each) || /expires=thu, 01 jan 1970/i.test(each),
      );
      this.setCookie(url, name, value);
      if (gone) this.cookies.get(new URL(url).host)?.delete(name);
    }
    return reply;
  }

  /** Follows redirects, as far as they go. */
  async follow(url: string, reply: Reply): Promise<{ readonly url: string; readonly reply: Reply }> {
    for (let hops = 0; hops < 20; hops += 1) {
      const { location } = reply.headers;
      if (reply.status < 300 || reply.status > 399 || location === undefined) return { url, reply };
      url = new URL(location, url).href;
      reply = await this.get(url, { 'sec-fetch-site': 'cross-site' });
    }
    throw new Error('too many redirects');
  }

  async open(url: string): Promise<{ readonly url: string; readonly reply: Reply }> {
    return this.follow(url, await this.get(url));
  }
}

/** A hidden field, or any input, of a page. */
export function inputs(page: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [tag] of page.matchAll(/<input\b[^>]*>/g)) {
    const name = /\bname="([^"]*)"/.exec(tag)?.[1];
    const value = /\bvalue="([^"]*)"/.exec(tag)?.[1] ?? '';
    if (name !== undefined)
      found[name] = value
        .replaceAll('&amp;', '&')
        .replaceAll('&quot;', '"')
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&#39;', "'");
  }
  return found;
}
