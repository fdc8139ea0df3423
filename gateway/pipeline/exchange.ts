import type { ActivitySink } from '../../contracts/activity.ts';
import type { Clock } from '../../contracts/clock.ts';
import type { ContentLimits } from '../../contracts/content.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { IntegrityOracle, Verdict } from '../../contracts/integrity.ts';
import type {
  AnswerJudge,
  DecisionContext,
  Obligations,
  PolicySet,
  Route,
  RouteMatch,
} from '../../contracts/policy.ts';
import type { Authenticator, Principal } from '../../contracts/principal.ts';
import type { Reason } from '../../contracts/reasons.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import type { HeldForm, Session } from '../../identity/sessions/index.ts';
import type { Tenant, TenantRouter } from '../../tenant-router/index.ts';
import type { Answer } from '../answer/answer.ts';
import type { Arrival } from '../canonical/request.ts';
import type { Inspection } from '../content/inspection.ts';
import type { ReadContent } from '../content/read.ts';
import type { EmbeddedIssuer, EmbeddedIssuers } from '../embedded-issuer.ts';
import type { Guard } from '../guard/index.ts';
import type { Original } from '../incidents/capture.ts';
import type { Incidents } from '../incidents/store.ts';
import type { Counted, Limits } from '../limits/index.ts';
import type { Browsers } from '../own-pages/browsers.ts';
import type { WriteMarks } from '../replicas/write-marks.ts';
import type { Sharing } from '../sharing/sharing.ts';
import type { BackendAnswer } from '../transport/backend-answer.ts';
import type { Client } from '../transport/client.ts';
import type { Tunnels } from '../transport/tunnels.ts';
import type { PendingTunnel } from '../transport/upgrade.ts';
import type { Ending } from './ending.ts';
import type { Outgoing } from './outgoing.ts';

/** What one configuration compiles to. Swapped as one reference; a request keeps the one it arrived under. */
export interface Runtime {
  readonly settings: GatewaySettings;
  readonly router: TenantRouter;
  readonly policies: ReadonlyMap<string, PolicySet>;
  readonly authenticator: Authenticator;
  readonly limits: Limits;
  /** Undefined only where nothing is counted, as in tests of other stages. */
  readonly guard?: Guard | undefined;
  readonly oracle: IntegrityOracle;
  /** Looks into requests that the policy permitted; without inspectors it finds nothing. */
  readonly inspection: Inspection;
  readonly contentLimits: ContentLimits;
  /** What a decision may depend on besides the request; undefined where patients cannot share anything. */
  readonly decisionContext?: DecisionContext | undefined;
  /** Consents and emergency access; undefined where no tenant has either. */
  readonly sharing?: Sharing | undefined;
  /** Undefined where nothing of refused answers is kept. */
  readonly incidents?: Incidents | undefined;
  /** Undefined where the settings have none. */
  readonly state?: StateStore | undefined;
  /** For tenants whose people sign in at browsers; undefined when there is none. */
  readonly browsers?: Browsers | undefined;
  /** Issuers of this installation, by their own host. */
  readonly embedded?: EmbeddedIssuers | undefined;
}

/** What outlives every configuration. */
export interface Services {
  readonly clock: Clock;
  readonly activity: ActivitySink;
  readonly tunnels: Tunnels;
  /** Who has just written; undefined: nobody can tell, so that nothing is read from a replica. */
  readonly writes?: WriteMarks | undefined;
  /** The configuration that serves now. */
  current(): Runtime;
}

const AS_IT_CAME: Outgoing = Object.freeze({});
const NO_JUDGES: readonly AnswerJudge[] = Object.freeze([]);

function missing(what: string): never {
  throw new ChartgateError('internal', `the pipeline asked for ${what} before the stage that makes it`);
}

/**
 * One request on its way. Stages fill it in order; asking for something that no stage has made yet is a
 * fault of ours and ends the request, so that a stage in the wrong place cannot mean "permitted".
 */
