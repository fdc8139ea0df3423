import type { JsonBody, StateOperation } from '../../contracts/state.ts';
import { newHalf } from './codes.ts';
import type { AccountEventName } from './events.ts';
import type { Account, ApprovalRequest, RequestAction } from './model.ts';
import { STAFF_ORGANISATION } from './names.ts';
import {
  accountDocument,
  organisationDocument,
  passwordDocument,
  requestDocument,
  roleDocument,
} from './repository.ts';
import { codeStep, concernOf, grantsFrom, type IssuedCode } from './requests.ts';
import {
  type Actor,
  administers,
  FITTING_STATUS,
  mayApprove,
  mayLose,
  mayReject,
  type Ruling,
} from './rules.ts';
import {
  type AdministrationParts,
  event,
  type Outcome,
  type Plan,
  type Refused,
  refuse,
  Transactions,
  type View,
} from './transaction.ts';

export interface Decided {
  readonly request: ApprovalRequest;
  /** The second halves of its codes, for whoever approved. */
  readonly codes: readonly IssuedCode[];
}

/** A request that somebody wants decided, and what it is about. */
interface Case {
  readonly view: View;
  readonly request: ApprovalRequest;
  /** Undefined for roles and organisations, and for an account that is gone. */
  readonly account: Account | undefined;
  readonly factorSteps: AdministrationParts['factorSteps'];
}

/** The steps of what was approved, without those that every approval has. */
type Effect = Pick<Plan<readonly IssuedCode[]>, 'ok' | 'value' | 'steps' | 'events'> | Refused;

/** The second person. */
export class Deciding {
  readonly #parts: AdministrationParts;
  readonly #transactions: Transactions;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
    this.#transactions = new Transactions(parts);
  }

  approve(actorId: string, requestId: string): Promise<Outcome<Decided>> {
    return this.#decide(actorId, requestId, async (one) => {
      const { view, request, account } = one;
      const concern = concernOf(request, account);
      const requester = await this.#requester(view, request);
      const ruling = mayApprove(view.actor, requester, request, concern, view.now);
      if (!ruling.ok) return ruling;
      const effect = await EFFECTS[request.action](one, this.#parts.settings.codeLifetimeMs);
      if (!effect.ok) return effect;
      const { step, decided } = decide(request, 'approved', view);
      return {
        ok: true,
        value: { request: decided, codes: effect.value },
        steps: [step, ...effect.steps],
        events: effect.events,
      };
    });
  }

  /** By another person it is refused, by whoever asked it is taken back. What only waited for it is gone. */
  reject(actorId: string, requestId: string): Promise<Outcome<Decided>> {
    return this.#decide(actorId, requestId, async (one) => {
      const { view, request, account } = one;
      const ruling: Ruling = mayReject(view.actor, request, concernOf(request, account), view.now);
      if (!ruling.ok) return ruling;
      const state = view.actor.id === request.requestedBy ? 'withdrawn' : 'rejected';
      const { step, decided } = decide(request, state, view);
      return {
        ok: true,
        value: { request: decided, codes: [] },
        steps: [step, ...(await waiting(view, request))],
        events: [
          event(`request-${state}`, request.organisation, request.subject, {
            request: request.id,
            action: request.action,
          }),
        ],
      };
    });
  }

  #decide(
    actorId: string,
    requestId: string,
    judge: (one: Case) => Promise<Plan<Decided> | Refused>,
  ): Promise<Outcome<Decided>> {
    return this.#transactions.run(actorId, async (view) => {
      const there = await view.repository.request(requestId);
      if (there === undefined) return refuse('not-permitted');
      await view.hold(there.organisation);
      const request = await view.repository.request(requestId);
      if (request === undefined) return refuse('not-permitted');
      const account = await view.repository.account(request.subject);
      return judge({ view, request, account, factorSteps: this.#parts.factorSteps });
    });
  }

  /** As he is now, with his organisation held: were he disabled at this moment, one of the two begins anew. */
  async #requester(view: View, request: ApprovalRequest): Promise<Actor | undefined> {
    const requester = await this.#transactions.actor(request.requestedBy);
    if (requester === undefined || !('organisation' in requester)) return requester;
    await view.hold(requester.organisation);
    return this.#transactions.actor(request.requestedBy);
  }
}

