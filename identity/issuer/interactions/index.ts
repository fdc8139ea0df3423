import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Provider, type ProviderInteraction } from 'oidc-provider';
import { formOf, isForeign } from '../forms.ts';
import type { ShownPage } from '../pages.ts';
import type { IssuerParts } from '../parts.ts';
import { consentStep } from './consent.ts';
import { csrfFits, loadFlow } from './flow.ts';
import { signInStep } from './sign-in.ts';
import { type Ended, finish, type Step } from './step.ts';

const PATH = /^\/interaction\/([\w-]{20,64})(\/cancel)?$/;

export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly source: string;
  readonly requestId: string;
}

/** Whether the path belongs to an interaction. */
export const isInteraction = (path: string): boolean => path.startsWith('/interaction/');

/** Answers a request of somebody who signs in or consents. Rejects with `state-unavailable` only. */
export async function answerInteraction(parts: IssuerParts, provider: Provider, asked: Asked): Promise<void> {
  const { request, response, url, requestId } = asked;
  const [, uid, cancel] = PATH.exec(url.pathname) ?? [];
  if (uid === undefined) return send(response, 404, parts.pages.error({ kind: 'not-found', requestId }));
  const { method } = request;
  if (method !== 'GET' && method !== 'POST') {
    return send(response, 405, parts.pages.error({ kind: 'bad-request', requestId }), { allow: 'GET, POST' });
  }
  if (method === 'POST' && isForeign(request, parts.settings.issuer)) {
    return send(response, 403, parts.pages.error({ kind: 'refused', requestId }));
  }
  const interaction = await interactionOf(provider, request, response);
  const client =
    interaction?.uid === uid ? await parts.clients.find(interaction.params.client_id ?? '') : undefined;
  if (interaction === undefined || client === undefined) {
    return send(response, 400, parts.pages.error({ kind: 'expired', requestId }));
  }
  const form = method === 'POST' ? await formOf(request) : undefined;
  if (method === 'POST' && form === undefined) {
    return send(response, 413, parts.pages.error({ kind: 'bad-request', requestId }));
  }
  const now = Math.floor(parts.clock.wall() / 1000);
  const flow = await loadFlow(parts.models, uid, Math.max(1, interaction.exp - now));
  const stale = form !== undefined && !csrfFits(flow, form.get('csrf'));
  const step: Step = {
    parts,
    provider,
    request,
    response,
    interaction,
    client,
    flow,
    query: url.searchParams,
    form,
    stale,
    source: asked.source,
    requestId,
  };
  const ended = cancel === undefined ? await due(step) : await finish(step, { error: 'access_denied' });
  end(response, ended);
}

function due(step: Step): Promise<Ended> {
  switch (step.interaction.prompt.name) {
    case 'login':
      return signInStep(step);
    case 'consent':
      return consentStep(step);
    default:
      return finish(step, { error: 'interaction_required' });
  }
}

export function end(response: ServerResponse, ended: Ended): void {
  if ('page' in ended) {
    send(response, ended.status ?? 200, ended.page);
    return;
  }
  response.writeHead(303, { location: ended.location, 'cache-control': 'no-store', 'content-length': '0' });
  response.end();
}

export function send(
  response: ServerResponse,
  status: number,
  page: ShownPage,
  more: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(page.html);
  response.writeHead(status, { ...page.headers, ...more, 'content-length': String(body.length) });
  response.end(body);
}

/** Undefined for one that is over, or that another browser began. */
async function interactionOf(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<ProviderInteraction | undefined> {
  try {
    return await provider.interactionDetails(request, response);
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return undefined;
    throw error;
  }
}
