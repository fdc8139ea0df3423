import { setTimeout as pause } from 'node:timers/promises';
import { ask, type Reply } from '../support/https-client.ts';
import { activityOf } from './evidence.ts';
import type { StepReport } from './report.ts';
import type { Stack, TenantName } from './stack.ts';

/** One promise of the product, tried. `ok` is judged from what came back, never assumed. */
export interface TourStep {
  readonly title: string;
  run(stack: Stack): Promise<StepReport>;
}

/** A request of an API client. */
export function send(
  stack: Stack,
  tenant: TenantName,
  path: string,
  token?: string,
  more: { method?: string; body?: string } = {},
): Promise<Reply> {
  return ask({
    url: `${stack.tenants[tenant].origin}${path}`,
    authority: stack.authority,
    token,
    headers: {
      accept: 'application/fhir+json',
      ...(more.body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
    },
    ...more,
  });
}

const requestId = (reply: Reply): string => String(reply.headers['x-request-id'] ?? '');

/** The reason by which the activity log explains an answer. */
export async function reasonOf(stack: Stack, reply: Reply): Promise<string> {
  const entries = await activityOf(stack, requestId(reply));
  const outcome = entries.find((entry) => entry.kind === 'outcome');
  return String(outcome?.reason ?? 'nothing in the activity log');
}

/** The beginning of a text, on one line. */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 157)}…` : line;
}

/** A step whose one answer must be this refusal, for this reason. */
export async function denial(
  stack: Stack,
  title: string,
  sent: string,
  reply: Reply,
  expected: { readonly status: number; readonly reason: string },
  note = '',
): Promise<StepReport> {
  const reason = await reasonOf(stack, reply);
  return {
    title,
    sent,
    came: `${reply.status} ${excerpt(reply.text)}`,
    why: `activity log: ${reason}${note}`,
    ok: reply.status === expected.status && reason === expected.reason,
  };
}

/** Tries until it is as wanted, for at most five seconds; the last reply and how long it took. */
export async function until(
  attempt: () => Promise<Reply>,
  wanted: (reply: Reply) => boolean,
): Promise<{ reply: Reply; ms: number }> {
  const started = performance.now();
  for (;;) {
    const reply = await attempt();
    const ms = performance.now() - started;
    if (wanted(reply) || ms > 5000) return { reply, ms };
    await pause(50);
  }
}
