import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the made-up tenants' EMR is and what their hosts end in. */
export interface Common {
  readonly port: number;
  readonly backend: string;
}

export const nameOf = (index: number): string => `clinic-${index}`;

export const hostOf = (index: number, { port }: Pick<Common, 'port'>): string =>
  `${nameOf(index)}.clinics.localhost:${port}`;

/** A file of `tenantsFolder`, with what a clinic usually has. */
export function tenantFile(index: number, common: Common): string {
  return `# Clinic ${index}
id: ${nameOf(index)}
hosts: ['${hostOf(index, common)}', 'www-${hostOf(index, common)}']
audience: https://${nameOf(index)}.clinics.example
issuers: [demo]
database: ${index % 2 === 0 ? 'north' : 'south'}
policy: emr
identityHeader: X-Forwarded-User
limits:
  perTenant: { requests: 5000, window: 10s }
backends:
  - origin: ${common.backend}
    connections: 32
`;
}

export function writeTenants(
  folder: string,
  count: number,
  common: Common,
  written: (file: string) => void,
): void {
  for (let index = 0; index < count; index++) {
    const file = join(folder, `${nameOf(index)}.yaml`);
    writeFileSync(file, tenantFile(index, common), { mode: 0o640 });
    written(file);
  }
}
