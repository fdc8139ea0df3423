import { LISTENER_CERTIFICATES } from './client-certificates.ts';
import { CONTENT } from './content.ts';
import { PROXY_PROTOCOL, TRUSTED_PROXIES } from './front.ts';
import { INCIDENTS } from './incidents.ts';
import { ISSUERS } from './issuers.ts';
import { GUARD, LIMITS } from './limits.ts';
import { DRAFT, type Schema } from './schema.ts';
import { SESSIONS } from './sign-in.ts';
import { STATE } from './state.ts';
import { TENANTS, TENANTS_FOLDER } from './tenants.ts';
import { address, choice, duration, durationOr, flag, integer, object, path, secret } from './values.ts';

const LISTEN = object(
  {
    title: 'Public listener',
    description: 'Where clients connect. TLS only; HTTP/1.1 and HTTP/2 on the same port.',
  },
  {
    host: address({
      description:
        'Address to listen on. The default reaches nobody but this machine; write `"::"` (IPv6 and IPv4) or ' +
        '`0.0.0.0` (IPv4) to be reachable from everywhere.',
      default: '127.0.0.1',
      examples: ['::'],
    }),
    port: integer({ description: 'TCP port.', default: 8443, examples: [443] }, 1, 65_535),
    minimumTls: choice(
      {
        description:
          'Oldest TLS version accepted. `TLSv1.2` is for clients that cannot do better: AEAD suites only, and a warning.',
        default: 'TLSv1.3',
        examples: ['TLSv1.3'],
      },
      ['TLSv1.3', 'TLSv1.2'],
    ),
    certificate: path({
      description: 'PEM file with the certificate first, then the intermediate ones in order.',
      examples: ['tls/chain.pem'],
    }),
    key: path({
      description: "PEM file with the certificate's private key, readable by its owner alone.",
      examples: ['tls/key.pem'],
    }),
    clientCertificates: LISTENER_CERTIFICATES,
    trustedProxies: TRUSTED_PROXIES,
    proxyProtocol: PROXY_PROTOCOL,
  },
  ['certificate', 'key'],
);

const OPERATIONS = object(
  {
    title: 'Operations listener',
    description: 'Plain HTTP for Prometheus (`/metrics`), liveness and readiness. Not for clients.',
    default: {},
  },
  {
    host: address({ description: 'Address to listen on.', default: '127.0.0.1', examples: ['127.0.0.1'] }),
    port: integer({ description: 'TCP port.', default: 9464, examples: [9464] }, 1, 65_535),
    exposeBeyondLoopbackInsecurely: flag({
      description:
        'Must be `true` before `host` may be anything but a loopback address. Metrics are then readable, without ' +
        'encryption or sign-in, by whoever reaches the port. Causes a warning.',
      default: false,
      examples: [false],
    }),
    balancer: object(
      {
        title: 'Readiness for balancers',
        description:
          'A further listener, plain HTTP, for health checks of load balancers on other machines: every path is answered ' +
          'with 200 or 503 and tells nothing else. None unless given. Taken at start only.',
      },
      {
        host: address({ description: 'Address to listen on.', examples: ['10.20.0.11'] }),
        port: integer({ description: 'TCP port.', default: 9465, examples: [9465] }, 1, 65_535),
      },
      ['host'],
    ),
  },
);

const INTEGRITY = object(
  {
    title: 'Integrity checker',
    description: 'How to reach the checker process. Whatever goes wrong on the way counts as "not verified".',
  },
  {
    socket: path(
      {
        description: "The checker's Unix socket, at most 107 bytes long.",
        examples: ['/run/chartgate/checker.sock'],
      },
      'socket',
    ),
    secret: secret({
      description: 'Shared with the checker, at least 16 bytes: proves that it is the gateway that asks.',
      examples: ['secrets/checker'],
    }),
    timeout: duration(
      {
        description: 'A verdict that takes longer counts as "not verified".',
        default: '800ms',
        examples: ['800ms'],
      },
      '10ms',
      '30s',
    ),
  },
  ['socket', 'secret'],
);

const HIDING = object(
  {
    title: 'Existence hiding',
    description: 'Answers on routes that hide whether a record exists all look and take the same.',
    default: {},
  },
  {
    deadline: durationOr(
      'learned',
      {
        description:
          'When, counted from the arrival of the request, a hidden answer is released; an overrun moves the answer to ' +
          'the next whole multiple. `learned`: each route begins with 250ms and follows the times of its back end, in ' +
          'steps, from 10ms to 10s. If you set it: above the slowest usual answer of the EMR. Routes may differ.',
        default: 'learned',
        examples: ['learned', '250ms'],
      },
      '10ms',
      '10s',
    ),
  },
);