export class Exchange {
  readonly client: Client;
  readonly arrival: Arrival;
  /** The one configuration that serves this request, from its routing on. */
  runtime: Runtime;
  readonly services: Services;
  readonly reasons: Reason[] = [];
  /** Limits that counted this request, where its client is told how it stands. */
  readonly counted: Counted[] = [];
  /** Ids of patients that the request or its answer was found to be about, besides what its address says. */
  patients: string[] | undefined;
  #facts: RequestFacts | undefined;
  #tenant: Tenant | undefined;
  #policy: PolicySet | undefined;
  #principal: Principal | undefined;
  #answer: Answer | undefined;
  /** The matched route; undefined when none matched, which `decide` denies. */
  match: RouteMatch | undefined;
  /** The live session that the request's cookie opens; set where it was looked for. */
  session: Session | undefined;
  /** A form that had been kept and is sent now, in place of the request that asked for it. */
  kept: HeldForm | undefined;
  /** Set instead of a tenant when the host is an embedded issuer's. */
  embedded: EmbeddedIssuer | undefined;
  /** What the policy hides: ends the request once everything that depends on the request alone has had its say. */
  withheld: Ending | undefined;
  /** When the last byte of a request whose route hides was there; monotonic. Undefined: it has no body. */
  completeAt: number | undefined;
  /** What is permitted leaves at the deadline of what is hidden, because its time would tell. */
  late = false;
  /** What a change is about was answered with 200 to this caller. */
  existingSeen = false;
  /** The request's conditions are judged here, by the answer that is released, and not by the back end. */
  conditional = false;
  /** What the permit asks of the gateway. */
  obligations: Obligations | undefined;
  /** The body, where somebody had to see it. */
  content: ReadContent | undefined;
  /** Gives back the room that the body took; called when the exchange is over. */
  giveRoom: (() => void) | undefined;
  /** What the back end gets otherwise than the client sent it. */
  outgoing: Outgoing = AS_IT_CAME;
  /** Asked in order about the back end's answer before anything of it is released. */
  answerJudges: readonly AnswerJudge[] = NO_JUDGES;
  /** Set where an answer's content takes the place of the back end's. */
  replacedBody: Buffer | undefined;
  /** The verdict the request was forwarded under; undefined where the route needs none. */
  verdict: Verdict | undefined;
  /** Whether the intent is durable, without which nothing is forwarded. */
  intentRecorded = false;
  /** The back end's answer, from its head on. */
  backend: BackendAnswer | undefined;
  /** What the back end said, where the client does not get it and it is kept. */
  original: Original | undefined;
  /** An accepted upgrade, instead of a body. */
  tunnel: PendingTunnel | undefined;
  /** A write that had not ended when it was last confirmed: confirmed again at its end. */
  confirmAtEnd = false;
  forwardedAt: number | undefined;
  /** Set when the request ended other than with the back end's answer. */
  ending: Ending | undefined;

  constructor(client: Client, arrival: Arrival, runtime: Runtime, services: Services) {
    this.client = client;
    this.arrival = arrival;
    this.runtime = runtime;
    this.services = services;
  }

  get facts(): RequestFacts {
    return this.#facts ?? missing('the facts');
  }
  set facts(facts: RequestFacts) {
    this.#facts = facts;
  }
  /** The facts when the request got that far: for the record of a refusal. */
  get knownFacts(): RequestFacts | undefined {
    return this.#facts;
  }

  get tenant(): Tenant {
    return this.#tenant ?? missing('the tenant');
  }
  set tenant(tenant: Tenant) {
    this.#tenant = tenant;
  }
  get knownTenant(): Tenant | undefined {
    return this.#tenant;
  }

  get policy(): PolicySet {
    return this.#policy ?? missing('the policy');
  }
  set policy(policy: PolicySet) {
    this.#policy = policy;
  }

  get principal(): Principal {
    return this.#principal ?? missing('the principal');
  }
  set principal(principal: Principal) {
    this.#principal = principal;
  }
  get knownPrincipal(): Principal | undefined {
    return this.#principal;
  }

  get route(): Route {
    return this.match?.route ?? missing('the route');
  }

  get answer(): Answer {
    return this.#answer ?? missing('the answer');
  }
  set answer(answer: Answer) {
    this.#answer = answer;
  }

  held(code: Reason['code'], detail?: string): void {
    this.reasons.push(detail === undefined ? { code, held: true } : { code, held: true, detail });
  }
  failed(code: Reason['code'], detail?: string): void {
    this.reasons.push(detail === undefined ? { code, held: false } : { code, held: false, detail });
  }
}

/** What a stage says: go on, or end the request. Synchronous wherever nothing has to be waited for. */
export type Step = Ending | undefined;
export type Stage = (x: Exchange) => Step | Promise<Step>;
