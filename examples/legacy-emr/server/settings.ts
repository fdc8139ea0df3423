import { readFileSync } from 'node:fs';

export interface EmrSettings {
  readonly port: number;
  readonly clinic: string;
  /** What the system believes its address to be; its own loopback address when undefined. */
  readonly publicUrl: string | undefined;
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly name: string;
    readonly user: string;
    readonly password: string;
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error that names every variable that is missing or wrong. */
export function readSettings(environment: Environment): EmrSettings {
  const faults: string[] = [];
  const text = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') faults.push(`${name} is not set`);
    return value ?? '';
  };
  const port = (name: string): number => {
    const value = text(name);
    if (value !== '' && !(/^\d{1,5}$/.test(value) && Number(value) < 65_536))
      faults.push(`${name} is not a port`);
    return Number(value);
  };
  const file = text('EMR_DB_PASSWORD_FILE');
  let password = '';
  if (file !== '') {
    try {
      password = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch {
      faults.push('EMR_DB_PASSWORD_FILE cannot be read');
    }
  }
  const publicUrl = environment.EMR_PUBLIC_URL;
  if (publicUrl && !URL.canParse(publicUrl)) faults.push('EMR_PUBLIC_URL is not a URL');
  const settings: EmrSettings = {
    port: port('EMR_PORT'),
    clinic: text('EMR_CLINIC'),
    publicUrl: publicUrl === undefined || publicUrl === '' ? undefined : publicUrl.replace(/\/+$/, ''),
    database: {
      host: text('EMR_DB_HOST'),
      port: port('EMR_DB_PORT'),
      name: text('EMR_DB_NAME'),
      user: text('EMR_DB_USER'),
      password,
    },
  };
  if (faults.length > 0) throw new Error(`Paperleaf cannot start: ${faults.join('; ')}`);
  return settings;
}
