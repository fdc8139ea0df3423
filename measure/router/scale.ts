import { type Part, part } from '../integrity/parts.ts';
import type { MeasureOptions } from '../report.ts';

/** Ten thousand tenants: choosing one, keeping an idle one, adding one while others are served. */
export async function measureScale(_options: MeasureOptions): Promise<Part> {
  return part({ problems: ['scale is not measured yet'] });
}
