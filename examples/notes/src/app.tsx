import { type Chronicle, ChronicleError } from '@chronicle-sync/client'
import { useStatus } from '@chronicle-sync/client/react'
import { useCallback, useState, useSyncExternalStore } from 'react'
import { Editor } from './editor.tsx'
import { Logout } from './logout.tsx'
import { ShelfList } from './shelf-list.tsx'
import type { Network } from './state/network.ts'
import { type Note, partsOf } from './state/notes.ts'
import { usePlace } from './state/place.ts'
import { StatusBar } from './status-bar.tsx'
import { TroubleList } from './troubles/trouble-list.tsx'
import { TryIt } from './try-it.tsx'

interface AppProps {
  readonly db: Chronicle
  readonly network: Network
  readonly device: string
  readonly user: string
}

export function App({ db, network, device, user }: AppProps) {
  const place = usePlace()
  const { obstacle } = useStatus(db)
  const [failure, setFailure] = useState('')
  // An edit that is not even saved on this device has to be seen.
  const onFailed = useCallback((reason: unknown) => {
    if (!(reason instanceof ChronicleError && reason.code === 'closed')) setFailure(String(reason))
  }, [])
  // In this tab or in another one.
  if (obstacle?.code === 'closed') return <SignedOut />

  const [shelf, id] = partsOf(place)
  return (
    <div className="app" data-place={place === '' ? 'list' : 'note'}>
      <header>
        <div className="who">
          <h1>Notes</h1>
          <p className="device">
            {user}’s {device}
          </p>
        </div>
        <OfflineSwitch network={network} />
        <Logout db={db} onFailed={onFailed} />
      </header>
      {failure !== '' && (
        <p role="alert" className="failure">
          This failed: {failure}
          <button type="button" onClick={() => setFailure('')}>
            Close
          </button>
        </p>
      )}
      <nav aria-label="All notes">
        <ShelfList db={db} place={place} onFailed={onFailed} />
        <TryIt db={db} onFailed={onFailed} />
      </nav>
      <main>
        {place !== '' && (
          <a className="back" href="#list">
            All notes
          </a>
        )}
        <TroubleList db={db} place={place} onFailed={onFailed} />
        {place === '' ? (
          <p className="empty">Choose a note, or write a new one.</p>
        ) : (
          <Editor key={place} collection={db.collection<Note>(shelf)} id={id} onFailed={onFailed} />
        )}
      </main>
      <StatusBar db={db} network={network} />
    </div>
  )
}

function OfflineSwitch({ network }: Pick<AppProps, 'network'>) {
  const isOff = useSyncExternalStore(network.subscribe, network.isOff)
  return (
    <button
      type="button"
      role="switch"
      className="switch"
      aria-checked={isOff}
      onClick={() => network.turn(!isOff)}
    >
      Offline
    </button>
  )
}

function SignedOut() {
  return (
    <main className="signed-out">
      <h1>You are signed out</h1>
      <p>Nothing of yours is left on this device.</p>
      <a className="button" href={location.pathname + location.search}>
        Sign in again
      </a>
    </main>
  )
}