const TIMEOUTS = object(
  { title: 'Timeouts', description: 'Bounds on how long a client may take.', default: {} },
  {
    headers: duration(
      { description: "Until a request's head is complete.", default: '10s', examples: ['10s'] },
      '1s',
      '2m',
    ),
    request: duration(
      {
        description: 'Until a whole request, its body included, has arrived.',
        default: '5m',
        examples: ['5m'],
      },
      '1s',
      '1h',
    ),
    body: duration(
      {
        description:
          'In each such time a body on its way has to bring at least 1 KiB, or the connection is closed. Time in which ' +
          'the gateway made the client wait does not count.',
        default: '20s',
        examples: ['20s'],
      },
      '1s',
      '10m',
    ),
    idle: duration(
      { description: 'Until a connection without traffic is closed.', default: '1m', examples: ['1m'] },
      '1s',
      '1h',
    ),
    leave: duration(
      {
        description:
          'When the process is told to stop, it says at once that it is not ready, and for this long goes on serving, so ' +
          'that balancers send nobody here before it refuses anybody: longer than they take to notice. `drain` follows.',
        default: '0s',
        examples: ['0s', '5s'],
      },
      '0s',
      '2m',
    ),
    drain: duration(
      {
        description: 'Given to running requests when the process stops, before they are cut.',
        default: '30s',
        examples: ['30s'],
      },
      '0s',
      '10m',
    ),
  },
);

/** `gateway.yaml`. It has no place for a credential of the EMR's database: the gateway never holds one. */
export const GATEWAY_SCHEMA: Schema = {
  $schema: DRAFT,
  $id: 'urn:chartgate:schema:gateway',
  ...object(
    {
      title: 'Gateway settings',
      description: 'Settings of the gateway process, `chartgate start`.',
    },
    {
      listen: LISTEN,
      operations: OPERATIONS,
      workers: {
        type: ['string', 'integer'],
        description:
          'Worker threads or processes that share the port. `auto`: one per core this process may use.',
        default: 'auto',
        examples: ['auto'],
        pattern: '^auto$',
        minimum: 1,
        maximum: 64,
        errorMessage: 'must be "auto" or a whole number from 1 to 64',
      },
      activityLog: object(
        {
          title: 'Activity log',
          description:
            'The durable, hash-chained record of what the gateway did. Nothing is served unrecorded.',
        },
        {
          directory: path(
            {
              description: 'Folder of the log files, on a disk that honours fdatasync.',
              examples: ['/var/lib/chartgate/activity'],
            },
            'folder',
          ),
        },
        ['directory'],
      ),
      integrity: INTEGRITY,
      issuers: ISSUERS,
      state: STATE,
      sessions: SESSIONS,
      incidents: INCIDENTS,
      limits: LIMITS,
      guard: GUARD,
      hiding: HIDING,
      timeouts: TIMEOUTS,
      content: CONTENT,
      policyApproval: object(
        {
          title: 'Approval of policies',
          description:
            'The rule of two persons: policies, and which tenant has which, take effect only when so many ' +
            'administrators signed them (`chartgate policy sign`). Unless given, whoever can write the files can change ' +
            'them alone.',
        },
        {
          signatures: path({
            description: 'File of the signatures, which `chartgate policy sign` writes.',
            examples: ['policies/signatures.json'],
          }),
          keys: {
            type: 'array',
            description:
              'PEM files with the Ed25519 public keys of the administrators. A signature of any other key makes all of ' +
              'them worthless.',
            examples: [['policies/anna.pub.pem', 'policies/boris.pub.pem']],
            minItems: 2,
            maxItems: 16,
            items: path({
              description: 'PEM file with an Ed25519 public key.',
              examples: ['policies/anna.pub.pem'],
            }),
          },
          required: integer({ description: 'How many of these keys; 2 unless given.', examples: [2] }, 2, 16),
        },
        ['signatures', 'keys'],
      ),
      policies: {
        type: 'object',
        title: 'Policies',
        description: 'Names of policies and the files that hold them; tenants refer to the names.',
        minProperties: 1,
        propertyNames: { pattern: '^[a-z][a-z0-9-]{0,62}$' },
        additionalProperties: path({
          description: 'Policy file (see below).',
          examples: ['policies/clinic.yaml'],
        }),
      },
      tenants: TENANTS,
      tenantsFolder: TENANTS_FOLDER,
    },
    ['listen', 'activityLog', 'integrity', 'issuers', 'policies'],
  ),
};
