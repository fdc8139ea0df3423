import { ONLY_IN_A } from './pharmacy.ts';

/**
 * `refused`: the server says that the account may not. `impossible`: it fails in another way, and says the
 * same whatever is stored. `nothing`: it runs, and says the same whatever is stored. Otherwise the code of
 * the residue: what it says depends on what is stored.
 */
export type Outcome = 'refused' | 'impossible' | 'nothing' | { readonly residue: string };

export interface Attempt {
  /** How it tries to read. */
  readonly what: string;
  /** Run one after the other on one connection; the last one's outcome counts. */
  readonly sql: readonly string[];
  readonly engine?: 'mariadb' | 'mysql';
  readonly outcome: Outcome;
}

type Row = readonly [what: string, sql: string | readonly string[], engine?: 'mariadb' | 'mysql'];

const table = (outcome: Outcome, rows: readonly Row[]): Attempt[] =>
  rows.map(([what, sql, engine]) => ({
    what,
    sql: typeof sql === 'string' ? [sql] : sql,
    outcome,
    ...(engine === undefined ? {} : { engine }),
  }));

const INSERT = 'INSERT INTO prescription (patient_id, rx_number, note)';
const NOTE = '(SELECT note FROM prescription LIMIT 1)';

const SELECTS = table('refused', [
  ['plain SELECT', 'SELECT note FROM prescription'],
  ['SELECT of the key alone', 'SELECT id FROM prescription'],
  ['SELECT of a constant: the number of rows', 'SELECT 1 FROM prescription'],
  ['COUNT(*)', 'SELECT COUNT(*) FROM prescription'],
  ['EXISTS', 'SELECT EXISTS (SELECT 1 FROM prescription WHERE note LIKE "A%")'],
  ['a table it has no right on at all', 'SELECT * FROM patient'],
  ['a join', 'SELECT 1 FROM (SELECT 1 AS a) x LEFT JOIN prescription p ON TRUE'],
  ['a common table expression', 'WITH x AS (SELECT note FROM prescription) SELECT * FROM x'],
  ['UNION', 'SELECT 1 UNION SELECT note FROM prescription'],
  ['a derived table in FROM', 'SELECT x.note FROM (SELECT note FROM prescription) x'],
  ['TABLE statement', 'TABLE prescription', 'mysql'],
  ['VALUES ROW with a subquery', `VALUES ROW(${NOTE})`, 'mysql'],
  ['VALUES with a subquery', `VALUES (${NOTE})`, 'mariadb'],
  ['full-text search', 'SELECT MATCH (note) AGAINST ("twice") FROM prescription'],
  ['SELECT FOR UPDATE', 'SELECT id FROM prescription FOR UPDATE'],
  ['PROCEDURE ANALYSE', 'SELECT note FROM prescription PROCEDURE ANALYSE()', 'mariadb'],
  [
    'history of a system-versioned table',
    'SELECT * FROM prescription_versions FOR SYSTEM_TIME ALL',
    'mariadb',
  ],
  ['a definer view', 'SELECT * FROM prescription_list'],
  ['an invoker view', 'SELECT * FROM prescription_mine'],
  ['INSERT through a definer view', 'INSERT INTO prescription_list (drug) VALUES ("x")'],
  ['a definer procedure', 'CALL prescription_read()'],
  ['an invoker procedure', 'CALL prescription_asked()'],
  ['a definer function', 'SELECT prescription_note(1)'],
  ['the audit rows', 'SELECT new_values FROM {schema}_audit.audit_row'],
  ['the audit view', 'SELECT * FROM {schema}_audit.audit_trail'],
  ['the guard procedure', 'CALL {schema}_audit.chartgate_snapshot()'],
]);

