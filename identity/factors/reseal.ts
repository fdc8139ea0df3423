import type { JsonBody, StateKind, StateStore, StoredDocument } from '../../contracts/state.ts';
import { resealedPasskey } from './passkey-store.ts';
import { resealedRecovery } from './recovery-codes.ts';
import { resealedTotp } from './totp.ts';
import type { FactorContext, FactorSealer } from './types.ts';

type SealedKind = Extract<StateKind, 'totp' | 'recovery-code' | 'passkey'>;
type Reseal = (context: Pick<FactorContext, 'sealer'>, document: StoredDocument) => object | undefined;

const RESEAL: Readonly<Record<SealedKind, Reseal>> = Object.freeze({
  totp: resealedTotp,
  'recovery-code': resealedRecovery,
  passkey: resealedPasskey,
});

/**
 * Seals everything of second factors with the first of the sealing keys, so that the others can be given up. May
 * run beside the processes that use the store; a document that one of them changes meanwhile is done when it runs
 * again, so run it until it says zero.
 *
 * @returns how many documents were sealed anew
 * @throws ChartgateError `state-invalid` for one that none of the keys opens
 */
export async function resealFactors(options: {
  readonly store: StateStore;
  readonly sealer: FactorSealer;
}): Promise<number> {
  const { store, sealer } = options;
  let done = 0;
  for (const kind of Object.keys(RESEAL) as SealedKind[]) {
    let after: string | undefined;
    for (;;) {
      const page = await store.list(kind, after === undefined ? {} : { after });
      if (page.length === 0) break;
      for (const document of page) {
        const body = RESEAL[kind]({ sealer }, document) as JsonBody | undefined;
        if (body === undefined) continue;
        const { indexes, expiresAt } = document;
        if (await store.replace(kind, document.id, document.version, { body, indexes, expiresAt })) done += 1;
      }
      after = page.at(-1)?.id;
    }
  }
  return done;
}
