import type { LimitDemand } from '../contracts/policy.ts';
import type { View } from './view.ts';

export function limitOf(view: View): LimitDemand {
  return {
    requests: view.at('requests').integer ?? 0,
    windowSeconds: (view.at('window').milliseconds ?? 0) / 1000,
  };
}
