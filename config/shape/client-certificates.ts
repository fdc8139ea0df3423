import type { Schema } from './schema.ts';
import { choice, object, path } from './values.ts';

const CERTIFICATE_KEYS: Readonly<Record<string, Schema>> = {
  authority: path({
    description:
      "PEM file with the authorities whose certificates count. The clinic's own, never a public one, whose " +
      'certificates anybody can get.',
    examples: ['tls/clients-authority.pem'],
  }),
  revocationList: path({
    description:
      'PEM file with the revocation lists (CRL) of these authorities. Once given, a list that is missing for one of ' +
      'them, or whose next update is over, lets nobody through: renew it in time and reload (SIGHUP).',
    examples: ['tls/clients.crl.pem'],
  }),
  demand: choice(
    {
      description:
        '`required`: nothing is reached without one, "protect everything". `optional`: only routes that say ' +
        '`clientCertificate: required`, and tokens that are bound to one, want it.',
      default: 'optional',
      examples: ['required'],
    },
    ['required', 'optional'],
  ),
};

/** Of the listener: for every tenant without its own. It maps nobody to anything: that is each tenant's to say. */
export const LISTENER_CERTIFICATES = object(
  {
    title: 'Client certificates',
    description:
      'Certificates by which clients prove who they are in the handshake (mTLS), for all tenants that say nothing of ' +
      'their own. Other certificates count as none.',
  },
  CERTIFICATE_KEYS,
  ['authority'],
);

export const TENANT_CERTIFICATES = object(
  {
    title: 'Client certificates of the tenant',
    description: "Instead of the listener's: whose certificates count here, and what for.",
  },
  {
    ...CERTIFICATE_KEYS,
    principals: {
      type: 'array',
      title: 'Certificates that stand for somebody',
      description:
        'Who is asking, on a request without a token: the first entry that fits. Others are nobody in particular.',
      minItems: 1,
      maxItems: 1000,
      items: object(
        {
          title: 'Certificate',
          description: 'Exactly one of `thumbprint`, `name` and `subject`, and whom it stands for.',
        },
        {
          thumbprint: {
            type: 'string',
            description: "SHA-256 of the certificate's DER, base64url or hexadecimal.",
            examples: ['Sm9obiBEb2Ugd2FzIGhlcmUgYW5kIGxlZnQgYWdhaW4'],
            pattern: '^([A-Za-z0-9_-]{43}|[0-9A-Fa-f]{64}|([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$',
            errorMessage: 'must be a SHA-256: 43 characters of base64url or 64 of hexadecimal',
          },
          name: {
            type: 'string',
            description: 'A subject alternative name: `DNS:`, `URI:` or `email:` and the exact name.',
            examples: ['URI:urn:clinic:lab-1'],
            pattern: '^(DNS|URI|email):[!-~]+$',
            maxLength: 1024,
            errorMessage: 'must be DNS:, URI: or email: and a name, such as DNS:lab.clinic.example',
          },
          subject: {
            type: 'string',
            description: 'The whole subject on one line, as `O=Riverside, CN=lab-1`.',
            examples: ['O=Riverside, CN=lab-1'],
            minLength: 3,
            maxLength: 1024,
          },
          as: {
            type: 'string',
            description: 'The subject that the policy, the records and the EMR are told.',
            examples: ['lab-1'],
            pattern: '^[A-Za-z0-9._~@|:+/=-]{1,255}$',
            errorMessage: 'must be 1 to 255 letters, digits or any of . _ ~ @ | : + / = -',
          },
          scopes: {
            type: 'array',
            description: 'Its scopes.',
            examples: [['system/Observation.c']],
            minItems: 1,
            uniqueItems: true,
            items: {
              type: 'string',
              pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,255}$',
              errorMessage: 'must be one scope: visible ASCII without quotation mark and backslash',
            },
          },
        },
        ['as', 'scopes'],
      ),
    },
  },
  ['authority'],
);
