import type { Session } from '../../core/access/session.ts'
import { formatVersion } from '../../core/values/version.ts'
import type { ChangesQuery } from '../../schema/request/query.ts'
import type { Space } from '../space/space.ts'
import { pull } from './pull.ts'
import { withTexts } from './reply.ts'

/** The reply of `GET /api/changes`, and the cursor in it. */
export async function readChanges(
  space: Space,
  session: Session,
  { cursor, limit, collections }: ChangesQuery,
): Promise<{ readonly text: string; readonly cursor: string }> {
  const query = { cursor: cursor ?? null, limit, collections }
  const { fields, entries } = await pull(space, session, { query, wrote: null })
  const { epoch, seq } = space.state
  const text = withTexts({ ...fields, head: formatVersion(epoch, seq) }, 'changes', entries)
  return { text, cursor: fields.cursor }
}
