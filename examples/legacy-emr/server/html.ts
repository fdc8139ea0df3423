import { type Exchange, send } from './exchange.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(value: unknown): string {
  return String(value ?? '').replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** A date as the database has it; zero dates are shown as a dash. */
export function shownDate(value: unknown): string {
  const text = String(value ?? '');
  return text === '' || text.startsWith('0000-00-00') ? '&ndash;' : escapeHtml(text);
}

export interface Page {
  readonly title: string;
  readonly who?: string | undefined;
  /** HTML. */
  readonly body: string;
}

/** Inline style, inline script and tables for layout: what the browsers of the time liked. */
export function sendPage(exchange: Exchange, page: Page, status = 200): void {
  const { emr } = exchange;
  const signed =
    page.who === undefined
      ? ''
      : `Signed in as <b>${escapeHtml(page.who)}</b> | <a href="/patients">Patients</a> | <a href="${escapeHtml(emr.origin)}/logout">Log out</a>`;
  exchange.response.setHeader('Cache-Control', 'private');
  send(
    exchange,
    status,
    'text/html; charset=utf-8',
    `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
<html><head><title>${escapeHtml(page.title)} - ${escapeHtml(emr.clinic)}</title>
<meta name="generator" content="${escapeHtml(emr.product)}">
<link rel="stylesheet" type="text/css" href="/static/emr.css">
<script type="text/javascript" src="/static/emr.js"></script>
<style type="text/css">#clock { float: right; color: #666666 }</style></head>
<body onload="startClock()">
<table width="100%" class="bar"><tr><td><img src="/static/logo.svg" width="32" height="32" alt=""> <b>${escapeHtml(emr.clinic)}</b></td>
<td align="right">${signed} <span id="clock"></span></td></tr></table>
<h1>${escapeHtml(page.title)}</h1>
${page.body}
<hr><address>${escapeHtml(emr.product)} at ${escapeHtml(emr.hostname)}</address>
<script type="text/javascript">var paperleafPage = ${JSON.stringify(page.title).replaceAll('<', '\\u003c')};</script>
</body></html>
`,
  );
}
