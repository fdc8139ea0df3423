import { readFile } from 'node:fs/promises';

/** One API client of the demo's OpenID provider. */
export interface IssuerClient {
  readonly id: string;
  /** File that holds the client's secret. */
  readonly secretFile: string;
  /** Scopes the client may ask for. */
  readonly scopes: readonly string[];
  /** Resources (audiences) the client may ask tokens for; with exactly one, it need not be named (RFC 8707). */
  readonly resources: readonly string[];
  /** True for a resource server: it may introspect every token (RFC 7662). */
  readonly introspection?: boolean;
  /** The SMART `patient` launch context that its tokens carry. */
  readonly patient?: string;
  /** Lifetime of its tokens, instead of the provider's. */
  readonly tokenSeconds?: number;
}

/** The JSON file named by ISSUER_CONFIG. */
export interface IssuerConfiguration {
  /** The `iss` value: `https://host:port`. */
  readonly issuer: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clients: readonly IssuerClient[];
  /** Resources whose tokens are opaque; every other resource gets RFC 9068 JWTs. */
  readonly opaqueResources?: readonly string[];
  /** Lifetime of tokens; 300 s unless told. */
  readonly tokenSeconds?: number;
}

/** A client together with its secret. */
export interface LoadedClient extends IssuerClient {
  readonly secret: string;
}

export interface LoadedConfiguration extends Omit<IssuerConfiguration, 'clients'> {
  readonly clients: readonly LoadedClient[];
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** Reads the configuration and every file it names. The demo wrote it, so it is trusted to have its form. */
export async function loadIssuerConfiguration(file: string): Promise<LoadedConfiguration> {
  const configuration = JSON.parse(await readFile(file, 'utf8')) as IssuerConfiguration;
  const clients = configuration.clients.map(async (client) => ({
    ...client,
    secret: (await readFile(client.secretFile, 'utf8')).trim(),
  }));
  return {
    ...configuration,
    clients: await Promise.all(clients),
    certificate: await readFile(configuration.certificateFile),
    key: await readFile(configuration.keyFile),
  };
}
