import { SAFE_METHODS } from '../../../contracts/facts.ts';
import type { TellBackendSettings } from '../../../contracts/settings.ts';
import { fieldsOf, overrideInBody } from '../../canonical/method-override.ts';
import type { ReadContent } from '../../content/read.ts';
import { contradicts, formContradicts } from '../../tenants/contradictions.ts';
import { ownRowsJudge, whollyOwn, withContent } from '../../tenants/rows.ts';
import { meddles } from '../../transport/outgoing-target.ts';
import type { Exchange, Step } from '../exchange.ts';
import { expectAnswer } from './decide.ts';

/**
 * Stage 5c: where the tenant's database holds rows of others, what the EMR answers is looked at row by row, and so is
 * what a change would change, whatever the policy itself wants to see of it.
 */
export function ownRows(x: Exchange): Step {
  const settings = x.tenant.settings.ownRows;
  if (settings === undefined || x.route.rows === 'unchecked') return undefined;
  if (x.facts.upgrade !== undefined) {
    // Nobody can look into a tunnel.
    x.failed('rows-foreign', 'upgrade');
    return { kind: 'hidden', reason: 'rows-foreign' };
  }
  const judge = ownRowsJudge(settings);
  const policys = x.answerJudges;
  expectAnswer(x, judge);
  // First: what the policy makes of an answer is made of this tenant's rows.
  const { method } = x.facts;
  x.answerJudges = [SAFE_METHODS.has(method) ? withContent(judge) : judge, ...policys];
  if (method === 'PUT' || method === 'PATCH' || method === 'DELETE') {
    const byQuery = x.route.fhir === undefined && (x.outgoing.query ?? x.facts.query) !== '';
    x.obligations = { ...x.obligations, existing: whollyOwn(judge, x.obligations?.existing, byQuery) };
  }
  return undefined;
}

/** Whether this stage's second half has to see the request's body. */
export function wantsTenancy(x: Exchange): boolean {
  const { ownRows: rows, tellBackend } = x.tenant.settings;
  if (rows !== undefined && x.route.rows !== 'unchecked') return true;
  return tellBackend?.query !== undefined && isForm(x.facts.mediaType);
}

function isForm(mediaType: string | undefined): boolean {
  return mediaType === 'application/x-www-form-urlencoded' || mediaType === 'multipart/form-data';
}

/** Stage 6d: a body that says something of which tenant is meant, or whose its record is, has to say what the gateway does. */
export function judgeTenancy(x: Exchange): Step {
  const { content } = x;
  if (content === undefined) return undefined;
  const { ownRows: rows, tellBackend } = x.tenant.settings;
  const disagrees =
    (tellBackend !== undefined && formMeddles(content, tellBackend)) ||
    (rows !== undefined && x.route.rows !== 'unchecked' && bodyMeddles(x, content));
  if (!disagrees) return undefined;
  x.failed('tenant-signs-disagree', 'body');
  return { kind: 'unprocessable', reason: 'tenant-signs-disagree' };
}

/** PHP's `$_REQUEST` takes a form's field before a parameter of the same name. */
function formMeddles({ content }: ReadContent, told: TellBackendSettings): boolean {
  if (content.kind === 'form') return meddles(content.fields.keys(), told);
  if (content.kind === 'multipart')
    return meddles(
      content.parts.map(({ name }) => name),
      told,
    );
  return false;
}

function bodyMeddles(x: Exchange, { content }: ReadContent): boolean {
  const settings = x.tenant.settings.ownRows;
  if (settings === undefined) return false;
  // Another method than the one by which it was decided whose rows are looked at first.
  if (overrideInBody(content, x.facts.method, undefined) !== undefined) return true;
  switch (content.kind) {
    case 'json':
      return contradicts(settings, content.value, x.facts.method);
    case 'form':
    case 'multipart':
      return x.facts.method === 'PATCH' || formContradicts(settings, fieldsOf(content));
    default:
      // XML, text and files are not understood, and may move a record to somebody else.
      return true;
  }
}
