import type { Platform } from '../values/platform.ts'
import { Connection } from './connection.ts'
import { waitAfter } from './mend.ts'
import { POLL_MS } from './pace.ts'
import { ask, newSession, type SessionOptions } from './session.ts'

/** The service without a copy and a queue of this client, for databases that have their own. */
export interface Service {
  readonly url: string
  /** The clock of this device, ms since 1970. */
  readonly now: () => number
  /** Makes a request in a session, which is opened by the first one. */
  request(path: string, init?: { method?: string; body?: object }): Promise<unknown>
  /** Calls back whenever a collection may have changed. */
  follow(collection: string, onChange: () => void): Following
  /** Ends the session. Stop what follows first. */
  end(): Promise<void>
}

export interface Following {
  /** Confirms the position up to which the collection is read. */
  seen(cursor: string): void
  stop(): void
}

interface ServiceOptions extends Pick<SessionOptions, 'url' | 'token'> {
  readonly platform: Platform
  readonly clientId: string
}

export function newService({ url, token, platform, clientId }: ServiceOptions): Service {
  const onAdmitted = async () => {}
  const session = newSession({ url, token, platform, clientId: () => clientId, onAdmitted })

  function follow(collection: string, onChange: () => void): Following {
    const connection = new Connection({
      ...{ url, session, platform, onChange, collections: [collection] },
      onFrame() {
        connection.live?.frames()
        onChange()
      },
    })
    const stopListening = platform.onWake(() => {
      connection.reconnect()
      onChange()
    })
    let stopTimer = platform.after(POLL_MS, poll)
    function poll(): void {
      stopTimer = platform.after(POLL_MS, poll)
      if (!connection.live) onChange()
    }
    connection.connect()
    return {
      seen: (cursor) => connection.live?.seen(cursor),
      stop() {
        stopListening()
        stopTimer()
        connection.stop()
      },
    }
  }

  let pause: Promise<void> | undefined

  /** A database asks again after a time of its own. The service may have asked for more. */
  async function request(...given: Parameters<Service['request']>): Promise<unknown> {
    await pause
    try {
      return await ask(session, ...given)
    } catch (thrown) {
      const { ms, isAsked } = waitAfter(thrown, 0, platform.random())
      if (isAsked) pause = new Promise((resolve) => platform.after(ms, resolve))
      throw thrown
    }
  }

  return { url, now: platform.now, follow, request, end: () => session.end() }
}
