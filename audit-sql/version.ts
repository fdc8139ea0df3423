/** Written into `audit_instatement_log` and the scripts' headings. Rises when the generated SQL changes. */
export const GENERATOR = 'chartgate audit-sql 3';
