// y-partyserver with a row for each update. By itself it saves the whole document some seconds after a change.
import { routePartykitRequest } from 'partyserver'
import { YServer } from 'y-partyserver'
import { applyUpdate } from 'yjs'

export class Space extends YServer {
  static options = { hibernate: true }

  constructor(ctx, env) {
    super(ctx, env)
    const { sql } = ctx.storage
    sql.exec('CREATE TABLE IF NOT EXISTS change (id INTEGER PRIMARY KEY, body BLOB NOT NULL)')
    for (const { body } of sql.exec('SELECT body FROM change ORDER BY id'))
      applyUpdate(this.document, new Uint8Array(body))
    // Comes before the listener of y-partyserver, which sends the update to all connections.
    this.document.on('update', (update) => sql.exec('INSERT INTO change (body) VALUES (?)', update))
  }

  /** Answers the message that a client sends behind an update. The answer waits until the row is stored. */
  onCustomMessage(connection, message) {
    this.sendCustomMessage(connection, message)
  }
}

export default {
  async fetch(request, env) {
    return (await routePartykitRequest(request, env)) ?? new Response('not found', { status: 404 })
  },
}