function decide(
  request: ApprovalRequest,
  state: 'approved' | 'rejected' | 'withdrawn',
  { actor, now }: View,
): { readonly step: StateOperation; readonly decided: ApprovalRequest } {
  const { id, version, ...fields } = request;
  // The hashes of the halves have served.
  const after = { ...fields, state, decidedBy: actor.id, decidedAt: now, halves: [] };
  return {
    step: { do: 'replace', kind: 'approval', id, version, document: requestDocument(after) },
    decided: Object.freeze({ id, version, ...after }),
  };
}

/** Steps that remove what existed only for the request: pending accounts, a pending organisation. */
async function waiting({ repository }: View, request: ApprovalRequest): Promise<readonly StateOperation[]> {
  const steps: StateOperation[] = [];
  for (const { account: id } of request.halves) {
    const account = await repository.account(id);
    if (account?.status === 'pending') {
      steps.push({ do: 'remove', kind: 'account', id, version: account.version });
    }
  }
  if (request.action === 'create-organisation') {
    const found = await repository.organisation(request.subject);
    if (found?.status === 'pending') {
      steps.push({ do: 'remove', kind: 'organisation', id: found.id, version: found.version });
    }
  }
  return steps;
}

const EFFECTS: Readonly<Record<RequestAction, (one: Case, codeLifetimeMs: number) => Promise<Effect>>> =
  Object.freeze({
    'create-organisation': createOrganisation,
    'create-account': async (one, codeLifetimeMs) => {
      const { view, request, account } = one;
      const fitting = fits(request, account);
      if (!fitting.ok) return fitting;
      const { steps, codes } = activate(view, request, fitting.account, codeLifetimeMs);
      return effect(one, 'account-created', steps, codes, { roles: fitting.account.roles });
    },
    'change-account': async (one) => {
      const { view, request, account } = one;
      const fitting = fits(request, account);
      if (!fitting.ok) return fitting;
      if (fitting.account.version !== request.seen) return refuse('changed-meanwhile');
      const after = { ...fitting.account, ...grantsFrom(request.change) };
      if (!administers(after)) {
        const losing = mayLose(fitting.account, await view.repository.accounts(request.organisation));
        if (!losing.ok) return losing;
      }
      return effect(one, 'account-changed', [replace(after)], [], request.change);
    },
    'enable-account': async (one) => {
      const { view, request, account } = one;
      const fitting = fits(request, account);
      if (!fitting.ok) return fitting;
      // The rights that were looked at, not those of a change in between.
      if (fitting.account.version !== request.seen) return refuse('changed-meanwhile');
      const enabled = { ...fitting.account, status: 'active', provenance: two(request, view) } as const;
      return effect(one, 'account-enabled', [replace(enabled)], []);
    },
    'reset-password': resetPassword,
    'reset-factors': async (one) => {
      const { request, account, factorSteps } = one;
      const fitting = fits(request, account);
      if (!fitting.ok) return fitting;
      if (factorSteps === undefined) return refuse('not-permitted');
      return effect(one, 'factors-reset', await factorSteps(fitting.account.id), []);
    },
    'set-role': async (one) => {
      const { view, request } = one;
      const name = String(request.change.name);
      const present = await view.repository.role(request.organisation, name);
      if ((present?.version ?? 0) !== request.seen) return refuse('changed-meanwhile');
      const scopes = grantsFrom({ roles: request.change.scopes ?? [] }).roles;
      const document = roleDocument({ organisation: request.organisation, name, scopes });
      const step: StateOperation =
        present === undefined
          ? { do: 'insert', kind: 'role', id: request.subject, document }
          : { do: 'replace', kind: 'role', id: request.subject, version: present.version, document };
      const set = effect(one, 'role-set', [step], [], { name, scopes });
      const taken = (present?.scopes ?? []).filter((scope) => !scopes.includes(scope));
      if (!set.ok || taken.length === 0) return set;
      const { organisation, subject } = request;
      return {
        ...set,
        events: [...set.events, event('role-narrowed', organisation, subject, { name, taken })],
      };
    },
  });

