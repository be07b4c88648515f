import { useEffect, useState } from 'preact/hooks'
import { Refusal } from '../service/request.ts'

/** An act that is under way, or was refused. */
export interface Act {
  readonly isBusy: boolean
  readonly error: Refusal | undefined
  /** Starts the act, unless one is under way. */
  readonly start: (act: () => Promise<void>) => void
  readonly clear: () => void
}

/** Runs one act at a time, and keeps its refusal. The focus moves to the first field that is wrong. */
export function useAct(): Act {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<Refusal>()

  useEffect(() => {
    if (error) document.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [error])

  async function run(act: () => Promise<void>): Promise<void> {
    setBusy(true)
    setError(undefined)
    try {
      await act()
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      setError(refusal)
    } finally {
      setBusy(false)
    }
  }

  return { isBusy, error, start: (act) => void (isBusy || run(act)), clear: () => setError(undefined) }
}
