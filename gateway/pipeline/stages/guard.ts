import type { Exchange, Step } from '../exchange.ts';

/** Stage 4c: whoever meets unusually many absent or forbidden records, or names unusually many patients. */
export function guard(x: Exchange): Step | Promise<Step> {
  return x.runtime.guard?.enter(x);
}
