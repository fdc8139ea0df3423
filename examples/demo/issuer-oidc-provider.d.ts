/** What the demo uses of npm `oidc-provider` 9, which carries no types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener } from 'node:http';

  export interface ProviderContext {
    readonly method: string;
    readonly path: string;
    readonly req: IncomingMessage & { body?: string };
  }
  export interface ProviderClient {
    readonly clientId: string;
  }
  export interface ProviderToken {
    readonly clientId: string;
    readonly kind: string;
  }
  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    use(middleware: (context: ProviderContext, next: () => Promise<void>) => Promise<void>): this;
    pathFor(name: string): string;
    callback(): RequestListener;
    on(event: 'server_error', listener: (context: ProviderContext, error: Error) => void): this;
  }
  export const errors: Readonly<{ InvalidTarget: new (description?: string) => Error }>;
}
