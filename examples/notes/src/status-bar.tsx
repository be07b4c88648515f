import type { Chronicle } from '@chronicle-sync/client'
import { useStatus } from '@chronicle-sync/client/react'
import { useSyncExternalStore } from 'react'
import type { Network } from './state/network.ts'
import { lineWords, STORAGE_WORDS, savedWords, wordsOf } from './state/words.ts'

interface StatusBarProps {
  readonly db: Chronicle
  readonly network: Network
}

/** Answers the question: is everything saved? */
export function StatusBar({ db, network }: StatusBarProps) {
  const status = useStatus(db)
  const { online, pending, troubles, obstacle, lastSync, storage } = status
  const isOff = useSyncExternalStore(network.subscribe, network.isOff)
  const isOnline = online && !isOff
  return (
    <footer>
      <p role="status">
        <span className={`line ${isOnline ? 'online' : 'offline'}`}>{lineWords(status, isOff)}</span>
        <span className={pending + troubles === 0 ? '' : 'waiting'}>{savedWords(status)}</span>
        {obstacle && !isOff && <span className="obstacle">{wordsOf(obstacle)}</span>}
      </p>
      <p className="facts">
        <span>Last sync {lastSync === null ? 'never' : new Date(lastSync).toLocaleTimeString()}</span>
        <span>{STORAGE_WORDS[storage]}</span>
      </p>
    </footer>
  )
}
