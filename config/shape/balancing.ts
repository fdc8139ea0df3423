import { BACKEND_ROLES, BALANCING_METHODS } from '../../contracts/balancing.ts';
import { choice, duration, integer, object } from './values.ts';

const QUEUE = object(
  {
    title: 'Queue',
    description:
      'Requests that wait because all connections of a back end are in use. One that finds no room, or waits too long, ' +
      'is answered 503 with `Retry-After`.',
    default: {},
  },
  {
    length: integer(
      { description: 'Requests that may wait for one back end, per worker.', default: 1000, examples: [200] },
      0,
      100_000,
    ),
    wait: duration(
      { description: 'Until a request that waits is given up.', default: '5s', examples: ['2s'] },
      '10ms',
      '1m',
    ),
  },
);

const RETRY = object(
  {
    title: 'Further attempts',
    description:
      'A safe request without a body whose back end failed before it answered is sent to another one, once or twice; ' +
      'any other request only where it is certain that nothing was sent.',
    default: {},
  },
  {
    budget: integer(
      {
        description:
          'Further attempts in percent of the requests of ten seconds, per worker; ten are always allowed. 0: none at all.',
        default: 10,
        examples: [10],
      },
      0,
      50,
    ),
  },
);

const HEALTH_CHECK = object(
  {
    title: 'Health check',
    description:
      'Each worker asks each back end for this. Without it only requests show how a back end is. Where every back end ' +
      'fails its checks, they are all used as if none did.',
  },
  {
    path: {
      type: 'string',
      description: 'Asked for with GET; any status from 200 to 399 is good. The answer is thrown away.',
      examples: ['/health'],
      pattern: '^/[!-~]*$',
      maxLength: 512,
      errorMessage: 'must be a path such as /health, without spaces',
      'x-kind': 'path of a URL',
    },
    interval: duration(
      { description: 'Between two checks.', default: '2s', examples: ['5s'] },
      '100ms',
      '5m',
    ),
    timeout: duration(
      { description: 'Until a check counts as failed.', default: '1s', examples: ['1s'] },
      '10ms',
      '1m',
    ),
    healthyAfter: integer(
      { description: 'Good checks in a row that bring it back.', default: 2, examples: [2] },
      1,
      100,
    ),
    unhealthyAfter: integer(
      { description: 'Failed checks in a row that leave it out.', default: 2, examples: [2] },
      1,
      100,
    ),
  },
  ['path'],
);

export const BALANCING = object(
  {
    title: 'Balancing',
    description: 'How requests are spread over the back ends (docs/balancing.md).',
  },
  {
    method: choice(
      {
        description:
          '`round-robin`: in turn. `least-requests`: to the one with the fewest under way. `sticky`: the same one for ' +
          'the same session, else for the same principal, else for the same address, while it is there.',
        default: 'round-robin',
        examples: ['least-requests'],
      },
      BALANCING_METHODS,
    ),
    replicationDelay: duration(
      {
        description:
          'After a write, reads of whoever wrote go to the primary for at least so long. Set it above what the replicas ' +
          'may lag behind.',
        default: '1s',
        examples: ['2s'],
      },
      '10ms',
      '5m',
    ),
    queue: QUEUE,
    retry: RETRY,
    slowStart: duration(
      {
        description:
          'A back end that was out gets a growing part of the requests for so long. `0s`: all at once.',
        default: '10s',
        examples: ['30s'],
      },
      '0s',
      '10m',
    ),
    healthCheck: HEALTH_CHECK,
  },
);

export const BACKEND_ROLE = choice(
  {
    description:
      '`replica`: only safe requests are sent to it, and those of somebody who has just written are not. Where one back ' +
      'end is a replica, those that are not are primaries.',
    default: 'primary',
    examples: ['replica'],
  },
  BACKEND_ROLES,
);
