import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider, ProviderInteraction } from 'oidc-provider';
import { hashOf } from '../../lengths.ts';
import type { KnownClient } from '../clients.ts';
import type { PageForm, ShownPage } from '../pages.ts';
import type { IssuerParts } from '../parts.ts';
import type { PasskeySite } from '../second-factors.ts';
import { endFlow, type Flow, saveFlow } from './flow.ts';

/** One request of somebody who is in the middle of an interaction, and what has been found out about it. */
export interface Step {
  readonly parts: IssuerParts;
  readonly provider: Provider;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly interaction: ProviderInteraction;
  readonly client: KnownClient;
  readonly flow: Flow;
  readonly query: URLSearchParams;
  /** Undefined for a GET. */
  readonly form: URLSearchParams | undefined;
  /** The form's anti-CSRF text did not fit: nothing of it may be done. */
  readonly stale: boolean;
  /** The client's address, for limits. */
  readonly source: string;
  readonly requestId: string;
}

/** What a step ends with. */
export type Ended = { readonly page: ShownPage; readonly status?: number } | { readonly location: string };

export const pathOf = (step: Step): string => `/interaction/${step.interaction.uid}`;

export function formFor(step: Step, name: string): PageForm {
  return { action: pathOf(step), csrf: step.flow.csrf, hidden: { step: name } };
}

/** Where an answered form may lead in the end: the browser follows redirects only to what the page's policy names. */
export function formTargets(step: Step): readonly string[] {
  const uris = (step.client.metadata.redirect_uris ?? []) as readonly string[];
  return [
    ...new Set(
      uris.flatMap((uri) => {
        const url = URL.parse(uri);
        if (url === null) return [];
        return [url.origin === 'null' ? url.protocol : url.origin];
      }),
    ),
  ];
}

/** What is asked of an account beyond its password. */
export interface Demand {
  readonly factor: boolean;
  /** Only a passkey will do. */
  readonly resistant: boolean;
}

/** Keeps what has changed, and begins anew with the page that is due now. */
export async function goOn(
  step: Step,
  change: Partial<Flow>,
  without: readonly (keyof Flow)[] = [],
): Promise<Ended> {
  const kept = Object.entries(step.flow).filter(([name]) => !(without as readonly string[]).includes(name));
  const flow = { ...(Object.fromEntries(kept) as unknown as Flow), ...change };
  await saveFlow(step.parts.models, step.interaction.uid, flow, remaining(step));
  return { location: pathOf(step) };
}

/** Ends the interaction; the browser goes back to the authorization endpoint. */
export async function finish(step: Step, result: Readonly<Record<string, unknown>>): Promise<Ended> {
  const location = await step.provider.interactionResult(step.request, step.response, result);
  await endFlow(step.parts.models, step.interaction.uid);
  return { location };
}

/** Seconds that the interaction has left. */
export function remaining(step: Step): number {
  return Math.max(1, step.interaction.exp - Math.floor(step.parts.clock.wall() / 1000));
}

export function passkeySite({ parts: { settings } }: Step): PasskeySite {
  const { hostname, origin } = new URL(settings.issuer);
  return { id: hostname, origin, name: settings.brand?.name ?? hostname };
}

/** What ties a challenge to this browser: only it has the interaction's cookie. */
export const bindingOf = (step: Step): string => hashOf('interaction', step.interaction.uid);

export const field = (step: Step, name: string): string => step.form?.get(name) ?? '';
