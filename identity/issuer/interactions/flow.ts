import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { AnnouncedLaunch } from '../launch-context.ts';
import type { Models, Payload } from '../models.ts';

/** What one interaction has come to, between its pages. Kept sealed; the browser holds only the interaction's name. */
export interface Flow {
  /** Stands in every form; a form without it does nothing. */
  readonly csrf: string;
  /** Who has proved to be that: by password, or by a passkey. */
  readonly account?: string;
  /** Wall-clock milliseconds: when that was proved. It counts until the account's sign-ins are ended (`endAccount`). */
  readonly since?: number;
  /** Authentication method references so far (RFC 8176). */
  readonly amr: readonly string[];
  /** A new password must be set first. */
  readonly change?: 'temporary' | 'expired';
  /** Code of two administrators, typed on the page for a lost password. */
  readonly recovery?: string;
  readonly factor?: 'totp' | 'recovery-code' | 'passkey';
  /** Recovery codes that were made and not confirmed as kept yet. */
  readonly codes?: readonly string[];
  readonly patient?: string;
  readonly launch?: AnnouncedLaunch;
}

const MODEL = 'Flow';

/** The flow of an interaction; one that begins for one that is new. */
export async function loadFlow(models: Models, uid: string, seconds: number): Promise<Flow> {
  const found = await models.get(MODEL, uid);
  if (found !== undefined) return found.payload as unknown as Flow;
  const flow: Flow = { csrf: randomBytes(24).toString('base64url'), amr: [] };
  if (await models.add(MODEL, uid, flow as unknown as Payload, seconds)) return flow;
  return loadFlow(models, uid, seconds);
}

export async function saveFlow(models: Models, uid: string, flow: Flow, seconds: number): Promise<void> {
  await models.put(MODEL, uid, flow as unknown as Payload, seconds);
}

export async function endFlow(models: Models, uid: string): Promise<void> {
  await models.remove(MODEL, uid);
}

export function csrfFits(flow: Flow, sent: string | null): boolean {
  const ours = Buffer.from(flow.csrf);
  const theirs = Buffer.from(sent ?? '');
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
