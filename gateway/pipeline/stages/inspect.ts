import type { Exchange, Step } from '../exchange.ts';

/** Stage 6b: whether the body is one that the route takes. What is inside it is for the stages after. */
export function inspect(x: Exchange): Step {
  const { facts, route } = x;
  if (facts.body.kind === 'none') return undefined;
  if (route.maxBodyBytes === 0) {
    x.failed('body-unexpected');
    return { kind: 'bad-request', reason: 'body-unexpected', closeConnection: true };
  }
  if (facts.body.kind === 'length' && facts.body.bytes > route.maxBodyBytes) {
    x.failed('body-too-large');
    return { kind: 'too-large', reason: 'body-too-large', closeConnection: true };
  }
  if (facts.mediaType === undefined || !route.mediaTypes.has(facts.mediaType)) {
    x.failed('media-type-unsupported');
    return { kind: 'unsupported-media', reason: 'media-type-unsupported' };
  }
  // What is compressed would have to be judged unpacked and sent packed: two meanings (RFC 9110 §8.4).
  const coding = facts.headers.get('content-encoding');
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
    x.failed('content-encoded');
    return { kind: 'unsupported-media', reason: 'content-encoded' };
  }
  return undefined;
}
