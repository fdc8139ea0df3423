import { contentSecurityPolicy, type PageNeeds, pageHeaders } from './csp.ts';
import { attributes, type Html, html } from './html.ts';
import type { Site } from './site.ts';
import { pathUrl } from './url.ts';

/** A page ready to be sent; the sender chooses the status. Frozen. */
export interface Page {
  readonly html: string;
  readonly csp: string;
  /** Every header but length and request id; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PageContent extends PageNeeds {
  /** The heading, which is also the first part of the title. */
  readonly heading: string;
  /** The page says that something went wrong; the title begins with that, for screen readers. */
  readonly failed?: boolean;
  readonly main: Html;
  /** For tables and lists. */
  readonly wide?: boolean;
  /** Shown in the foot, to be given to who helps. */
  readonly requestId?: string | undefined;
}

/** The frame of every page: one column, brand above, help below. */
export function page(site: Site, content: PageContent): Page {
  const { texts, brand, assets, language } = site;
  const title = `${content.failed === true ? texts.frame.failedPrefix : ''}${content.heading} – ${brand.name}`;
  const logo = assets.path('logo');
  const text = html`<!doctype html>
<html lang="${language}" dir="ltr">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<meta name="format-detection" content="telephone=no">
<link rel="icon" type="image/svg+xml" href="${pathUrl(assets.path('icon'))}">
<link rel="stylesheet" href="${pathUrl(assets.path('brand'))}">
<link rel="stylesheet" href="${pathUrl(assets.path('page'))}">
${
  content.script === true
    ? html`<script type="module" src="${pathUrl(assets.path('passkey'))}"></script>
`
    : ''
}</head>
<body ${attributes({ class: content.wide === true && 'wide' })}>
<header class="brand">
${logo === undefined ? '' : html`<img class="logo" src="${pathUrl(logo)}" alt="" height="40">`}<span class="brand-name">${brand.name}</span>
</header>
<main>
<h1>${content.heading}</h1>
${content.main}
</main>
${foot(site, content.requestId)}
</body>
</html>
`;
  const csp = contentSecurityPolicy(content, site.sources);
  return Object.freeze({ html: text.toString(), csp, headers: pageHeaders(csp) });
}

function foot(site: Site, requestId: string | undefined): Html {
  const { support } = site.brand;
  const lines = support.map(
    (line) =>
      html`<li>${line.url === undefined ? line.text : html`<a href="${line.url}">${line.text}</a>`}</li>`,
  );
  return html`<footer>
${
  lines.length > 0
    ? html`<p class="foot-title">${site.texts.frame.help}</p>
<ul class="support">${lines}</ul>`
    : ''
}
${
  requestId !== undefined &&
  html`<p class="reference">${site.texts.frame.reference} <code>${requestId}</code></p>`
}
</footer>`;
}