async function createOrganisation(one: Case, codeLifetimeMs: number): Promise<Effect> {
  const { view, request } = one;
  const organisation = await view.repository.organisation(request.subject);
  if (organisation?.status !== 'pending') return refuse('not-found');
  const steps: StateOperation[] = [
    {
      do: 'replace',
      kind: 'organisation',
      id: organisation.id,
      version: organisation.version,
      document: organisationDocument({ ...organisation, status: 'active' }),
    },
  ];
  const codes: IssuedCode[] = [];
  for (const { account: id } of request.halves) {
    const account = await view.repository.account(id);
    if (account?.status !== 'pending') return refuse('changed-meanwhile');
    const activated = activate(view, request, account, codeLifetimeMs);
    steps.push(...activated.steps);
    codes.push(...activated.codes);
  }
  const accounts = request.halves.map(({ account }) => account);
  return {
    ok: true,
    value: codes,
    steps,
    events: [event('organisation-created', STAFF_ORGANISATION, organisation.id, { accounts })],
  };
}

async function resetPassword(one: Case, codeLifetimeMs: number): Promise<Effect> {
  const { view, request, account } = one;
  const fitting = fits(request, account);
  if (!fitting.ok) return fitting;
  const { id } = fitting.account;
  const steps: StateOperation[] = [...(await view.repository.withoutCodes(id))];
  const record = await view.repository.password(id);
  if (record?.current !== undefined) {
    // A password that somebody else may know ends now, not when the new one is set; it is remembered as used.
    const former = [record.current, ...record.former];
    steps.push({
      do: 'replace',
      kind: 'password',
      id,
      version: record.version,
      document: passwordDocument({ ...record, current: undefined, former, temporary: false }),
    });
  }
  const coded = codesOf(view, request, fitting.account, codeLifetimeMs);
  return effect(one, 'password-reset', [...steps, ...coded.steps], coded.codes);
}

const two = (request: ApprovalRequest, { actor }: View) =>
  ({ by: 'two', requestedBy: request.requestedBy, approvedBy: actor.id }) as const;

function fits(
  request: ApprovalRequest,
  account: Account | undefined,
): { readonly ok: true; readonly account: Account } | Refused {
  if (account === undefined) return refuse('not-found');
  const wanted = FITTING_STATUS[request.action];
  return account.status === wanted ? { ok: true, account } : refuse('wrong-status', account.status);
}

function replace(account: Account): StateOperation {
  const { id, version } = account;
  return { do: 'replace', kind: 'account', id, version, document: accountDocument(account) };
}

/** The second half of an account's code, for whoever approves, and the step that makes the code usable. */
function codesOf(
  { now }: View,
  request: ApprovalRequest,
  { id, login }: Account,
  codeLifetimeMs: number,
): { readonly steps: readonly StateOperation[]; readonly codes: readonly IssuedCode[] } {
  const first = request.halves.find(({ account }) => account === id);
  if (first === undefined) return { steps: [], codes: [] };
  const text = newHalf();
  return {
    steps: [codeStep(id, first.hash, text, now + codeLifetimeMs)],
    codes: [{ account: id, login, part: 'second half', text }],
  };
}

function activate(view: View, request: ApprovalRequest, account: Account, codeLifetimeMs: number) {
  const active = { ...account, status: 'active', provenance: two(request, view) } as const;
  const { steps, codes } = codesOf(view, request, account, codeLifetimeMs);
  return { steps: [replace(active), ...steps], codes };
}

const effect = (
  { request }: Case,
  what: AccountEventName,
  steps: readonly StateOperation[],
  codes: readonly IssuedCode[],
  details: JsonBody = {},
): Effect => ({
  ok: true,
  value: codes,
  steps,
  events: [event(what, request.organisation, request.subject, { ...details, request: request.id })],
});
