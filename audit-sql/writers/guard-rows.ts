import { rowHashQuery, SEALED_TABLES } from '../fingerprint/row-hash.ts';
import { type AuditNames, INSTATEMENT_TABLE, literal, qualified } from '../names.ts';

/** From here on MySQL shows made-up numbers, of transactions that have written nothing. */
const NO_TRANSACTION_ID = 2 ** 48;

/**
 * Body of the procedure that computes hashes of audit rows: what they hold stays in the server. `in_table` is
 * one of the sealed tables; for anything else there is no result set.
 */
export function rowHashesBody(names: AuditNames): string {
  const branches = SEALED_TABLES.map((table, index) => {
    const query = rowHashQuery(names.auditSchema, table, {
      first: 'in_first',
      last: 'in_last',
      most: 'in_most',
    });
    const keyword = index === 0 ? 'IF' : 'ELSEIF';
    return `  ${keyword} in_table = ${literal(table)} THEN\n    ${query.replaceAll('\n', '\n    ')};`;
  });
  return `(
  IN in_table VARCHAR(64), IN in_first BIGINT UNSIGNED, IN in_last BIGINT UNSIGNED, IN in_most INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
${branches.join('\n')}
  END IF;
END`;
}

/**
 * Body of the procedure that names the transactions that have written something, and this one itself with its
 * start: InnoDB's list may be a stale copy while somebody else keeps reading it, and a stale one lacks us.
 */
export function transactionsBody(names: AuditNames): string {
  return `()
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
  DECLARE nothing INT;
  START TRANSACTION READ ONLY;
  SELECT COUNT(*) INTO nothing FROM ${qualified(names.auditSchema, INSTATEMENT_TABLE)} WHERE id = 0;
  SELECT CAST(trx_id AS CHAR), trx_mysql_thread_id = CONNECTION_ID(), CAST(trx_started AS CHAR)
    FROM information_schema.INNODB_TRX
   WHERE trx_mysql_thread_id = CONNECTION_ID() OR (trx_id > 0 AND trx_id < ${NO_TRANSACTION_ID});
  COMMIT;
END`;
}
