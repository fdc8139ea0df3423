import type { Schema } from './schema.ts';
import { duration, name, object, path, secret, size } from './values.ts';

/** Where originals of refused answers are kept. */
export const INCIDENTS: Schema = object(
  {
    title: 'Incidents',
    description:
      'What the EMR said where its client got an answer of the gateway’s instead: kept sealed for a while, and shown to ' +
      'staff by the request id with `chartgate incident show` ([existence-hiding.md](existence-hiding.md#incidents)). ' +
      'Unless given, nothing of such an answer is kept.',
  },
  {
    directory: path(
      {
        description: 'Folder of its own, in which nobody else may read or write.',
        examples: ['/var/lib/chartgate/incidents'],
      },
      'folder',
    ),
    keys: {
      type: 'array',
      title: 'Sealing keys of incidents',
      description:
        'What incidents are sealed with (AES-256-GCM): files with 32 random bytes, raw, in base64 or as 64 hex digits. ' +
        'The first one seals, every one opens.',
      examples: [[{ file: 'secrets/incident-key' }]],
      minItems: 1,
      maxItems: 8,
      items: secret({ description: 'One key.', examples: ['secrets/incident-key'] }),
    },
    keep: duration(
      { description: 'How long an incident is kept.', default: '168h', examples: ['168h'] },
      '1m',
      '8760h',
    ),
    readers: {
      type: 'array',
      description:
        'Roles whose people may look up incidents of their own tenant at `/.chartgate/incidents`, signed in with both ' +
        'factors. Unless given, nobody may; the command works in any case.',
      examples: [['help-desk']],
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      items: name({ description: 'A role.', examples: ['help-desk'] }),
    },
    maxBytes: size(
      {
        description: 'Bytes of all incidents together; of more, the oldest go first.',
        default: '256MiB',
        examples: ['1GiB'],
      },
      '1MiB',
      '999GB',
    ),
  },
  ['directory', 'keys'],
);
