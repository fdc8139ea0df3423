import type { Subject } from '../subject.ts';
import { apache } from './apache.ts';
import { caddy } from './caddy.ts';
import { chartgate } from './chartgate.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { answering, httpProxy, undici } from './node.ts';

/** Everything that is compared, in the order of the table. */
export const SUBJECTS: readonly Subject[] = [
  chartgate,
  undici,
  httpProxy,
  answering,
  nginx,
  haproxy,
  caddy,
  apache,
];
