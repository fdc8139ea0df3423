import type { SigningJwk } from './keys.ts';
import { announce, LAUNCH_SECONDS } from './launch-context.ts';
import { ownToken } from './own-tokens.ts';
import type { IssuerParts } from './parts.ts';

/** The scope with which an EHR's own client announces launches. */
export const LAUNCH_SCOPE = 'chartgate/launch';

export interface PlainAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** FHIR R4 §2.24.0.1 `id`. */
const ID = /^[A-Za-z0-9.-]{1,64}$/;

/**
 * `POST /launch`: the EHR says that it is about to open an app on a patient, and gets the value of the `launch`
 * parameter (SMART App Launch 2.2, "Launch App: EHR Launch"). Body: `client`, `patient`, and where there are such
 * `encounter`, `intent`, `needPatientBanner`, and `subject`, the account that it is for.
 */
export async function answerLaunch(
  parts: IssuerParts,
  keys: readonly SigningJwk[],
  authorization: string | undefined,
  body: string,
): Promise<PlainAnswer> {
  const token = await ownToken(parts, keys, authorization);
  if (token === undefined) return { status: 401, headers: { 'www-authenticate': 'Bearer' } };
  if (!token.scopes.includes(LAUNCH_SCOPE)) {
    return {
      status: 403,
      headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${LAUNCH_SCOPE}"` },
    };
  }
  const asked = parse(body);
  if (asked === undefined) return { status: 400, body: { error: 'invalid_request' } };
  const { client, patient, encounter, intent, subject } = asked;
  const app = typeof client === 'string' ? await parts.clients.find(client) : undefined;
  const sound =
    app?.kind === 'app' &&
    app.tenants.some(({ audience }) => audience === token.audience) &&
    isId(patient) &&
    (encounter === undefined || isId(encounter)) &&
    (intent === undefined || (typeof intent === 'string' && intent.length <= 100)) &&
    (subject === undefined || (typeof subject === 'string' && subject.length <= 100));
  if (!sound) return { status: 400, body: { error: 'invalid_request' } };
  const launch = await announce(parts.models, {
    client: app.id,
    patient,
    encounter,
    intent,
    subject,
    needPatientBanner: asked.needPatientBanner !== false,
  });
  return { status: 201, body: { launch, expires_in: LAUNCH_SECONDS } };
}

interface Asked {
  readonly client?: unknown;
  readonly patient?: unknown;
  readonly encounter?: unknown;
  readonly intent?: unknown;
  readonly subject?: unknown;
  readonly needPatientBanner?: unknown;
}

function parse(body: string): Asked | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isId = (value: unknown): value is string => typeof value === 'string' && ID.test(value);