const WRITES = table('refused', [
  ['columns of the row being inserted', `${INSERT} VALUES (1, CONCAT('y', refills), drug)`, 'mysql'],
  ['DEFAULT of a column', `INSERT INTO prescription_old (note) VALUES (DEFAULT(note))`, 'mysql'],
  ['a default that asks', `ALTER TABLE prescription ALTER COLUMN drug SET DEFAULT (${NOTE})`, 'mysql'],
  ['UPDATE with a subquery', `UPDATE prescription SET status = ${NOTE}`],
  ['UPDATE with a WHERE that asks', 'UPDATE prescription SET status = "x" WHERE note LIKE "A%"'],
  ['UPDATE that reads its own column', 'UPDATE prescription SET status = note'],
  ['DELETE that asks', 'DELETE FROM prescription WHERE note LIKE "A%"'],
  ['DELETE ... RETURNING', 'DELETE FROM prescription RETURNING note', 'mariadb'],
  [
    'INSERT ... SELECT from the table itself',
    `${INSERT} SELECT patient_id, CONCAT(rx_number, 'x'), note FROM prescription`,
  ],
  ['INSERT ... SELECT from another table', `${INSERT} SELECT id, phone, name FROM patient`],
  ['INSERT ... TABLE', 'INSERT INTO prescription_old TABLE prescription_old', 'mysql'],
  ['INSERT with a scalar subquery', `${INSERT} VALUES (1, 'z', ${NOTE})`],
  [
    'INSERT with a subquery in a function that quotes it in an error',
    `${INSERT} VALUES (1, 'z', EXTRACTVALUE(1, CONCAT('~', ${NOTE})))`,
  ],
  ['UPDATEXML that quotes a subquery', `SELECT UPDATEXML(1, CONCAT('~', ${NOTE}), 1)`],
  [
    'duplicate-key error that quotes a subquery',
    'SELECT COUNT(*), CONCAT((SELECT note FROM prescription LIMIT 1), FLOOR(RAND(0) * 2)) x FROM (SELECT 1 UNION SELECT 2) y GROUP BY x',
  ],
  [
    'out-of-range error that quotes',
    `SELECT EXP(~(SELECT * FROM (SELECT note FROM prescription LIMIT 1) x))`,
  ],
  ['JSON error that quotes', `SELECT JSON_EXTRACT('{}', ${NOTE})`],
  ['INSERT ... RETURNING', `${INSERT} VALUES (1, 'z', 'n') RETURNING note`, 'mariadb'],
  [
    'INSERT ... RETURNING a subquery',
    `INSERT INTO prescription_old (note) VALUES ('n') RETURNING (SELECT note FROM prescription LIMIT 1)`,
    'mariadb',
  ],
  [
    'REPLACE ... RETURNING',
    "REPLACE INTO prescription_old (id, note) VALUES (1, 'n') RETURNING note",
    'mariadb',
  ],
  [
    'ON DUPLICATE KEY UPDATE',
    `${INSERT} VALUES (1, '${ONLY_IN_A.rxNumber}', 'n') ON DUPLICATE KEY UPDATE note = VALUES(note)`,
  ],
  [
    'ON DUPLICATE KEY UPDATE that copies a column',
    `INSERT INTO prescription_old (id, note) VALUES (1, 'n') ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)`,
  ],
  [
    'ON DUPLICATE KEY UPDATE with an error that quotes',
    "INSERT INTO prescription_old (id) VALUES (1) ON DUPLICATE KEY UPDATE note = EXTRACTVALUE(1, CONCAT('~', note))",
  ],
  ['REPLACE', "REPLACE INTO prescription_old (id, note) VALUES (1, 'n')"],
  [
    'multi-table UPDATE into a table that it could read',
    'UPDATE prescription p, patient q SET p.note = q.name',
  ],
  ['multi-table DELETE that asks', 'DELETE p FROM prescription p JOIN patient q ON q.id = p.patient_id'],
  ['TRUNCATE', 'TRUNCATE TABLE prescription'],
  [
    'LOAD DATA from a file of the server',
    "LOAD DATA INFILE '/etc/hostname' INTO TABLE prescription_old (note)",
  ],
  ['NEXT VALUE of a sequence', 'SELECT NEXT VALUE FOR prescription_numbers', 'mariadb'],
  ['LASTVAL of a sequence', 'SELECT * FROM prescription_numbers', 'mariadb'],
]);

