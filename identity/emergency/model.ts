import { EMERGENCY_VERDICTS, type Emergency, type EmergencyReview } from '../../contracts/emergency.ts';
import { parseTenantId } from '../../contracts/identifiers.ts';
import type { JsonBody, JsonValue, NewDocument, StoredDocument } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';

/** What is sealed in a document besides the record itself. */
export interface SealedWords {
  readonly reason: string;
  /** One for each review, empty where nothing was noted. */
  readonly notes: readonly string[];
}

export function emergencyDocument(emergency: Emergency, words: SealedWords): NewDocument {
  const { id: _, credential, ended, reviews, scopes, ...rest } = emergency;
  return {
    body: {
      ...rest,
      scopes,
      credential: { kind: credential.kind, clientId: credential.clientId ?? null },
      ended: ended === undefined ? null : { ...ended },
      reviews: reviews.map((review) => ({ ...review, name: review.name ?? null })),
      reason: words.reason,
      notes: words.notes,
    },
    indexes: { tenant: emergency.tenant, principal: hashOf(emergency.issuer, emergency.subject) },
  };
}

/** Undefined for what is not as it was written: it gives nothing. */
export function emergencyOf({
  id,
  body,
}: StoredDocument): (Emergency & { readonly words: SealedWords }) | undefined {
  const tenant = typeof body.tenant === 'string' ? parseTenantId(body.tenant) : undefined;
  const { issuer, subject, begunAt, until, credential, ended, reviews, reason } = body;
  const [scopes, notes] = [texts(body.scopes), texts(body.notes)];
  if (tenant === undefined || typeof issuer !== 'string' || typeof subject !== 'string') return undefined;
  if (typeof begunAt !== 'number' || typeof until !== 'number' || typeof reason !== 'string')
    return undefined;
  if (scopes === undefined || notes === undefined || !isBody(credential) || !Array.isArray(reviews))
    return undefined;
  const kind = credential.kind;
  if (kind !== 'session' && kind !== 'bearer') return undefined;
  if (ended !== null && !isBody(ended)) return undefined;
  const read = reviews.map(reviewOf);
  if (read.some((review) => review === undefined)) return undefined;
  return Object.freeze({
    id,
    tenant,
    issuer,
    subject,
    credential: Object.freeze({
      kind,
      clientId: typeof credential.clientId === 'string' ? credential.clientId : undefined,
    }),
    scopes,
    begunAt,
    until,
    ended:
      ended === null
        ? undefined
        : Object.freeze({
            at: typeof ended.at === 'number' ? ended.at : begunAt,
            by: ended.by === 'holder' ? 'holder' : 'reviewer',
          } as const),
    reviews: Object.freeze(read.filter((review) => review !== undefined)),
    words: Object.freeze({ reason, notes }),
  });
}

function isBody(value: JsonValue | undefined): value is JsonBody {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function texts(value: JsonValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) return undefined;
  return Object.freeze([...value]);
}

function reviewOf(value: JsonValue): EmergencyReview | undefined {
  if (!isBody(value)) return undefined;
  const { issuer, subject, name, at } = value;
  const verdict = EMERGENCY_VERDICTS.find((each) => each === value.verdict);
  if (typeof issuer !== 'string' || typeof subject !== 'string' || typeof at !== 'number') return undefined;
  if (verdict === undefined) return undefined;
  return Object.freeze({ issuer, subject, name: typeof name === 'string' ? name : undefined, verdict, at });
}
