import type { Schema } from './schema.ts';
import { choice } from './values.ts';

/** Proxies of one's own in front of the gateway. */
export const TRUSTED_PROXIES: Schema = {
  type: 'array',
  title: 'Trusted proxies',
  description:
    'Addresses or networks of load balancers of your own in front of the gateway, whose word counts for where a client ' +
    'is: in `X-Forwarded-For`, of which the last entry that is none of them is the client, or by `proxyProtocol`. They ' +
    'must pass TLS through untouched, or speak TLS to the gateway. Unless given, nobody is believed.',
  examples: [['10.20.0.5', 'fd00:20::/64']],
  minItems: 1,
  maxItems: 64,
  uniqueItems: true,
  items: {
    type: 'string',
    pattern: '^[0-9A-Fa-f.:]{2,45}(?:/(?:0|[1-9][0-9]{0,2}))?$',
    errorMessage: 'must be an IP address or a network such as 10.20.0.0/24 or fd00:20::/64',
    'x-kind': 'network',
  },
};

export const PROXY_PROTOCOL: Schema = choice(
  {
    description:
      '`required`: only `trustedProxies` may connect, and each connection begins with a PROXY protocol header, version 2 ' +
      '(HAProxy: `send-proxy-v2`), before TLS. `X-Forwarded-For` then counts for nothing.',
    examples: ['required'],
  },
  ['required'],
);