const STATEMENTS = table('refused', [
  ['a prepared SELECT', "PREPARE s FROM 'SELECT note FROM prescription'"],
  ['EXECUTE IMMEDIATE', "EXECUTE IMMEDIATE 'SELECT note FROM prescription'", 'mariadb'],
  ['SET of a user variable', `SET @x = ${NOTE}`],
  ['SELECT INTO a user variable', 'SELECT note INTO @x FROM prescription LIMIT 1'],
  ['SET of a system variable', `SET @@session.init_connect = ${NOTE}`],
  ['SET NAMES by a subquery', 'SET SESSION sql_mode = (SELECT drug FROM prescription LIMIT 1)'],
  ['DO', `DO ${NOTE}`],
  [
    'a compound statement with a cursor',
    'BEGIN NOT ATOMIC FOR r IN (SELECT note FROM prescription) DO SELECT r.note; END FOR; END',
    'mariadb',
  ],
  ['SET STATEMENT', 'SET STATEMENT max_statement_time = 1 FOR SELECT note FROM prescription', 'mariadb'],
  ['CALL with a subquery as argument', `CALL sys.ps_setup_show_enabled(${NOTE}, 1)`],
  ['SHOW ... WHERE with a subquery', `SHOW STATUS WHERE Variable_name = ${NOTE}`],
  ['SHOW COLUMNS ... WHERE with a subquery', `SHOW COLUMNS FROM prescription WHERE Field = ${NOTE}`],
  ['LIMIT by a subquery in a temporary routine', 'CREATE PROCEDURE p() SELECT note FROM prescription'],
  ['a trigger of its own', 'CREATE TRIGGER t AFTER INSERT ON prescription FOR EACH ROW SET @x = NEW.note'],
  ['a view of its own', 'CREATE VIEW v AS SELECT note FROM prescription'],
  [
    'a function of its own',
    'CREATE FUNCTION f() RETURNS TEXT READS SQL DATA RETURN (SELECT note FROM prescription LIMIT 1)',
  ],
  ['an event of its own', 'CREATE EVENT e ON SCHEDULE AT NOW() DO SELECT note FROM prescription'],
  ['an anonymous event turned on', 'ALTER EVENT prescription_daily DO SELECT note FROM prescription'],
  ['a table LIKE another', 'CREATE TABLE mine LIKE prescription'],
  ['a table AS SELECT', 'CREATE TABLE mine AS SELECT note FROM prescription'],
  ['a temporary table', 'CREATE TEMPORARY TABLE mine (a TEXT)'],
  ['a temporary table AS SELECT', 'CREATE TEMPORARY TABLE mine AS SELECT note FROM prescription'],
  [
    'a temporary table over a MyISAM table',
    'CREATE TEMPORARY TABLE m (id INT, note VARCHAR(200)) ENGINE=MERGE UNION=(prescription_old)',
  ],
  ['a CHECK that asks', 'ALTER TABLE prescription ADD CONSTRAINT c CHECK (note NOT LIKE "A%")'],
  ['a generated column', 'ALTER TABLE prescription ADD COLUMN g TEXT AS (note) STORED'],
  ['a unique key, whose error quotes a value', 'CREATE UNIQUE INDEX u ON prescription (status)'],
  [
    'a foreign key, whose error tells of missing values',
    'ALTER TABLE prescription_old ADD FOREIGN KEY (id) REFERENCES patient (id)',
  ],
  ['EXCHANGE PARTITION', 'ALTER TABLE prescription EXCHANGE PARTITION p WITH TABLE prescription_old'],
  ['RENAME', 'RENAME TABLE prescription TO mine'],
  ['a grant to itself', 'GRANT SELECT ON {schema}.* TO CURRENT_USER'],
  ['all roles', 'CREATE ROLE mine'],
]);

