import { useLayoutEffect, useRef } from 'preact/hooks'
import { html, type View } from '../base/html.ts'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  /** Whether only the button closes it: what it shows cannot be shown again. */
  readonly isOnce?: boolean
  readonly children: View
}

/** A modal dialog. The browser keeps the focus inside. At the end it goes back to where it was. */
export function Dialog({ title, onClose, isOnce, children }: DialogProps): View {
  const dialog = useRef<HTMLDialogElement>(null)
  // The event of the last close comes after the dialog has left the page.
  const isShown = useRef(true)
  useLayoutEffect(() => {
    const element = dialog.current
    const opener = document.activeElement as HTMLElement | null
    element?.showModal()
    return () => {
      isShown.current = false
      element?.close()
      opener?.focus()
    }
  }, [])
  return html`
    <dialog ref=${dialog} aria-label=${title} closedby=${isOnce && 'none'} onClose=${() => isShown.current && onClose()}>
      <header class="page-head">
        <h2>${title}</h2>
        <button type="button" class="quiet" onClick=${() => dialog.current?.close()}>Close</button>
      </header>
      ${children}
    </dialog>
  `
}
