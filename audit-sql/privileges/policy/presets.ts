/**
 * The policy that holds when no file is given, as a file would say it; `protect --print-policy` shows it.
 * Its hooks are those of a pharmacy system in use; its patterns fit tables called as theirs are. Every role
 * of it is a preset that a file can name.
 */
export const DEFAULT_POLICY = `# Who may do what in the EMR's schema. What is not granted here is revoked.
version: 1

# Break-glass administrators: reported with what they hold, never changed. Whoever runs protect is one.
administrators: []

# Other accounts that are known and accepted as they are: backup, monitoring, replication.
accepted: []

# Schemas besides the EMR's whose grants are neither made nor taken here.
otherSchemas: []

roles:
  - name: clinic-facility
    description: >-
      The web interface through which clinics send prescriptions. Write-only: whoever runs code with its
      credentials reads no row.
    prefix: clinicFacility_
    tables:
      - tables: ['prescription*']
        insert: true

  - name: pharmacy-clerk
    description: The counter. Finds patients and prescriptions, keeps addresses, insurance and payments.
    prefix: pharmacyClerk_
    tables:
      - tables: ['patient*', 'insur*', 'payment*', 'sale*', 'refill_request*', '!*note*']
        select: true
        insert: true
        update: true
      - tables: ['prescription*', 'refill*', 'dispens*', 'facilit*', 'clinic*', 'prescriber*', 'drug*', 'medication*', 'product*', '!*note*']
        select: true

  - name: pharmacy-tech
    description: Fills. Writes what is dispensed and the stock, and moves a prescription along.
    prefix: pharmacyTech_
    tables:
      - tables: ['dispens*', 'refill*', 'inventor*', 'stock*', 'lot*', 'label*']
        select: true
        insert: true
        update: true
      - tables: ['prescription*']
        select: true
        update: ['status*', '*_status', 'fill*', 'dispens*', 'label*', 'updated*', 'modified*']
      - tables: ['patient*', 'allerg*', 'interaction*', 'insur*', 'facilit*', 'clinic*', 'prescriber*', 'drug*', 'medication*', 'product*']
        select: true

  - name: pharmacist
    description: Decides. Reads everything but credentials; writes the clinical tables; deletes nothing.
    prefix: pharmacist_
    tables:
      - tables: ['*', '!user*', '!account*', '!login*', '!*password*', '!*credential*', '!session*', '!*token*', '!*secret*', '!role*', '!permission*', '!acl*', '!gacl*', '!oauth*', '!api_*']
        select: true
      - tables: ['patient*', 'prescription*', 'dispens*', 'refill*', 'inventor*', 'stock*', 'lot*', 'label*', 'allerg*', 'interaction*', 'counsel*', 'note*', 'verif*', 'drug*', 'medication*']
        insert: true
        update: true

  - name: portal
    description: A patient portal. Reads everything but credentials; writes only its own tables and what patients send.
    prefix: patientPortal_
    tables:
      - tables: ['*', '!user*', '!account*', '!login*', '!*password*', '!*credential*', '!session*', '!*token*', '!*secret*', '!role*', '!permission*', '!acl*', '!gacl*', '!oauth*', '!api_*']
        select: true
      - tables: ['portal*']
        insert: true
        update: true
      - tables: ['message*', 'appointment_request*', 'refill_request*', 'consent*']
        insert: true

  - name: emr
    description: >-
      The EMR itself: the rows of its own schema. It keeps EXECUTE, LOCK TABLES and CREATE TEMPORARY TABLES
      if it has them. It has no hook; name its accounts, or use --emr-user.
    schema: [select, insert, update, delete]
    execute: keep
    lockTables: keep
    temporaryTables: keep

  - name: integrity-checker
    description: Calls the guard procedures; sees no row.
    prefix: chartgate_checker
    guard: true
`;
