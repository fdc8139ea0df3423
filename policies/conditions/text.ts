import type { ConditionDocument } from '../../contracts/conditions.ts';

/** A condition in one line, for people. */
export function conditionText(document: ConditionDocument): string {
  if ('all' in document) return `(${document.all.map(conditionText).join(' and ')})`;
  if ('any' in document) return `(${document.any.map(conditionText).join(' or ')})`;
  if ('not' in document) return `not ${conditionText(document.not)}`;
  if ('roles' in document) return `role ${document.roles.join('|')}`;
  if ('scopes' in document) return `scope ${document.scopes.join(' ')}`;
  if ('clients' in document) return `client ${document.clients.join('|')}`;
  if ('home' in document) return `home ${document.home.join('|')}`;
  if ('credentials' in document) return `by ${document.credentials.join('|')}`;
  if ('hours' in document) {
    const { zone, days, from = '00:00', to = '24:00', except = [] } = document.hours;
    const on = days === undefined ? '' : ` ${days.join(',')}`;
    const but = except.length === 0 ? '' : ` but ${except.join(', ')}`;
    return `${from}-${to}${on} ${zone}${but}`;
  }
  if ('addresses' in document) return `from ${document.addresses.join('|')}`;
  if ('senderConstrained' in document) return `bound (${document.senderConstrained})`;
  if ('factorMaxAgeSeconds' in document) return `factor within ${document.factorMaxAgeSeconds} s`;
  if ('clientCertificate' in document) return 'client certificate';
  return Object.entries(document.headers)
    .map(([name, values]) => `header ${name} ${values.join('|')}`)
    .join(' and ');
}
