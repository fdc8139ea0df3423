import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { give } from '../../examples/demo/isolation.ts';
import { writeSecret } from '../../examples/demo/layout.ts';
import type { BeforeGateway, Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';

/** Records what patients let whom see. */
export const CONSENT_CLERK = {
  id: 'consent-clerk',
  what: 'who records consents on paper',
  scopes: ['chartgate/consent.manage'],
} as const;
const WITHIN_MS = 5_000;

/** A place for consents, and the settings that name it. */
export function keepConsents({ layout, isolation }: BeforeGateway): object {
  const folder = join(layout.gateway, 'state');
  mkdirSync(folder, { mode: 0o700 });
  give(folder, isolation.gateway);
  writeSecret(join(layout.gateway, 'state.key'), randomBytes(32).toString('hex'), isolation.gateway);
  return { file: 'state/state.sqlite', keys: [{ file: 'state.key' }] };
}

export interface Sharing {
  readonly stack: Stack;
  /** Whose record. */
  readonly patient: number;
  /** The client that was let in once, and its token. */
  readonly client: string;
  readonly token: string;
  /** A record of the patient's. */
  readonly path: string;
}

/**
 * A patient who lets other people at the whole record, and did let `client`, whose consent was withdrawn: what is left is
 * consents in force that name somebody else.
 * @throws Error when the consent did not open the record, or its end did not close it
 */
export async function letOthersIn({ stack, patient, client, token, path }: Sharing): Promise<void> {
  const clerk = await stack.token({
    tenant: 'north',
    client: CONSENT_CLERK.id,
    scopes: [...CONSENT_CLERK.scopes],
  });
  const at = (more: string, as: string, options: Partial<Ask> = {}): Promise<Reply> =>
    ask({ url: `${stack.tenants.north.origin}${more}`, authority: stack.authority, token: as, ...options });
  const post = async (more: string, content: object): Promise<Reply> => {
    const reply = await at(more, clerk, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(content),
    });
    if (reply.status >= 300) throw new Error(`${more} was answered with ${reply.status}: ${reply.text}`);
    return reply;
  };
  const grant = async (subject: string): Promise<string> => {
    const { text } = await post('/.chartgate/consents', {
      patient: String(patient),
      grantee: { kind: 'person', issuer: stack.issuerUrl, subject },
      resourceTypes: ['*'],
      actions: ['read', 'write'],
      until: new Date(Date.now() + 86_400_000).toISOString(),
    });
    return (JSON.parse(text) as { id: string }).id;
  };
  const becomes = async (status: number): Promise<void> => {
    const until = performance.now() + WITHIN_MS;
    for (;;) {
      const replies = await Promise.all(Array.from({ length: 6 }, () => at(path, token)));
      if (replies.every((reply) => reply.status === status)) return;
      if (performance.now() > until)
        throw new Error(`${path} was answered with ${replies.map((reply) => reply.status)}, not ${status}`);
      await after(50);
    }
  };
  for (let i = 0; i < 3; i += 1) await grant(`relative-${i}`);
  const mine = await grant(client);
  await becomes(200);
  await post(`/.chartgate/consents/${mine}/withdraw`, {});
  await becomes(404);
}
