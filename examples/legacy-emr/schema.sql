-- Paperleaf EMR 3.2.1: database schema.
--
-- An invented product for the demo and the tests of Chartgate. It is old-fashioned on purpose: zero
-- dates instead of NULL, MD5 passwords, a MyISAM leftover, a log table without a primary key.
-- Load it into an empty database with `mariadb DATABASE < schema.sql` or over a connection that
-- allows several statements.

-- Zero dates are refused by the modern default.
SET @paperleaf_sql_mode = @@SESSION.sql_mode;
SET SESSION sql_mode = '';
SET FOREIGN_KEY_CHECKS = 0;

DROP TABLE IF EXISTS access_log, list_options, invoice_items, invoices, appointments, problems, allergies,
  documents, prescriptions, medications, observations, encounters, patient_contacts, patients, sessions,
  users, facilities;

SET FOREIGN_KEY_CHECKS = 1;

CREATE TABLE facilities (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(80) NOT NULL,
  street VARCHAR(80) NOT NULL DEFAULT '',
  city VARCHAR(40) NOT NULL DEFAULT '',
  phone VARCHAR(24) NOT NULL DEFAULT '',
  closed_on DATE NOT NULL DEFAULT '0000-00-00',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE users (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  username VARCHAR(40) NOT NULL,
  -- Unsalted MD5, as it was in 2004.
  password CHAR(32) NOT NULL,
  full_name VARCHAR(80) NOT NULL,
  role ENUM('clinician','nurse','clerk','admin') NOT NULL DEFAULT 'clerk',
  facility_id INT UNSIGNED NULL,
  active TINYINT(1) NOT NULL DEFAULT 1,
  last_login DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (id),
  UNIQUE KEY username (username),
  KEY facility_id (facility_id),
  CONSTRAINT users_facility FOREIGN KEY (facility_id) REFERENCES facilities (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE sessions (
  sid CHAR(32) NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  address VARCHAR(45) NOT NULL DEFAULT '',
  started_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  data BLOB NULL,
  PRIMARY KEY (sid),
  KEY user_id (user_id),
  CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE patients (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  mrn VARCHAR(20) NOT NULL,
  insurance_no VARCHAR(24) NOT NULL DEFAULT '',
  title VARCHAR(12) NOT NULL DEFAULT '',
  last_name VARCHAR(40) NOT NULL,
  first_name VARCHAR(40) NOT NULL DEFAULT '',
  nickname VARCHAR(40) NOT NULL DEFAULT '',
  sex ENUM('F','M','O','U') NOT NULL DEFAULT 'U',
  birth_date DATE NOT NULL DEFAULT '0000-00-00',
  -- 0000-00-00 means alive.
  death_date DATE NOT NULL DEFAULT '0000-00-00',
  marital ENUM('S','M','D','W','U') NOT NULL DEFAULT 'U',
  language CHAR(2) NOT NULL DEFAULT 'en',
  phone_home VARCHAR(24) NOT NULL DEFAULT '',
  phone_mobile VARCHAR(24) NOT NULL DEFAULT '',
  email VARCHAR(80) NOT NULL DEFAULT '',
  street VARCHAR(80) NOT NULL DEFAULT '',
  city VARCHAR(40) NOT NULL DEFAULT '',
  region VARCHAR(40) NOT NULL DEFAULT '',
  postcode VARCHAR(12) NOT NULL DEFAULT '',
  clinician_id INT UNSIGNED NULL,
  guardian_id INT UNSIGNED NULL,
  -- 1: nobody but the patient's own clinician may open the chart.
  restricted TINYINT(1) NOT NULL DEFAULT 0,
  notes TEXT NULL,
  version INT UNSIGNED NOT NULL DEFAULT 1,
  updated_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (id),
  UNIQUE KEY mrn (mrn),
  KEY last_name (last_name, first_name),
  KEY clinician_id (clinician_id),
  KEY guardian_id (guardian_id),
  CONSTRAINT patients_clinician FOREIGN KEY (clinician_id) REFERENCES users (id) ON DELETE SET NULL,
  CONSTRAINT patients_guardian FOREIGN KEY (guardian_id) REFERENCES patients (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE patient_contacts (
  patient_id INT UNSIGNED NOT NULL,
  position TINYINT UNSIGNED NOT NULL,
  name VARCHAR(80) NOT NULL,
  relation ENUM('spouse','parent','child','friend','other') NOT NULL DEFAULT 'other',
  phone VARCHAR(24) NOT NULL DEFAULT '',
  PRIMARY KEY (patient_id, position),
  CONSTRAINT contacts_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE encounters (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  patient_id INT UNSIGNED NOT NULL,
  clinician_id INT UNSIGNED NULL,
  facility_id INT UNSIGNED NULL,
  class ENUM('AMB','EMER','HH','IMP','VR') NOT NULL DEFAULT 'AMB',
  status ENUM('planned','in-progress','finished','cancelled') NOT NULL DEFAULT 'planned',
  reason VARCHAR(120) NOT NULL DEFAULT '',
  started_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  ended_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  version INT UNSIGNED NOT NULL DEFAULT 1,
  updated_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (id),
  KEY patient_id (patient_id),
  KEY clinician_id (clinician_id),
  KEY facility_id (facility_id),
  CONSTRAINT encounters_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE,
  CONSTRAINT encounters_clinician FOREIGN KEY (clinician_id) REFERENCES users (id) ON DELETE SET NULL,
  CONSTRAINT encounters_facility FOREIGN KEY (facility_id) REFERENCES facilities (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE observations (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  patient_id INT UNSIGNED NOT NULL,
  encounter_id INT UNSIGNED NULL,
  code VARCHAR(20) NOT NULL,
  display VARCHAR(80) NOT NULL DEFAULT '',
  value DECIMAL(12,4) NULL,
  unit VARCHAR(20) NOT NULL DEFAULT '',
  status ENUM('registered','preliminary','final','amended','entered-in-error') NOT NULL DEFAULT 'final',
  observed_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  version INT UNSIGNED NOT NULL DEFAULT 1,
  updated_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (id),
  KEY patient_code (patient_id, code),
  KEY encounter_id (encounter_id),
  CONSTRAINT observations_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE,
  CONSTRAINT observations_encounter FOREIGN KEY (encounter_id) REFERENCES encounters (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE medications (
  code VARCHAR(16) NOT NULL,
  name VARCHAR(80) NOT NULL,
  form ENUM('tablet','capsule','solution','inhaler','cream') NOT NULL DEFAULT 'tablet',
  unit_price DECIMAL(8,3) NOT NULL DEFAULT 0.000,
  withdrawn_on DATE NOT NULL DEFAULT '0000-00-00',
  PRIMARY KEY (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE prescriptions (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  patient_id INT UNSIGNED NOT NULL,
  encounter_id INT UNSIGNED NULL,
  prescriber_id INT UNSIGNED NULL,
  medication_code VARCHAR(16) NOT NULL,
  dosage VARCHAR(120) NOT NULL DEFAULT '',
  quantity DECIMAL(8,2) NOT NULL DEFAULT 0.00,
  refills TINYINT UNSIGNED NOT NULL DEFAULT 0,
  status ENUM('active','on-hold','cancelled','completed','stopped','draft') NOT NULL DEFAULT 'active',
  written_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  version INT UNSIGNED NOT NULL DEFAULT 1,
  updated_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (id),
  KEY patient_id (patient_id),
  KEY encounter_id (encounter_id),
  KEY prescriber_id (prescriber_id),
  KEY medication_code (medication_code),
  CONSTRAINT prescriptions_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE,
  CONSTRAINT prescriptions_encounter FOREIGN KEY (encounter_id) REFERENCES encounters (id) ON DELETE SET NULL,
  CONSTRAINT prescriptions_prescriber FOREIGN KEY (prescriber_id) REFERENCES users (id) ON DELETE SET NULL,
  CONSTRAINT prescriptions_medication FOREIGN KEY (medication_code) REFERENCES medications (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE documents (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  -- NULL: scanned, not filed to a chart yet.
  patient_id INT UNSIGNED NULL,
  encounter_id INT UNSIGNED NULL,
  author_id INT UNSIGNED NULL,
  title VARCHAR(120) NOT NULL DEFAULT '',
  status ENUM('current','superseded','entered-in-error') NOT NULL DEFAULT 'current',
  mime VARCHAR(80) NOT NULL DEFAULT 'application/octet-stream',
  bytes BIGINT UNSIGNED NOT NULL DEFAULT 0,
  sha256 CHAR(64) NOT NULL DEFAULT '',
  -- NULL: too large for the database, kept in the paper archive.
  content MEDIUMBLOB NULL,
  version INT UNSIGNED NOT NULL DEFAULT 1,
  updated_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (id),
  KEY patient_id (patient_id),
  KEY encounter_id (encounter_id),
  KEY author_id (author_id),
  CONSTRAINT documents_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE,
  CONSTRAINT documents_encounter FOREIGN KEY (encounter_id) REFERENCES encounters (id) ON DELETE SET NULL,
  CONSTRAINT documents_author FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE allergies (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  patient_id INT UNSIGNED NOT NULL,
  substance VARCHAR(80) NOT NULL,
  severity ENUM('mild','moderate','severe') NOT NULL DEFAULT 'mild',
  noted_on DATE NOT NULL DEFAULT '0000-00-00',
  PRIMARY KEY (id),
  KEY patient_id (patient_id),
  CONSTRAINT allergies_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE problems (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  patient_id INT UNSIGNED NOT NULL,
  title VARCHAR(80) NOT NULL,
  onset_on DATE NOT NULL DEFAULT '0000-00-00',
  resolved_on DATE NOT NULL DEFAULT '0000-00-00',
  PRIMARY KEY (id),
  KEY patient_id (patient_id),
  CONSTRAINT problems_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE appointments (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  patient_id INT UNSIGNED NOT NULL,
  clinician_id INT UNSIGNED NULL,
  facility_id INT UNSIGNED NULL,
  starts_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  minutes SMALLINT UNSIGNED NOT NULL DEFAULT 15,
  state ENUM('booked','arrived','fulfilled','noshow','cancelled') NOT NULL DEFAULT 'booked',
  PRIMARY KEY (id),
  KEY patient_id (patient_id),
  KEY clinician_id (clinician_id),
  KEY facility_id (facility_id),
  CONSTRAINT appointments_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE,
  CONSTRAINT appointments_clinician FOREIGN KEY (clinician_id) REFERENCES users (id) ON DELETE SET NULL,
  CONSTRAINT appointments_facility FOREIGN KEY (facility_id) REFERENCES facilities (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE invoices (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  number VARCHAR(16) NOT NULL,
  patient_id INT UNSIGNED NULL,
  issued_on DATE NOT NULL DEFAULT '0000-00-00',
  paid_on DATE NOT NULL DEFAULT '0000-00-00',
  total DECIMAL(10,2) NOT NULL DEFAULT 0.00,
  currency CHAR(3) NOT NULL DEFAULT 'EUR',
  PRIMARY KEY (id),
  UNIQUE KEY number (number),
  KEY patient_id (patient_id),
  -- The books outlive the chart.
  CONSTRAINT invoices_patient FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE invoice_items (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  invoice_id INT UNSIGNED NOT NULL,
  encounter_id INT UNSIGNED NULL,
  text VARCHAR(80) NOT NULL,
  quantity DECIMAL(6,2) NOT NULL DEFAULT 1.00,
  price DECIMAL(10,2) NOT NULL DEFAULT 0.00,
  PRIMARY KEY (id),
  KEY invoice_id (invoice_id),
  KEY encounter_id (encounter_id),
  CONSTRAINT items_invoice FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE,
  CONSTRAINT items_encounter FOREIGN KEY (encounter_id) REFERENCES encounters (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Left over from version 1: MyISAM and latin1.
CREATE TABLE list_options (
  list VARCHAR(20) NOT NULL,
  code VARCHAR(20) NOT NULL,
  label VARCHAR(60) NOT NULL DEFAULT '',
  position SMALLINT NOT NULL DEFAULT 0,
  PRIMARY KEY (list, code)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- Old style: a log that nobody gave a primary key.
CREATE TABLE access_log (
  at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  who VARCHAR(40) NOT NULL DEFAULT '',
  action VARCHAR(40) NOT NULL DEFAULT '',
  patient_id INT UNSIGNED NULL,
  address VARCHAR(45) NOT NULL DEFAULT '',
  KEY at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

SET SESSION sql_mode = @paperleaf_sql_mode;
