/** What is used of npm `oidc-provider` 9, which carries no types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  export interface ProviderParams {
    readonly [name: string]: unknown;
    readonly client_id?: string;
    readonly scope?: string;
    readonly acr_values?: string;
    readonly max_age?: string;
    readonly launch?: string;
    readonly login_hint?: string;
    readonly prompt?: string;
  }
  export interface ProviderContext {
    readonly method: string;
    readonly path: string;
    readonly req: IncomingMessage & { body?: string };
    readonly res: ServerResponse;
    readonly headers: IncomingMessage['headers'];
    readonly ip: string;
    url: string;
    status: number;
    body: unknown;
    type: string;
    set(name: string, value: string): void;
    get(name: string): string;
    redirect(location: string): void;
    readonly cookies: { set(name: string, value: null, options: Readonly<Record<string, unknown>>): void };
    readonly oidc: {
      readonly provider: Provider;
      readonly route: string;
      readonly params: ProviderParams;
      readonly prompts: ReadonlySet<string>;
      readonly client?: ProviderClient;
      readonly session?: ProviderSession;
      readonly account?: unknown;
      readonly acr: string | undefined;
      readonly result?: { readonly login?: unknown; readonly consent?: { readonly grantId?: string } };
      readonly grant?: ProviderGrant;
      readonly requestParamScopes: ReadonlySet<string>;
      readonly entities: {
        readonly AccessToken?: ProviderToken;
        readonly ClientCredentials?: ProviderToken;
        readonly RefreshToken?: ProviderToken;
        readonly AuthorizationCode?: ProviderToken;
        readonly Grant?: ProviderGrant;
        readonly Session?: ProviderSession;
        readonly Interaction?: ProviderInteraction;
        readonly Account?: unknown;
        readonly Client?: ProviderClient;
        /** Its signature, issuer and audience were verified. */
        readonly IdTokenHint?: { readonly payload: Readonly<Record<string, unknown>> };
      };
    };
  }
  export interface ProviderClient {
    readonly clientId: string;
    readonly clientName?: string;
    readonly clientAuthMethod?: string;
    readonly redirectUris: readonly string[];
    grantTypeAllowed(type: string): boolean;
    includeSid(): boolean;
    readonly backchannelLogoutUri?: string;
    backchannelLogout(subject: string | undefined, sid: string | undefined): Promise<void>;
    compareClientSecret(actual: string): boolean | Promise<boolean>;
  }
  export interface ProviderToken {
    readonly clientId: string;
    readonly kind: string;
    readonly accountId?: string;
    readonly jti: string;
    readonly iat?: number;
    readonly exp?: number;
    readonly grantId?: string;
    readonly sid?: string;
    readonly aud?: string;
    readonly scope?: string;
    readonly scopes: ReadonlySet<string>;
    readonly acr?: string;
    readonly amr?: readonly string[];
    readonly authTime?: number;
    readonly sessionUid?: string;
    readonly resource?: string | readonly string[];
    readonly resourceServer?: unknown;
    readonly expiresWithSession?: boolean;
    readonly extra?: Readonly<Record<string, unknown>>;
    totalLifetime(): number;
    readonly remainingTTL: number;
    isSenderConstrained(): boolean;
  }
  export interface ProviderSession {
    readonly uid: string;
    readonly jti: string;
    readonly accountId?: string;
    readonly acr?: string;
    readonly amr?: readonly string[];
    readonly loginTs?: number;
    /** Seconds; of one that was kept before. */
    readonly exp?: number;
    readonly authorizations?: Readonly<
      Record<string, { readonly sid?: string; readonly grantId?: string; readonly persistsLogout?: boolean }>
    >;
    readonly state?: { readonly clientId?: string };
    grantIdFor(clientId: string): string | undefined;
    sidFor(clientId: string): string | undefined;
    authTime(): number | undefined;
    /** Until it is saved under another id. */
    oldId?: string | undefined;
    save(seconds: number): Promise<string | undefined>;
    destroy(): Promise<void>;
  }
  export interface ProviderInteraction {
    readonly uid: string;
    readonly jti: string;
    readonly exp: number;
    readonly iat: number;
    readonly params: ProviderParams;
    readonly prompt: {
      readonly name: string;
      readonly reasons: readonly string[];
      readonly details: Readonly<Record<string, unknown>>;
    };
    readonly session?: {
      readonly accountId: string;
      readonly uid?: string;
      readonly acr?: string;
      readonly amr?: readonly string[];
    };
    readonly grantId?: string;
    readonly lastSubmission?: Readonly<Record<string, unknown>>;
    result?: Readonly<Record<string, unknown>>;
    destroy(): Promise<void>;
  }
  export interface ProviderGrant {
    readonly jti: string;
    readonly accountId: string;
    readonly clientId: string;
    addOIDCScope(scope: string): void;
    rejectOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    rejectResourceScope(resource: string, scope: string): void;
    addOIDCClaims(claims: readonly string[]): void;
    getOIDCScope(): string;
    getResourceScope(resource: string): string;
    save(): Promise<string>;
    destroy(): Promise<void>;
  }
  interface GrantModel {
    new (input: { readonly accountId: string; readonly clientId: string }): ProviderGrant;
    find(id: string): Promise<ProviderGrant | undefined>;
    readonly adapter: { destroy(id: string): Promise<void> };
  }
  interface TokenModel {
    find: (value: string, options?: Readonly<Record<string, boolean>>) => Promise<ProviderToken | undefined>;
    revokeByGrantId(grant: string): Promise<void>;
  }
  type ProviderEvent = (...args: readonly never[]) => void;
  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    /** Of the request that is being answered. */
    static readonly ctx: { readonly ip: string; readonly res: ServerResponse } | undefined;
    readonly issuer: string;
    proxy: boolean;
    readonly Client: {
      find(id: string): Promise<ProviderClient | undefined>;
      readonly prototype: ProviderClient;
    };
    readonly Grant: GrantModel;
    readonly AccessToken: TokenModel;
    readonly RefreshToken: TokenModel;
    readonly AuthorizationCode: TokenModel;
    readonly Session: {
      findByUid(uid: string): Promise<ProviderSession | undefined>;
      /** Of the request's cookie; a new one where there is none. */
      get(context: object): Promise<ProviderSession>;
      readonly prototype: ProviderSession;
    };
    createContext(request: IncomingMessage, response: ServerResponse): object;
    use(middleware: (context: ProviderContext, next: () => Promise<void>) => Promise<void>): this;
    pathFor(name: string): string;
    cookieName(type: 'session' | 'interaction' | 'resume'): string;
    urlFor(name: string): string;
    callback(): RequestListener;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<ProviderInteraction>;
    interactionResult(
      request: IncomingMessage,
      response: ServerResponse,
      result: Readonly<Record<string, unknown>>,
      options?: { readonly mergeWithLastSubmission?: boolean },
    ): Promise<string>;
    on(event: 'server_error', listener: (context: ProviderContext, error: Error) => void): this;
    on(event: string, listener: (...args: never[]) => void): this;
  }
  type ErrorClass = new (description?: string, detail?: string) => Error;
  export const errors: Readonly<
    Record<
      | 'InvalidTarget'
      | 'InvalidGrant'
      | 'InvalidRequest'
      | 'InvalidScope'
      | 'AccessDenied'
      | 'SessionNotFound'
      | 'InvalidDpopProof',
      ErrorClass
    >
  > & { readonly OIDCProviderError: abstract new (...args: never[]) => Error };
  interface Prompt {
    readonly checks: { add(check: unknown, index?: number): void; remove(reason: string): void };
  }
  export const interactionPolicy: {
    readonly base: () => { get(name: string): Prompt | undefined };
    readonly Check: new (
      reason: string,
      description: string,
      check: (context: ProviderContext) => boolean | Promise<boolean>,
      details?: (context: ProviderContext) => unknown,
    ) => unknown;
  };
}
