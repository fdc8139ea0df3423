import type { fetch } from 'undici';

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

export interface Shown {
  readonly status: number;
  readonly url: string;
  readonly html: string;
  readonly headers: Headers;
}

/** Somebody with a browser that has no script: keeps cookies, follows redirects within one origin, sends forms. */
export class Visitor {
  readonly #fetch: typeof fetch;
  readonly #origin: string;
  #cookies: Cookie[] = [];
  /** The last page. */
  page: Shown = { status: 0, url: '', html: '', headers: new Headers() };
  /** Where a redirect led that leaves the issuer. */
  left: URL | undefined;

  constructor(fetching: typeof fetch, origin: string) {
    this.#fetch = fetching;
    this.#origin = origin;
  }

  get cookies(): readonly Cookie[] {
    return this.#cookies;
  }

  /** Another browser with the same cookies. */
  twin(): Visitor {
    const twin = new Visitor(this.#fetch, this.#origin);
    twin.#cookies = [...this.#cookies];
    return twin;
  }

  async go(url: string, form?: URLSearchParams, headers: Record<string, string> = {}): Promise<Shown> {
    let target = new URL(url, this.page.url || this.#origin);
    let body = form;
    this.left = undefined;
    for (let hop = 0; hop < 12; hop += 1) {
      const response = await this.#fetch(target.href, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: {
          accept: 'text/html',
          cookie: this.#cookiesFor(target.pathname),
          ...(body === undefined ? {} : { origin: this.#origin }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      this.#keep(response.headers.getSetCookie());
      const location = response.headers.get('location');
      const html = await response.text();
      this.page = {
        status: response.status,
        url: target.href,
        html,
        headers: response.headers as unknown as Headers,
      };
      if (location === null) return this.page;
      target = new URL(location, target);
      body = undefined;
      if (target.origin !== this.#origin) {
        this.left = target;
        return this.page;
      }
    }
    throw new Error('redirected for ever');
  }

  /** Sends the page's form that has this hidden `step`, or its only one, with these values. */
  async send(values: Readonly<Record<string, string | readonly string[]>>, step?: string): Promise<Shown> {
    const form = this.forms().find(({ fields }) => step === undefined || fields.get('step') === step);
    if (form === undefined)
      throw new Error(`no such form on ${this.page.status} ${this.page.url}\n${this.page.html}`);
    const body = new URLSearchParams(form.fields);
    for (const [name, value] of Object.entries(values)) {
      body.delete(name);
      for (const each of typeof value === 'string' ? [value] : value) body.append(name, each);
    }
    return this.go(form.action, body);
  }

  forms(): { readonly action: string; readonly fields: URLSearchParams }[] {
    return [...this.page.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(
      ([, attributes = '', inner = '']) => {
        const fields = new URLSearchParams();
        for (const [, input = ''] of inner.matchAll(/<input\b([^>]*)>/g)) {
          const type = attribute(input, 'type');
          if (type === 'hidden' || (type === 'checkbox' && /\bchecked\b/.test(input))) {
            fields.append(attribute(input, 'name'), attribute(input, 'value'));
          }
        }
        return { action: attribute(attributes, 'action'), fields };
      },
    );
  }

  heading(): string {
    return decode(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(this.page.html)?.[1] ?? '').trim();
  }

  #cookiesFor(path: string): string {
    return this.#cookies
      .filter(
        (cookie) =>
          path === cookie.path ||
          path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`),
      )
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const name = pair.slice(0, at);
      const path = attributes.find((part) => part.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
      const expires = attributes.find((part) => part.toLowerCase().startsWith('expires='))?.slice(8);
      this.#cookies = this.#cookies.filter((cookie) => cookie.name !== name || cookie.path !== path);
      if (expires !== undefined && Date.parse(expires) < Date.now()) continue;
      this.#cookies.push({ name, value: pair.slice(at + 1), path });
    }
  }
}

function attribute(text: string, name: string): string {
  return decode(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '');
}

function decode(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
