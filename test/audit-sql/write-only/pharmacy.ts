import type { Connection } from 'mysql2/promise';
import {
  apply,
  auditNames,
  describeServer,
  generate,
  readModel,
  readProtectPlan,
} from '../../../audit-sql/index.ts';

/**
 * Two pharmacies with the same tables and other contents: whatever an account that must read nothing is
 * told in one and not in the other, it has read.
 */
export const PHARMACIES = ['rx_a', 'rx_b'] as const;
export type Pharmacy = (typeof PHARMACIES)[number];

interface Contents {
  /** Part of every text that is stored. */
  readonly secret: string;
  readonly patients: number;
  readonly prescriptions: number;
}

export const CONTENTS: Readonly<Record<Pharmacy, Contents>> = {
  rx_a: { secret: 'Amoxicillium', patients: 3, prescriptions: 5 },
  rx_b: { secret: 'Bromazepanol', patients: 9, prescriptions: 700 },
};

/** In what is stored of rx_a and not of rx_b: a number, a day, a text. */
export const ONLY_IN_A = { rxNumber: 'RX-A-000002', patient: 9 } as const;

export function userOf(pharmacy: Pharmacy): string {
  return `clinicFacility_${pharmacy.slice(-1)}`;
}

export const PASSWORD = 'write-only-of-a-test';

function tables(engine: 'mariadb' | 'mysql'): string[] {
  return [
    `CREATE TABLE patient (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL, born DATE,
       phone VARCHAR(30) UNIQUE) ENGINE=InnoDB`,
    `CREATE TABLE prescription (
       id INT AUTO_INCREMENT PRIMARY KEY, patient_id INT NOT NULL, rx_number VARCHAR(20) NOT NULL UNIQUE,
       drug VARCHAR(80) NOT NULL DEFAULT 'none', note TEXT, refills INT NOT NULL DEFAULT 0 CHECK (refills < 20),
       status VARCHAR(20) NOT NULL DEFAULT 'new', doubled INT GENERATED ALWAYS AS (refills * 2) VIRTUAL,
       KEY by_status (status), FULLTEXT KEY words (note),
       FOREIGN KEY (patient_id) REFERENCES patient (id)) ENGINE=InnoDB`,
    `CREATE TABLE prescription_item (prescription_id INT NOT NULL, line INT NOT NULL, sku VARCHAR(40),
       PRIMARY KEY (prescription_id, line),
       FOREIGN KEY (prescription_id) REFERENCES prescription (id)) ENGINE=InnoDB`,
    'CREATE TABLE prescription_old (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(200)) ENGINE=MyISAM',
    'CREATE SQL SECURITY DEFINER VIEW prescription_list AS SELECT id, drug, note FROM prescription',
    'CREATE SQL SECURITY INVOKER VIEW prescription_mine AS SELECT id, drug, note FROM prescription',
    'CREATE PROCEDURE prescription_read() SQL SECURITY DEFINER SELECT note FROM prescription',
    'CREATE PROCEDURE prescription_asked() SQL SECURITY INVOKER SELECT note FROM prescription',
    `CREATE FUNCTION prescription_note(i INT) RETURNS TEXT READS SQL DATA SQL SECURITY DEFINER
       RETURN (SELECT note FROM prescription WHERE id = i)`,
    "CREATE EVENT prescription_daily ON SCHEDULE EVERY 1 DAY DO UPDATE prescription SET status = 'old' WHERE id = 0",
    ...(engine === 'mariadb'
      ? [
          'CREATE SEQUENCE prescription_numbers',
          'CREATE TABLE prescription_versions (id INT PRIMARY KEY, note VARCHAR(200)) WITH SYSTEM VERSIONING',
        ]
      : []),
  ];
}

async function fill(admin: Connection, pharmacy: Pharmacy, engine: 'mariadb' | 'mysql'): Promise<void> {
  const { secret, patients, prescriptions } = CONTENTS[pharmacy];
  const letter = pharmacy.slice(-1).toUpperCase();
  for (let i = 1; i <= patients; i++) {
    const year = pharmacy === 'rx_a' ? 1931 : 1972;
    await admin.query('INSERT INTO patient (name, born, phone) VALUES (?, ?, ?)', [
      `${secret} Patient ${i}`,
      `${year}-03-${String(i).padStart(2, '0')}`,
      `555-${letter}-${i}`,
    ]);
  }
  const rows = Array.from({ length: prescriptions }, (_, i) => [
    (i % patients) + 1,
    `RX-${letter}-${String(i + 1).padStart(6, '0')}`,
    secret,
    `${secret} twice daily for patient ${i + 1}`,
    (i * (pharmacy === 'rx_a' ? 3 : 7)) % 19,
    pharmacy === 'rx_a' ? 'filled' : 'waiting',
  ]);
  await admin.query(
    'INSERT INTO prescription (patient_id, rx_number, drug, note, refills, status) VALUES ?',
    [rows],
  );
  await admin.query('INSERT INTO prescription_item SELECT id, 1, drug FROM prescription');
  await admin.query('INSERT INTO prescription_old SELECT id, note FROM prescription');
  if (engine === 'mariadb') {
    await admin.query('INSERT INTO prescription_versions SELECT id, note FROM prescription');
    await admin.query('DO NEXT VALUE FOR prescription_numbers');
    await admin.query('ANALYZE TABLE prescription PERSISTENT FOR ALL');
  } else {
    await admin.query('ANALYZE TABLE prescription');
    // Histograms hold values of the column.
    await admin.query('ANALYZE TABLE prescription UPDATE HISTOGRAM ON drug, note, status, refills');
  }
}

/** Both pharmacies, audited and protected by the built-in policy. */
export async function openPharmacies(admin: Connection, engine: 'mariadb' | 'mysql'): Promise<void> {
  const server = await describeServer(admin);
  for (const pharmacy of PHARMACIES) {
    await admin.query(`CREATE DATABASE ${pharmacy}`);
    await admin.query(`USE ${pharmacy}`);
    for (const sql of tables(engine)) await admin.query(sql);
    await fill(admin, pharmacy, engine);
    const user = userOf(pharmacy);
    // As found in life: the web interface was given everything.
    await admin.query(`CREATE USER '${user}'@'localhost' IDENTIFIED BY '${PASSWORD}'`);
    await admin.query(`GRANT ALL ON ${pharmacy}.* TO '${user}'@'localhost' WITH GRANT OPTION`);
    await admin.query(`GRANT FILE, PROCESS ON *.* TO '${user}'@'localhost'`);
    const names = auditNames({
      emrSchema: pharmacy,
      definer: { user: `${pharmacy}_definer`, host: 'localhost' },
      guard: { user: `${pharmacy}_guard`, host: 'localhost' },
    });
    const model = await readModel(admin, pharmacy);
    const protect = await readProtectPlan(admin, { server, names });
    const scripts = generate(model, { names, server, protect });
    for (const name of ['start', 'guard', 'protect'] as const) await apply(admin, scripts[name]);
  }
}
