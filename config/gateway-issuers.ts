import type { IssuerSettings } from '../contracts/settings.ts';
import { issuerFault } from './addresses.ts';
import { authorityOf } from './authority.ts';
import { embeddedOf, relyingPartyOf, secondFactorOf } from './gateway-sign-in.ts';
import { readSecret, type Surroundings } from './references.ts';
import { refuseRepeats } from './unique.ts';
import type { View } from './view.ts';

export function issuersOf(list: View, around: Surroundings): readonly IssuerSettings[] {
  const issuers = list.items.map((view) => issuerOf(view, around));
  refuseRepeats(
    list.items.map((view) => view.at('id')),
    (line) => `is the id of another issuer already (line ${line})`,
  );
  refuseRepeats(
    list.items.map((view) => view.at('issuer')),
    (line) => `is listed already (line ${line}); a token must lead to one entry only`,
  );
  return issuers;
}

function issuerOf(view: View, around: Surroundings): IssuerSettings {
  const place = view.at('issuer');
  const issuer = place.text ?? '';
  const fault = issuer === '' ? undefined : issuerFault(issuer);
  if (fault !== undefined) place.fault(fault);
  const cache = view.at('cache');
  const introspection = view.at('introspection');
  return {
    id: view.at('id').text ?? '',
    issuer,
    authority: authorityOf(view.at('authority'), around),
    algorithms: view.at('algorithms').texts,
    skewSeconds: (view.at('skew').milliseconds ?? 0) / 1000,
    cache: {
      maxTokens: cache.at('maxTokens').integer ?? 0,
      maxSeconds: (cache.at('maxAge').milliseconds ?? 0) / 1000,
    },
    introspection: introspection.exists
      ? {
          clientId: introspection.at('clientId').text ?? '',
          clientSecret: readSecret(introspection.at('clientSecret'), around),
        }
      : undefined,
    relyingParty: relyingPartyOf(view.at('relyingParty'), around, URL.parse(issuer)?.host ?? ''),
    secondFactor: secondFactorOf(view.at('secondFactor')),
    embedded: embeddedOf(view.at('embedded'), around),
  };
}