const SERVER = table('refused', [
  ['statements of prepared statements', 'SELECT * FROM performance_schema.prepared_statements_instances'],
  ['statistics of its own', 'ANALYZE TABLE prescription PERSISTENT FOR ALL', 'mariadb'],
  ['a histogram of its own', 'ANALYZE TABLE prescription UPDATE HISTOGRAM ON note', 'mysql'],
  ['REPAIR TABLE', 'REPAIR TABLE prescription_old'],
  ['OPTIMIZE TABLE', 'OPTIMIZE TABLE prescription'],
  ['ANALYZE TABLE', 'ANALYZE TABLE prescription'],
  ['CHECKSUM TABLE', 'CHECKSUM TABLE prescription, prescription_old'],
  ['HANDLER', 'HANDLER prescription OPEN'],
  ['LOCK TABLES READ', 'LOCK TABLES prescription READ'],
  ['LOCK TABLES WRITE', 'LOCK TABLES prescription WRITE'],
  ['EXPLAIN SELECT: estimated rows', 'EXPLAIN SELECT * FROM prescription WHERE status = "filled"'],
  ['EXPLAIN UPDATE', 'EXPLAIN UPDATE prescription SET status = 1 WHERE rx_number = "RX-A-000001"'],
  [
    'EXPLAIN of a subquery in an INSERT',
    `EXPLAIN INSERT INTO prescription_old (note) SELECT note FROM prescription`,
  ],
  ['EXPLAIN ANALYZE', 'EXPLAIN ANALYZE SELECT * FROM prescription', 'mysql'],
  ['ANALYZE of a SELECT', 'ANALYZE SELECT * FROM prescription', 'mariadb'],
  ['SELECT INTO OUTFILE', "SELECT note FROM prescription INTO OUTFILE '/tmp/chartgate-write-only'"],
  ['LOAD_FILE in a value', "SELECT 1 FROM prescription WHERE LOAD_FILE('/etc/passwd') IS NOT NULL"],
  ['a file written', "SELECT 'x' INTO DUMPFILE '/tmp/chartgate-write-only'"],
  ['FLUSH TABLES FOR EXPORT', 'FLUSH TABLES prescription FOR EXPORT'],
  ['SHOW CREATE VIEW', 'SHOW CREATE VIEW prescription_list'],
  ['SHOW ENGINE INNODB STATUS: quotes rows of deadlocks', 'SHOW ENGINE INNODB STATUS'],
  ['the binary log', 'SHOW BINLOG EVENTS'],
  ['the list of binary logs', 'SHOW BINARY LOGS'],
  ['accounts', 'SELECT * FROM mysql.user'],
  ['statistics of InnoDB, MariaDB', 'SELECT * FROM mysql.innodb_index_stats', 'mariadb'],
  ['histograms of MariaDB', 'SELECT * FROM mysql.column_stats', 'mariadb'],
  ['statistics of InnoDB, MySQL', 'SELECT * FROM mysql.innodb_index_stats', 'mysql'],
  ['histograms of MySQL, the table', 'SELECT * FROM mysql.column_stats', 'mysql'],
  ['the general log', 'SELECT * FROM mysql.general_log'],
  ['statements of others', 'SELECT * FROM performance_schema.events_statements_history'],
  ['sys views', 'SELECT * FROM sys.statement_analysis'],
  ['pages of the buffer pool', 'SELECT * FROM information_schema.INNODB_BUFFER_PAGE'],
  ['words of a full-text index', 'SELECT * FROM information_schema.INNODB_FT_INDEX_TABLE'],
  ['locks: quotes keys', 'SELECT * FROM performance_schema.data_locks', 'mysql'],
  ['locks: quotes keys', 'SELECT * FROM information_schema.INNODB_LOCKS', 'mariadb'],
  ['transactions', 'SELECT * FROM information_schema.INNODB_TRX'],
  [
    'statistics for each table of InnoDB',
    'SELECT * FROM information_schema.INNODB_SYS_TABLESTATS',
    'mariadb',
  ],
  ['statistics for each table of InnoDB', 'SELECT * FROM information_schema.INNODB_TABLESTATS', 'mysql'],
]);

const IMPOSSIBLE = table('impossible', [
  ['EXECUTE IMMEDIATE of a text with a subquery', `EXECUTE IMMEDIATE CONCAT('SELECT ', ${NOTE})`, 'mariadb'],
  ['SIGNAL with a message that quotes', `SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = ${NOTE}`],
  ['KILL by a subquery', 'KILL (SELECT id FROM prescription LIMIT 1)'],
  ['a role', 'SET ROLE {schema}_reader'],
  ['a CHECK that fails', `INSERT INTO prescription (patient_id, rx_number, refills) VALUES (1, 'c', 99)`],
  ['a default that asks', `ALTER TABLE prescription ALTER COLUMN drug SET DEFAULT (${NOTE})`, 'mariadb'],
]);

