import { DRAFT, type Schema } from './schema.ts';
import { duration, flag, integer, name, object, path, secret } from './values.ts';

/** A schema name: no quoting or path trick fits in. */
const SCHEMA_NAME = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^[^\\u0000-\\u001f`/\\\\.]+$',
  errorMessage: 'must be the name of a database schema: 1 to 64 characters, none of ` / \\ .',
  'x-kind': 'schema name',
} as const;

/** `checker.yaml`. Kept from the gateway's user: it holds the only credentials of the EMR's databases. */
export const CHECKER_SCHEMA: Schema = {
  $schema: DRAFT,
  $id: 'urn:chartgate:schema:checker',
  ...object(
    {
      title: 'Checker settings',
      description: 'Settings of the integrity checker process, `chartgate checker`.',
    },
    {
      socket: path(
        {
          description:
            'Unix socket to answer on, at most 107 bytes long; its folder is reachable for the gateway alone.',
          examples: ['/run/chartgate/checker.sock'],
        },
        'socket',
      ),
      secret: secret({
        description: 'Shared with the gateway, at least 16 bytes.',
        examples: ['secrets/checker'],
      }),
      seal: object(
        {
          title: 'Sealing of audit rows',
          description:
            'Hashes of audit rows are kept and signed by the checker, so that rows which are changed, deleted or inserted later are found. Required, unless `auditRowsMayBeChangedUnnoticed` says otherwise.',
        },
        {
          key: path({
            description:
              'PEM file with the Ed25519 private key that signs checkpoints, readable by its owner alone. Its public key belongs to the auditors.',
            examples: ['secrets/seal.pem'],
          }),
          directory: path(
            {
              description:
                "Folder of the checker's own for what was sealed, one folder in it for each database. About 41 bytes an audit row.",
              examples: ['/var/lib/chartgate-checker/seal'],
            },
            'folder',
          ),
        },
        ['key', 'directory'],
      ),
      auditRowsMayBeChangedUnnoticed: flag({
        description:
          'Dangerous: `true` leaves audit rows unsealed. Whoever can write the audit tables can then change history without a trace.',
        default: false,
      }),
      databases: {
        type: 'array',
        title: 'Databases',
        description: 'The EMR databases it watches.',
        minItems: 1,
        items: object(
          {
            title: 'Database',
            description:
              'One EMR database, reached over TCP (`host`, `port`) or a Unix socket (`socketPath`).',
          },
          {
            id: name({ description: 'Name that tenants refer to.', examples: ['riverside-emr'] }),
            host: {
              type: 'string',
              description:
                'Host name or IP address of the server, of one server and no balancer: what is looked at must be where the EMR writes. Excludes `socketPath`.',
              examples: ['db.riverside.example'],
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
              description:
                "PEM file with the authority of the server's certificate. Required unless `host` is loopback.",
              examples: ['tls/database-authority.pem'],
            }),
            user: {
              type: 'string',
              description: "The checker's own SQL user, which may only execute the guard procedures.",
              examples: ['chartgate_checker'],
              minLength: 1,
              maxLength: 80,
              errorMessage: 'must be the name of a SQL user, 1 to 80 characters',
            },
            password: secret({ description: 'Its password.', examples: ['secrets/riverside-password'] }),
            emrSchema: { ...SCHEMA_NAME, description: "Schema of the EMR's tables.", examples: ['openemr'] },
            auditSchema: {
              ...SCHEMA_NAME,
              description:
                'Schema of the audit tables and guard procedures; `emrSchema` and `_audit` unless given.',
              examples: ['openemr_audit'],
            },
            baseline: path({
              description: 'Signed baseline of the audit definitions.',
              examples: ['baselines/riverside.json'],
            }),
            baselineKeys: {
              type: 'array',
              description:
                'PEM files with the Ed25519 public keys of the administrators who may approve a baseline. A signature of any other key makes it invalid.',
              minItems: 1,
              maxItems: 16,
              items: path({
                description: 'PEM file with an Ed25519 public key.',
                examples: ['baselines/anna.pub.pem'],
              }),
              examples: [['baselines/anna.pub.pem', 'baselines/boris.pub.pem']],
            },
            baselineSignatures: integer(
              {
                description: 'How many of these keys must have signed the baseline; 2 unless given.',
                examples: [2],
              },
              2,
              16,
            ),
            singleAdministratorBaseline: flag({
              description:
                'Dangerous: `true` takes one signature for enough. Whoever has that key can approve a database without triggers alone.',
              default: false,
            }),
            fullCheck: duration(
              {
                description:
                  'Interval between complete comparisons; changes are noticed between them as well.',
                default: '5s',
                examples: ['5s'],
              },
              '1s',
              '1h',
            ),
            clockDifference: duration(
              {
                description:
                  "How far the database server's clock may be from this machine's. Beyond that the times in the audit prove nothing, and the database does not count as intact.",
                default: '5s',
                examples: ['5s'],
              },
              '100ms',
              '5m',
            ),
            timeout: duration(
              {
                description: 'A probe or comparison that takes longer has failed.',
                default: '1s',
                examples: ['1s'],
              },
              '50ms',
              '30s',
            ),
          },
          ['id', 'user', 'password', 'emrSchema', 'baseline', 'baselineKeys'],
        ),
      },
    },
    ['socket', 'secret', 'databases'],
  ),
};
