interface Way {
  /** How somebody comes to hold more than the policy gives. */
  readonly what: string;
  readonly sql: string;
  /** What `--check` says of it. */
  readonly says: RegExp;
  readonly engine?: 'mariadb' | 'mysql';
  /** What a person must do, where `protect` does not. */
  readonly undo?: string;
}

export const ANN = "'pharmacist_ann'@'localhost'";
export const WEB = "'clinicFacility_1'@'%'";

/** Ways around a policy of least privilege. */
export const WAYS: readonly Way[] = [
  {
    what: 'SUPER in an entry of an older version, which means more than it says',
    sql: `GRANT SUPER ON *.* TO ${ANN}; UPDATE mysql.global_priv SET Priv = JSON_REMOVE(Priv, '$.version_id') WHERE User = 'pharmacist_ann'; FLUSH PRIVILEGES`,
    says: /BINLOG ADMIN on everything/,
    engine: 'mariadb',
  },
  {
    what: 'every bit of an entry as installers write it',
    sql: `UPDATE mysql.global_priv SET Priv = JSON_SET(JSON_REMOVE(Priv, '$.version_id'), '$.access', 18446744073709551615) WHERE User = 'pharmacist_ann'; FLUSH PRIVILEGES`,
    says: /CREATE USER on everything/,
    engine: 'mariadb',
  },
  {
    what: 'a global privilege',
    sql: `GRANT SELECT ON *.* TO ${WEB}`,
    says: /clinicFacility_1@% has SELECT on everything/,
  },
  {
    what: 'an administrative privilege',
    sql: `GRANT FILE, SUPER ON *.* TO ${ANN}`,
    says: /has FILE on everything/,
  },
  {
    what: 'the grant option alone',
    sql: `GRANT USAGE ON *.* TO ${ANN} WITH GRANT OPTION`,
    says: /has GRANT OPTION on everything/,
  },
  {
    what: 'everything on the schema',
    sql: `GRANT ALL ON \`rx\\_1\`.* TO ${ANN} WITH GRANT OPTION`,
    says: /TRIGGER on rx\\\\_1\.\*/,
  },
  { what: 'a wildcard schema', sql: `GRANT SELECT ON \`rx%\`.* TO ${WEB}`, says: /SELECT on rx%\.\*/ },
  {
    what: 'a one-letter wildcard that looks like the schema',
    sql: `GRANT DROP ON \`rx_1\`.* TO ${WEB}`,
    says: /DROP on rx_1\.\*/,
  },
  {
    what: 'an escaped wildcard on the audit schema',
    sql: `GRANT DELETE ON \`rx\\_1\\_audit\`.* TO ${ANN}`,
    says: /DELETE on rx\\\\_1\\\\_audit\.\*/,
  },
  { what: 'the schema mysql', sql: `GRANT INSERT ON mysql.* TO ${ANN}`, says: /INSERT on mysql\.\*/ },
  { what: 'another schema', sql: `GRANT SELECT ON elsewhere.* TO ${ANN}`, says: /SELECT on elsewhere\.\*/ },
  { what: 'a table', sql: `GRANT DELETE ON rx_1.patient TO ${ANN}`, says: /DELETE on rx_1\.patient/ },
  {
    what: 'TRIGGER on a table',
    sql: `GRANT TRIGGER ON rx_1.patient TO ${ANN}`,
    says: /TRIGGER on rx_1\.patient: with it the audit triggers/,
  },
  {
    what: 'the grant option on a table',
    sql: `GRANT SELECT ON rx_1.patient TO ${ANN} WITH GRANT OPTION`,
    says: /GRANT OPTION on rx_1\.patient/,
  },
  {
    what: 'a column',
    sql: `GRANT SELECT (note) ON rx_1.prescription TO ${WEB}`,
    says: /SELECT on rx_1\.prescription \(note\)/,
  },
  {
    what: 'a table that is not there any more',
    sql: `CREATE TABLE rx_1.gone (a INT); GRANT SELECT ON rx_1.gone TO ${WEB}; DROP TABLE rx_1.gone`,
    says: /SELECT on rx_1\.gone/,
  },
  { what: 'a view', sql: `GRANT SELECT ON rx_1.everything TO ${WEB}`, says: /SELECT on rx_1\.everything/ },
  {
    what: 'a procedure',
    sql: `GRANT EXECUTE ON PROCEDURE rx_1.read_all TO ${WEB}`,
    says: /EXECUTE on PROCEDURE rx_1\.read_all/,
  },
  {
    what: 'a function, to be altered',
    sql: `GRANT ALTER ROUTINE ON FUNCTION rx_1.one TO ${WEB}`,
    says: /ALTER ROUTINE on FUNCTION rx_1\.one/,
  },
  {
    what: 'a guard procedure',
    sql: `GRANT EXECUTE ON PROCEDURE rx_1_audit.chartgate_snapshot TO ${WEB}`,
    says: /EXECUTE on PROCEDURE rx_1_audit\.chartgate_snapshot/,
  },
  { what: 'a role', sql: `GRANT reader TO ${WEB}`, says: /has the role reader/ },
  { what: 'a role in a role', sql: `GRANT outer_role TO ${WEB}`, says: /has the role outer_role/ },
  {
    what: 'a role with the right to pass it on',
    sql: `GRANT reader TO ${WEB} WITH ADMIN OPTION`,
    says: /has the role reader/,
  },
  {
    what: 'a default role',
    sql: `GRANT reader TO ${WEB}; SET DEFAULT ROLE reader FOR ${WEB}`,
    says: /has the default role reader/,
    engine: 'mariadb',
  },
  {
    what: 'a default role',
    sql: `GRANT reader TO ${WEB}; ALTER USER ${WEB} DEFAULT ROLE reader`,
    says: /has the default role reader/,
    engine: 'mysql',
  },
  {
    what: 'a default role that it does not hold any more',
    sql: `GRANT reader TO ${WEB}; SET DEFAULT ROLE reader FOR ${WEB}; REVOKE reader FROM ${WEB}`,
    says: /has the default role reader/,
    engine: 'mariadb',
  },
  {
    what: 'a user used as a role',
    sql: `GRANT ${ANN} TO ${WEB}`,
    says: /has the role pharmacist_ann@localhost/,
    engine: 'mysql',
  },
  {
    what: 'a proxy',
    sql: `GRANT PROXY ON 'root'@'localhost' TO ${WEB}`,
    says: /has PROXY for root@localhost/,
  },
  {
    what: 'a proxy that it may pass on',
    sql: `GRANT PROXY ON ${ANN} TO ${WEB} WITH GRANT OPTION`,
    says: /has PROXY for pharmacist_ann@localhost/,
  },
  {
    what: 'a dynamic privilege',
    sql: `GRANT BACKUP_ADMIN ON *.* TO ${ANN}`,
    says: /BACKUP_ADMIN on everything/,
    engine: 'mysql',
  },
  {
    what: 'dynamic privileges with the grant option',
    sql: `GRANT SET_ANY_DEFINER, SYSTEM_USER ON *.* TO ${ANN} WITH GRANT OPTION`,
    says: /SET_ANY_DEFINER on everything/,
    engine: 'mysql',
  },
  {
    what: 'all privileges',
    sql: `GRANT ALL ON *.* TO ${ANN} WITH GRANT OPTION`,
    says: /CREATE USER on everything/,
  },
  {
    what: 'PUBLIC on the schema',
    sql: 'GRANT SELECT ON `rx\\_1`.* TO PUBLIC',
    says: /PUBLIC has SELECT on rx\\\\_1\.\*: everybody has it/,
    engine: 'mariadb',
  },
  {
    what: 'PUBLIC on a table',
    sql: 'GRANT SELECT ON rx_1.patient TO PUBLIC',
    says: /PUBLIC has SELECT on rx_1\.patient/,
    engine: 'mariadb',
  },
  {
    what: 'PUBLIC on a column',
    sql: 'GRANT SELECT (note) ON rx_1.prescription TO PUBLIC',
    says: /PUBLIC has SELECT on rx_1\.prescription \(note\)/,
    engine: 'mariadb',
  },
  {
    what: 'PUBLIC on a routine',
    sql: 'GRANT EXECUTE ON PROCEDURE rx_1.read_all TO PUBLIC',
    says: /PUBLIC has EXECUTE on PROCEDURE/,
    engine: 'mariadb',
  },
  {
    what: 'PUBLIC on the test schemas',
    sql: 'GRANT ALL ON test.* TO PUBLIC; GRANT ALL ON `test\\_%`.* TO PUBLIC',
    says: /PUBLIC has TRIGGER on test/,
    engine: 'mariadb',
  },
  {
    what: 'PUBLIC, everything',
    sql: 'GRANT PROCESS ON *.* TO PUBLIC',
    says: /PUBLIC has PROCESS on everything/,
    engine: 'mariadb',
  },
  {
    what: 'a user without a name',
    sql: "CREATE USER ''@'localhost'; GRANT SELECT ON `rx\\_1`.* TO ''@'localhost'",
    says: /@localhost has SELECT on rx\\\\_1/,
    undo: "DROP USER ''@'localhost'",
  },
  {
    what: 'the same user from another host',
    sql: "CREATE USER 'clinicFacility_1'@'localhost' IDENTIFIED BY 'x'; GRANT SELECT ON `rx\\_1`.* TO 'clinicFacility_1'@'localhost'",
    says: /clinicFacility_1@localhost has SELECT/,
    undo: "DROP USER 'clinicFacility_1'@'localhost'",
  },
  {
    what: "another host of the EMR's user",
    sql: "CREATE USER 'emr'@'%' IDENTIFIED BY 'x'",
    says: /Another account of the same user as emr@localhost/,
    undo: "DROP USER 'emr'@'%'",
  },
  {
    what: 'a user whom no hook matches',
    sql: 'CREATE USER stranger; GRANT SELECT ON `rx\\_1`.* TO stranger',
    says: /No role's hook matches it.*SELECT on rx/,
    undo: 'DROP USER stranger',
  },
  {
    what: 'a user whom no hook matches, with a role',
    sql: 'CREATE USER stranger; GRANT outer_role TO stranger',
    says: /No role's hook matches it.*SELECT on/,
    undo: 'DROP USER stranger',
  },
  {
    what: 'a user whose name differs in case',
    sql: "CREATE USER 'PHARMACIST_bob'; GRANT SELECT ON `rx\\_1`.* TO 'PHARMACIST_bob'",
    says: /differs from the prefix "pharmacist_"/,
    undo: "DROP USER 'PHARMACIST_bob'",
  },
  {
    what: 'a user whom no hook matches, who can become another',
    sql: `CREATE USER stranger; GRANT PROXY ON ${ANN} TO stranger`,
    says: /No role's hook matches it.*PROXY/,
    undo: 'DROP USER stranger',
  },
  {
    what: 'a user of another EMR with the same hook',
    sql: "CREATE USER 'pharmacist_far'; GRANT SELECT ON elsewhere.* TO 'pharmacist_far'",
    says: /may belong to another EMR/,
    undo: "DROP USER 'pharmacist_far'",
  },
  {
    what: 'a mandatory role',
    sql: "SET GLOBAL mandatory_roles = 'reader'",
    says: /mandatory_roles; it holds SELECT on rx/,
    engine: 'mysql',
    undo: 'SET GLOBAL mandatory_roles = DEFAULT',
  },
  {
    what: 'rows written into the tables of privileges',
    sql: "INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES ('%', 'rx\\\\_1', 'clinicFacility_1', 'Y')",
    says: /is stored but not in force/,
    undo: "DELETE FROM mysql.db WHERE User = 'clinicFacility_1' AND Db = 'rx\\\\_1'; FLUSH PRIVILEGES",
  },
  {
    what: 'rows taken out of the tables of privileges',
    sql: `GRANT SELECT ON \`rx\\_1\`.* TO ${WEB}; DELETE FROM mysql.db WHERE User = 'clinicFacility_1'`,
    says: /is in force but not stored/,
    undo: 'FLUSH PRIVILEGES',
  },
  {
    what: 'a histogram on a column that it may only write',
    sql: 'ANALYZE TABLE rx_1.prescription UPDATE HISTOGRAM ON note',
    says: /histogram on prescription \(note\) shows values of it to clinicFacility_1@%/,
    engine: 'mysql',
  },
  {
    what: 'a privilege that the role needs is missing',
    sql: `REVOKE INSERT ON rx_1.prescription FROM ${WEB}`,
    says: /clinicFacility_1@% lacks INSERT on rx_1\.prescription/,
  },
  {
    what: 'the checker is gone',
    sql: "DROP USER 'chartgate_checker'@'localhost'",
    says: /chartgate_checker@localhost is missing/,
  },
  {
    what: 'the checker has more',
    sql: "GRANT SELECT ON rx_1_audit.* TO 'chartgate_checker'@'localhost'",
    says: /chartgate_checker@localhost has SELECT/,
  },
  {
    what: 'the checker may give on what it holds',
    sql: "GRANT SHOW_ROUTINE ON *.* TO 'chartgate_checker'@'localhost' WITH GRANT OPTION",
    says: /chartgate_checker@localhost has SHOW_ROUTINE on everything: .*without the right to give it/,
    engine: 'mysql',
  },
  {
    what: 'an account without a host, which is not the one with the host %',
    sql: "CREATE USER 'pharmacist_none'@'' IDENTIFIED BY 'x'; GRANT ALL ON *.* TO 'pharmacist_none'@''",
    says: /pharmacist_none has FILE on everything/,
    engine: 'mysql',
    undo: "DROP USER 'pharmacist_none'@''",
  },
];
