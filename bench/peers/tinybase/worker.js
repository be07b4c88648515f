// TinyBase's synchronizer with the persister that its documentation offers for large stores: one SQL row for each row.
import { createMergeableStore } from 'tinybase/mergeable-store'
import { createDurableObjectSqlStoragePersister } from 'tinybase/persisters/persister-durable-object-sql-storage'
import {
  getWsServerDurableObjectFetch,
  WsServerDurableObject,
} from 'tinybase/synchronizers/synchronizer-ws-server-durable-object'

export class Space extends WsServerDurableObject {
  createPersister() {
    const { sql } = this.ctx.storage
    return createDurableObjectSqlStoragePersister(createMergeableStore(), sql, { mode: 'fragmented' })
  }
}

export default { fetch: getWsServerDurableObjectFetch('SPACE') }
