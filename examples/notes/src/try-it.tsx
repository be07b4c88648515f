import type { Chronicle } from '@chronicle-sync/client'
import { type Note, newId } from './state/notes.ts'

interface TryItProps {
  readonly db: Chronicle
  readonly onFailed: (reason: unknown) => void
}

/** More than the service takes, bytes. */
const TOO_LONG = 300_000

/** Shows a newcomer what to try. */
export function TryIt({ db, onFailed }: TryItProps) {
  const writeTooMuch = () => {
    const note = { title: 'Far too long', text: 'lorem ipsum '.repeat(TOO_LONG / 12) }
    db.collection<Note>('notes').put(newId(), note).catch(onFailed)
    location.hash = ''
  }
  const other = new URLSearchParams(location.search).has('device') ? '/' : '/?device=phone'
  return (
    <details className="try">
      <summary>Try it</summary>
      <ol>
        <li>
          <a href={other} target="_blank" rel="noopener">
            Open another device
          </a>{' '}
          beside this one. Write a note, and see it there.
        </li>
        <li>Switch one device offline, edit an agreement on both, and switch it on again.</li>
        <li>Reload while offline, or close the tab in the middle of a word.</li>
        <li>
          <button type="button" onClick={writeTooMuch}>
            Write a note that is refused
          </button>
        </li>
      </ol>
    </details>
  )
}
