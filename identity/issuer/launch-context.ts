import { randomBytes } from 'node:crypto';
import type { Models } from './models.ts';

/** What an app is told it was launched for (SMART App Launch 2.2, "Launch context arrives with your access_token"). */
export interface LaunchContext {
  readonly patient: string | undefined;
  readonly encounter: string | undefined;
  readonly needPatientBanner: boolean;
  readonly intent: string | undefined;
}

/** A launch that the EHR announced and that an app has not used yet. */
export interface AnnouncedLaunch extends LaunchContext {
  /** The client that may use it. */
  readonly client: string;
  /** The account that it is for; whoever signs in when undefined. */
  readonly subject: string | undefined;
}

export const NO_CONTEXT: LaunchContext = Object.freeze({
  patient: undefined,
  encounter: undefined,
  needPatientBanner: true,
  intent: undefined,
});

/** Seconds in which the app must have begun. */
export const LAUNCH_SECONDS = 300;
const CONTEXT = 'LaunchContext';
const LAUNCH = 'Launch';

/** Keeps what belongs to a grant, for as long as the grant. */
export async function keepContext(
  models: Models,
  grant: string,
  context: LaunchContext,
  seconds: number,
): Promise<void> {
  await models.put(CONTEXT, grant, { ...context }, seconds, { grant });
}

export async function contextOf(models: Models, grant: string | undefined): Promise<LaunchContext> {
  if (grant === undefined) return NO_CONTEXT;
  const found = await models.get(CONTEXT, grant);
  return found === undefined ? NO_CONTEXT : contextIn(found.payload);
}

/** @returns the value of the `launch` parameter */
export async function announce(models: Models, launch: AnnouncedLaunch): Promise<string> {
  const name = randomBytes(32).toString('base64url');
  await models.add(LAUNCH, name, { ...launch }, LAUNCH_SECONDS);
  return name;
}

/** Gives it once; undefined for one that is unknown, used, late, or another client's. */
export async function redeem(
  models: Models,
  name: string,
  client: string,
): Promise<AnnouncedLaunch | undefined> {
  if (!/^[\w-]{43}$/.test(name)) return undefined;
  const payload = await models.take(LAUNCH, name);
  if (payload === undefined || payload.client !== client) return undefined;
  return { ...contextIn(payload), client, subject: text(payload.subject) };
}

function contextIn(payload: Readonly<Record<string, unknown>>): LaunchContext {
  return {
    patient: text(payload.patient),
    encounter: text(payload.encounter),
    needPatientBanner: payload.needPatientBanner !== false,
    intent: text(payload.intent),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
