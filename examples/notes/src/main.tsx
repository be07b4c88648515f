import type { Chronicle } from '@chronicle-sync/client'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { networkOf } from './state/network.ts'
import { openNotes } from './state/notes.ts'

const { user = '', service = '' } = document.body.dataset
const device = new URLSearchParams(location.search).get('device') ?? 'laptop'
const network = networkOf(device)

async function start(): Promise<void> {
  const db: Chronicle = await openNotes({ service, user, device }, network)
  document.title = `Notes on the ${device}`
  createRoot(document.getElementById('app') as HTMLElement).render(
    <StrictMode>
      <App db={db} network={network} device={device} user={user} />
    </StrictMode>,
  )
}

start().catch((reason: unknown) => {
  document.body.textContent = `The app did not start: ${reason}`
})
