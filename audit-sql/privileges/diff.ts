import type { Account } from '../names.ts';
import { type Difference, grantKey, type Holding, type WantedGrant } from './types.ts';
import { harm } from './vocabulary.ts';

/** Schemas that a policy leaves alone. A pattern that covers more than such a schema is not left alone. */
export function onOtherSchema(holding: Holding, otherSchemas: readonly string[]): boolean {
  if (holding.scope === 'global' || holding.scope === 'role' || holding.scope === 'proxy') return false;
  const schema = holding.object[0] ?? '';
  const named = holding.scope === 'schema' ? schema.replace(/\\([_%])/g, '$1') : schema;
  return otherSchemas.includes(named);
}

function revoked(holding: Holding): Difference {
  const { account, scope, object, privilege } = holding;
  return { account, change: 'revoke', scope, object, privilege, why: harm(privilege) };
}

/**
 * What must be granted and revoked so that an account holds exactly what is wanted. Pure, and in a fixed
 * order: the same holdings and wishes give the same list.
 */
export function accountDifferences(
  account: Account,
  held: readonly Holding[],
  wanted: readonly WantedGrant[],
  otherSchemas: readonly string[],
): Difference[] {
  const has = new Set(held.map(grantKey));
  const wants = new Set(wanted.map(grantKey));
  return [
    ...wanted
      .filter((grant) => !has.has(grantKey(grant)))
      .map(
        ({ scope, object, privilege, why }): Difference => ({
          account,
          change: 'grant',
          scope,
          object,
          privilege,
          why,
        }),
      ),
    ...held
      .filter((holding) => !wants.has(grantKey(holding)) && !onOtherSchema(holding, otherSchemas))
      .map(revoked),
    // A dynamic privilege has a grant option of its own, and loses it only together with the privilege.
    ...held
      .filter((holding) => holding.passable && wants.has(grantKey(holding)))
      .map((holding) => ({
        ...revoked(holding),
        why: 'it is to have it, but without the right to give it to others',
      })),
  ];
}

/** The rights of everybody, and of users without a name, are revoked where they matter to the EMR. */
export function everybodysDifferences(
  held: readonly Holding[],
  matters: (holding: Holding) => boolean,
  otherSchemas: readonly string[],
): Difference[] {
  return held
    .filter((holding) => matters(holding) && !onOtherSchema(holding, otherSchemas))
    .map((holding) => ({ ...revoked(holding), why: `everybody has it, and ${harm(holding.privilege)}` }));
}
