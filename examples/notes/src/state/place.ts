import { useSyncExternalStore } from 'react'

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

function read(): string {
  const name = location.hash.slice(1)
  return name.includes('/') ? name : ''
}

/** The key of the note that the address names, such as `notes/n1`; empty if it names none. */
export function usePlace(): string {
  return useSyncExternalStore(subscribe, read)
}
