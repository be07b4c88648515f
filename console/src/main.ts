import { render } from 'preact'
import { App } from './app.ts'
import { html } from './base/html.ts'
import { startRouting } from './base/route.ts'
import { keepFocus } from './parts/focus.ts'
import { useCode } from './service/one-time-code.ts'

// The code leaves the address before anything else reads it.
void useCode()
addEventListener('hashchange', () => void useCode())
startRouting()
keepFocus()
const root = document.getElementById('console')
if (root) render(html`<${App} />`, root)
