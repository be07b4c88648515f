import { type Chronicle, ChronicleError } from '@chronicle-sync/client'
import { useEffect, useRef, useState } from 'react'

interface LogoutProps {
  readonly db: Chronicle
  readonly onFailed: (reason: unknown) => void
}

/** Logs out, and asks first if that would lose edits. */
export function Logout({ db, onFailed }: LogoutProps) {
  const [lost, setLost] = useState(0)
  const [isBusy, setBusy] = useState(false)

  async function logout(discard: boolean): Promise<void> {
    setBusy(true)
    try {
      await db.logout({ discard })
      await fetch('/my/logout', { method: 'POST' })
    } catch (thrown) {
      const { code, edits } = thrown instanceof ChronicleError ? thrown : {}
      if (code === 'unsynced') setLost(edits?.length ?? 0)
      else onFailed(thrown)
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      <button type="button" className="quiet" disabled={isBusy} onClick={() => void logout(false)}>
        Log out
      </button>
      {lost > 0 && <Warning count={lost} onStay={() => setLost(0)} onDrop={() => logout(true)} />}
    </>
  )
}

interface WarningProps {
  readonly count: number
  readonly onStay: () => void
  readonly onDrop: () => Promise<void>
}

function Warning({ count, onStay, onDrop }: WarningProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby="warning" onClose={onStay}>
      <h2 id="warning">{count === 1 ? '1 edit' : `${count} edits`} would be lost</h2>
      <p>
        The service does not have what you wrote: it could not be reached, or has refused it. It cannot be
        restored.
      </p>
      <div className="buttons">
        <button type="button" className="primary" onClick={onStay}>
          Stay signed in
        </button>
        <button type="button" className="danger" onClick={() => void onDrop()}>
          Log out anyway
        </button>
      </div>
    </dialog>
  )
}
