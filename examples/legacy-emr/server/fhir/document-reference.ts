import { createHash } from 'node:crypto';
import {
  byId,
  byPatient,
  byStatus,
  CHART_JOIN,
  idOf,
  instant,
  mentioned,
  meta,
  type ResourceKind,
  textAt,
} from './kind.ts';

export const documentReference: ResourceKind = {
  type: 'DocumentReference',
  table: 'documents',
  // Not `t.*`: a search must not carry every document's content.
  select: `SELECT t.id, t.patient_id, t.encounter_id, t.author_id, t.title, t.status, t.mime, t.bytes,
    t.sha256, t.version, t.updated_at, p.restricted, o.username owner, a.full_name author
    FROM documents t ${CHART_JOIN} LEFT JOIN users a ON a.id = t.author_id`,
  search: { _id: byId, patient: byPatient, status: byStatus },

  toResource: (row, emr) => ({
    resourceType: 'DocumentReference',
    id: String(row.id),
    meta: meta(row, 'DocumentReference'),
    status: row.status,
    subject: row.patient_id === null ? undefined : { reference: `Patient/${row.patient_id}` },
    date: instant(row.updated_at),
    author:
      row.author_id === null
        ? undefined
        : [{ reference: `Practitioner/${row.author_id}`, display: row.author }],
    description: row.title,
    content: [
      {
        attachment: {
          contentType: row.mime,
          url: `${emr.origin}/documents/${row.id}/content`,
          size: Number(row.bytes),
          title: row.title,
        },
      },
    ],
    context:
      row.encounter_id === null ? undefined : { encounter: [{ reference: `Encounter/${row.encounter_id}` }] },
  }),

  toColumns: (body) => {
    const data = textAt(body, 'content', 0, 'attachment', 'data');
    const content = data === undefined ? undefined : Buffer.from(data, 'base64');
    return mentioned({
      patient_id: idOf(textAt(body, 'subject', 'reference')),
      encounter_id: idOf(textAt(body, 'context', 'encounter', 0, 'reference')),
      author_id: idOf(textAt(body, 'author', 0, 'reference')),
      title: textAt(body, 'description') ?? textAt(body, 'content', 0, 'attachment', 'title'),
      status: textAt(body, 'status'),
      mime: textAt(body, 'content', 0, 'attachment', 'contentType'),
      content,
      bytes: content?.length,
      sha256: content === undefined ? undefined : createHash('sha256').update(content).digest('hex'),
    });
  },
  patientOf: (columns) => columns.patient_id,
};
