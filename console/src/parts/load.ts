import { useEffect, useRef, useState } from 'preact/hooks'
import { html, type View } from '../base/html.ts'
import { ask } from '../service/operator.ts'
import { Refusal } from '../service/request.ts'
import { askSpace } from '../service/space-session.ts'
import { ProblemBlock } from './problem.ts'

/** A reply that is waited for, is there, or is refused. While it is loaded again, the last one stays. */
export interface Load<T> {
  readonly value: T | undefined
  readonly error: Refusal | undefined
  readonly isLoading: boolean
  readonly reload: () => void
}

export interface LoadOptions {
  /** Loads again whenever one of these changes. */
  readonly deps?: readonly unknown[]
  /** Loads again after this time, as long as the page is visible, ms. */
  readonly everyMs?: number
}

/** Loads a reply when a component appears. */
export function useLoad<T>(
  load: (signal: AbortSignal) => Promise<T>,
  { deps = [], everyMs }: LoadOptions = {},
): Load<T> {
  const [state, setState] = useState<Omit<Load<T>, 'reload'>>({
    value: undefined,
    error: undefined,
    isLoading: true,
  })
  const [round, setRound] = useState(0)
  const reload = useRef(() => setRound((last) => last + 1)).current

  useEffect(() => {
    const abort = new AbortController()
    setState((last) => ({ ...last, isLoading: true }))
    load(abort.signal).then(
      (value) => abort.signal.aborted || setState({ value, error: undefined, isLoading: false }),
      (error: unknown) => {
        if (abort.signal.aborted) return
        if (!(error instanceof Refusal)) throw error
        setState((last) => ({ value: last.value, error, isLoading: false }))
      },
    )
    return () => abort.abort()
  }, [...deps, round])

  useEffect(() => {
    if (everyMs === undefined) return
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])

  return { ...state, reload }
}

interface ReplyOptions extends Pick<LoadOptions, 'everyMs'> {
  /** The space whose session asks; without one the operator asks. */
  readonly space?: string
}

/** Loads the reply of the service to a GET. */
export function useReply<T>(path: string, { space, ...options }: ReplyOptions = {}): Load<T> {
  const load = (signal: AbortSignal) =>
    space === undefined ? ask<T>(path, { signal }) : askSpace<T>(space, path, { signal })
  return useLoad(load, { deps: [path], ...options })
}

interface LoadedProps<T> {
  readonly load: Load<T>
  readonly children: (value: T) => View
}

/** Shows a reply, or its refusal. */
export function Loaded<T>({ load, children }: LoadedProps<T>): View {
  const { value, error, isLoading, reload } = load
  return html`
    ${error && html`<${ProblemBlock} error=${error} onRetry=${reload} />`}
    ${value !== undefined && html`<div class="loaded" aria-busy=${isLoading}>${children(value)}</div>`}
    ${value === undefined && !error && html`<p class="waiting" role="status">Loading…</p>`}
  `
}
