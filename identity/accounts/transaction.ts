import type { AccountSettings } from '../../contracts/account-settings.ts';
import type { Clock } from '../../contracts/clock.ts';
import type { JsonBody, StateOperation } from '../../contracts/state.ts';
import { type AccountEventName, announce, eventStep, type KeptEvent } from './events.ts';
import { HOST, type Organisation } from './model.ts';
import { type AccountRepository, organisationDocument } from './repository.ts';
import type { Actor, Refusal } from './rules.ts';

/** What an operation gives; a refusal is a value. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | Refused;
export interface Refused {
  readonly ok: false;
  readonly reason: Refusal;
  /** Which value, where there are several: the name of a field or of a role. Never a secret. */
  readonly detail?: string;
}

export const refuse = (reason: Refusal, detail?: string): Refused =>
  detail === undefined ? { ok: false, reason } : { ok: false, reason, detail };

/** What an operation would change, judged by what it read. */
export interface Plan<T> {
  readonly ok: true;
  readonly value: T;
  readonly steps: readonly StateOperation[];
  readonly events: readonly Pick<KeptEvent, 'what' | 'organisation' | 'subject' | 'details'>[];
}

export interface AdministrationParts {
  readonly repository: AccountRepository;
  readonly settings: AccountSettings;
  readonly clock: Clock;
  /** What removes every second factor of an account; undefined where the factors are nobody's business here. */
  readonly factorSteps?: ((account: string) => Promise<readonly StateOperation[]>) | undefined;
}

/** How often an operation is judged anew because somebody else was quicker. */
const TRIES = 8;

/** What an operation sees: whatever of it changes before the commit makes it judge again. */
export interface View {
  readonly actor: Actor;
  readonly now: number;
  readonly repository: AccountRepository;
  /**
   * Must be called before the accounts, roles or requests of an organisation are read: a change of any of them
   * between this and the commit undoes the commit. Undefined when there is no such organisation.
   */
  readonly hold: (organisation: string) => Promise<Organisation | undefined>;
}

/**
 * Reads, judges and commits, and begins again when something it read was changed meanwhile, also by another
 * process: the rules about pairs and numbers of people hold however many act at once. Every change of an
 * organisation's accounts goes through here and replaces the organisation's document.
 */
export class Transactions {
  readonly #parts: AdministrationParts;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  /** The live account, or the host; undefined for what is neither. */
  async actor(id: string): Promise<Actor | undefined> {
    return id === HOST ? { id: HOST } : this.#parts.repository.account(id);
  }

  /** @param actorId id of an account, or `HOST`; nobody else can be anybody */
  async run<T>(actorId: string, judge: (view: View) => Promise<Plan<T> | Refused>): Promise<Outcome<T>> {
    const { repository, clock } = this.#parts;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const held = new Map<string, Organisation>();
      const hold = async (id: string): Promise<Organisation | undefined> => {
        const known = held.get(id);
        if (known) return known;
        const found = await repository.organisation(id);
        if (found) held.set(id, found);
        return found;
      };
      const first = await this.actor(actorId);
      if (first === undefined) return refuse('not-permitted');
      // Held, then read again: were he disabled at the same time, one of the two would have to begin anew.
      if ('organisation' in first) await hold(first.organisation);
      const actor = await this.actor(actorId);
      if (actor === undefined) return refuse('not-permitted');
      const now = clock.wall();
      const plan = await judge({ actor, now, repository, hold });
      if (!plan.ok) return plan;
      const events = plan.events.map((event) => ({ ...event, actor: actorId, at: now }));
      const created = new Set(plan.steps.filter(insertsOrganisation).map(({ id }) => id));
      const touched = [...held.values()].filter(({ id }) => !created.has(id) && !replaces(plan.steps, id));
      const kept = await repository.store.commit([
        ...touched.map(touch),
        ...plan.steps,
        ...events.map(eventStep),
      ]);
      if (!kept) continue;
      for (const event of events) announce(event);
      return { ok: true, value: plan.value };
    }
    return refuse('changed-meanwhile');
  }
}

const insertsOrganisation = (step: StateOperation): boolean =>
  step.do === 'insert' && step.kind === 'organisation';

const replaces = (steps: readonly StateOperation[], organisation: string): boolean =>
  steps.some((step) => step.kind === 'organisation' && step.id === organisation);

function touch(organisation: Organisation): StateOperation {
  const { id, version, changes } = organisation;
  return {
    do: 'replace',
    kind: 'organisation',
    id,
    version,
    // Of a pending organisation nothing is held: it is only created, activated or removed as a whole.
    document: organisationDocument({ ...organisation, changes: changes + 1 }),
  };
}

export const event = (
  what: AccountEventName,
  organisation: string,
  subject: string,
  details: JsonBody = {},
): Pick<KeptEvent, 'what' | 'organisation' | 'subject' | 'details'> => ({
  what,
  organisation,
  subject,
  details,
});
