import type { Schema } from './schema.ts';
import { integer, object, path, secret } from './values.ts';

const SERVER = object(
  {
    title: 'State on a server',
    description:
      'MySQL (8.0 or newer) or MariaDB (10.6 or newer), for gateways on several machines. Never the EMR’s own database.',
  },
  {
    host: {
      type: 'string',
      description: 'Host name or IP address of the server. Excludes `socketPath`.',
      examples: ['state.clinic.example'],
      pattern: '^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45})$',
      errorMessage: 'must be a host name or an IP address, without scheme or port',
      'x-kind': 'host',
    },
    port: integer({ description: 'TCP port; 3306 unless given.', examples: [3306] }, 1, 65_535),
    socketPath: path(
      {
        description: 'Unix socket of the server. Excludes `host`, `port` and `authority`.',
        examples: ['/run/mysqld/mysqld.sock'],
      },
      'socket',
    ),
    authority: path({
      description: "PEM file with the authority of the server's certificate; required beyond loopback.",
      examples: ['tls/state-authority.pem'],
    }),
    database: {
      type: 'string',
      description: 'Schema of the state, of its own.',
      examples: ['chartgate_state'],
      minLength: 1,
      maxLength: 64,
      pattern: '^[^\\u0000-\\u001f`/\\\\.]+$',
      errorMessage: 'must be the name of a database schema: 1 to 64 characters, none of ` / \\ .',
      'x-kind': 'schema name',
    },
    user: {
      type: 'string',
      description: 'Account that may read and write that schema and nothing else.',
      examples: ['chartgate'],
      minLength: 1,
      maxLength: 32,
    },
    password: secret({ description: 'Its password.', examples: ['secrets/state-password'] }),
  },
  ['database', 'user', 'password'],
);

/** Where a process keeps what it must remember. The gateway and the embedded issuer have one each. */
export const STATE: Schema = object(
  {
    title: 'State',
    description:
      'Where sessions, second factors and the like are kept. Exactly one of `file` and `server`. Needed as soon as ' +
      'anybody signs in.',
  },
  {
    file: path({
      description: 'SQLite file, made when missing, in a folder that belongs to this process alone.',
      examples: ['/var/lib/chartgate/state/state.sqlite'],
    }),
    server: SERVER,
    keys: {
      type: 'array',
      title: 'Sealing keys',
      description:
        'What the state is sealed with (AES-256-GCM): files with 32 random bytes, raw, in base64 or as 64 hex digits. ' +
        'The first one seals, every one opens; put a new one first to change keys.',
      examples: [[{ file: 'secrets/state-key' }]],
      minItems: 1,
      maxItems: 8,
      items: secret({ description: 'One key.', examples: ['secrets/state-key'] }),
    },
  },
  ['keys'],
);
