import type { Exchange, Step } from '../exchange.ts';

/** Stage 6: whether the body is one that the route takes. What is inside it comes with request inspection. */
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
  return undefined;
}