const HARMLESS = table('nothing', [
  ['columns of the row being inserted', `${INSERT} VALUES (1, CONCAT('y', refills), drug)`, 'mariadb'],
  ['DEFAULT of a column', `INSERT INTO prescription_old (note) VALUES (DEFAULT(note))`, 'mariadb'],
  [
    'LOAD_FILE',
    "SELECT LOAD_FILE('/etc/passwd'), LOAD_FILE(CONCAT(@@datadir, '{schema}/prescription_old.MYD'))",
  ],
  [
    'what it inserted, through variables',
    ['SET @a = 1', `${INSERT} VALUES (@a := 1, 'z1', @a)`, 'SELECT @a'],
  ],
  [
    'ROW_COUNT after INSERT IGNORE of nothing',
    ["INSERT IGNORE INTO prescription_old (note) VALUES ('n')", 'SELECT ROW_COUNT()'],
  ],
  ['FOUND_ROWS', ["INSERT INTO prescription_old (note) VALUES ('n')", 'SELECT FOUND_ROWS()']],
  [
    'SHOW WARNINGS of an insert that is cut',
    ["SET SESSION sql_mode = ''", `${INSERT} VALUES (1, REPEAT('w', 30), 'n')`, 'SHOW WARNINGS'],
  ],
  [
    'columns of the tables',
    'SELECT COLUMN_NAME, COLUMN_DEFAULT, COLUMN_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = "prescription" ORDER BY 1',
  ],
  [
    'columns of tables it may not write',
    'SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_NAME = "patient"',
  ],
  ['names of tables', 'SHOW TABLES'],
  ['names of schemas', 'SHOW DATABASES'],
  [
    'definitions of views',
    'SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()',
  ],
  [
    'bodies of routines',
    'SELECT ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()',
  ],
  ['bodies of triggers', 'SELECT ACTION_STATEMENT FROM information_schema.TRIGGERS'],
  ['bodies of events', 'SELECT EVENT_DEFINITION FROM information_schema.EVENTS'],
  [
    'partitions',
    'SELECT PARTITION_DESCRIPTION FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL',
  ],
  [
    'foreign keys',
    'SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, 2',
  ],
  ['histograms in information_schema', 'SELECT * FROM information_schema.COLUMN_STATISTICS', 'mysql'],
  [
    'the optimizer trace of an insert',
    [
      "SET optimizer_trace = 'enabled=on'",
      `${INSERT} VALUES (1, 'ot', 'n')`,
      'SELECT TRACE FROM information_schema.OPTIMIZER_TRACE',
      "SET optimizer_trace = 'enabled=off'",
    ],
  ],
  [
    'profiles',
    [
      'SET profiling = 1',
      `${INSERT} VALUES (1, 'pr', 'n')`,
      'SELECT COUNT(*) > 0 FROM information_schema.PROFILING',
      'SET profiling = 0',
    ],
  ],
  ['GET_LOCK tells of locks only', 'SELECT GET_LOCK("prescription", 0), RELEASE_LOCK("prescription")'],
  ['GET DIAGNOSTICS', [`${INSERT} VALUES (1, 'gd', 'n')`, 'GET DIAGNOSTICS @n = NUMBER', 'SELECT @n']],
  ['CHECK TABLE', 'CHECK TABLE prescription'],
  ['an index cache', 'CACHE INDEX prescription_old IN default'],
]);

const RESIDUES: readonly Attempt[] = [
  ...table({ residue: 'unique-key' }, [
    ['a number that is taken', `${INSERT} VALUES (1, '${ONLY_IN_A.rxNumber}', 'n')`],
    [
      'INSERT IGNORE of a number that is taken',
      [
        `INSERT IGNORE INTO prescription (patient_id, rx_number) VALUES (1, '${ONLY_IN_A.rxNumber}')`,
        'SELECT ROW_COUNT()',
      ],
    ],
  ]),
  ...table({ residue: 'foreign-key' }, [
    ['a patient that is there', `${INSERT} VALUES (${ONLY_IN_A.patient}, 'fk', 'n')`],
  ]),
  ...table({ residue: 'auto-increment' }, [
    ['LAST_INSERT_ID', ["INSERT INTO prescription_old (note) VALUES ('n')", 'SELECT LAST_INSERT_ID()']],
    ['SHOW CREATE TABLE', 'SHOW CREATE TABLE prescription_old'],
    [
      'AUTO_INCREMENT of information_schema',
      'SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = "prescription_old"',
    ],
  ]),
  ...table({ residue: 'table-statistics' }, [
    ['rows and sizes', 'SHOW TABLE STATUS LIKE "prescription_old"'],
    [
      'rows and sizes in information_schema',
      'SELECT TABLE_ROWS, DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = "prescription_old"',
    ],
    [
      'cardinality of indexes',
      'SELECT INDEX_NAME, CARDINALITY FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = "prescription" ORDER BY 1',
    ],
    ['SHOW INDEX', 'SHOW INDEX FROM prescription'],
  ]),
];

/** Attempts that a reading account succeeds with: they show that the comparison would notice. */
export const READING: readonly Attempt[] = SELECTS;

export const ATTEMPTS: readonly Attempt[] = [
  ...SELECTS,
  ...WRITES,
  ...STATEMENTS,
  ...SERVER,
  ...IMPOSSIBLE,
  ...HARMLESS,
  ...RESIDUES,
];
