/** A small EMR with what makes auditing hard: cascades, no key, its own triggers, computed columns, odd names. */
export const SMALL_EMR = [
  "CREATE TABLE emr.patient (id INT PRIMARY KEY, name VARCHAR(80) CHARACTER SET latin1, `blood``type` ENUM('A','B','0'))",
  'CREATE TABLE emr.encounter (id INT PRIMARY KEY, pid INT, note TEXT, FOREIGN KEY (pid) REFERENCES emr.patient (id) ON DELETE CASCADE ON UPDATE CASCADE)',
  'CREATE TABLE emr.vitals (encounter INT NOT NULL, at DATETIME(6) NOT NULL, kg DECIMAL(6,2), PRIMARY KEY (encounter, at), FOREIGN KEY (encounter) REFERENCES emr.encounter (id) ON DELETE CASCADE)',
  'CREATE TABLE emr.log_line (line TEXT)',
  'CREATE TABLE emr.document (id BIGINT UNSIGNED PRIMARY KEY, body LONGBLOB, bytes INT GENERATED ALWAYS AS (LENGTH(body)) VIRTUAL)',
  'CREATE TABLE emr.`order` (`select` INT PRIMARY KEY, `the "value"` DOUBLE)',
  'CREATE TRIGGER emr.emr_own BEFORE UPDATE ON emr.patient FOR EACH ROW SET NEW.name = TRIM(NEW.name)',
  'CREATE VIEW emr.patients AS SELECT id, name FROM emr.patient',
] as const;
