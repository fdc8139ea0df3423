import type { Clock } from '../../contracts/clock.ts';
import type { RevocationKind } from '../../contracts/issuer-link.ts';
import type { IssuerProcessSettings } from '../../contracts/issuer-settings.ts';
import type { Clients } from './clients.ts';
import type { IssuerLog } from './log.ts';
import type { Models } from './models.ts';
import type { IssuerPages } from './pages.ts';
import type { People } from './people.ts';
import type { SecondFactors } from './second-factors.ts';

/** What every file of the issuer works with. */
export interface IssuerParts {
  readonly settings: IssuerProcessSettings;
  readonly clock: Clock;
  readonly models: Models;
  readonly clients: Clients;
  readonly people: People;
  readonly factors: SecondFactors;
  readonly pages: IssuerPages;
  readonly log: IssuerLog;
  /** Tells every gateway. @param until seconds @param issuedBefore seconds; now unless given */
  readonly revoke: (
    kind: RevocationKind,
    value: string,
    until: number,
    issuedBefore?: number,
  ) => Promise<void>;
}

export const secondsOf = (clock: Clock): number => Math.floor(clock.wall() / 1000);
