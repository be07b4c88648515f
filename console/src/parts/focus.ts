/**
 * Gives the focus to the heading when the element that has it leaves the page. Without this it falls to the body, and
 * a screen reader begins again at the top.
 */
export function keepFocus(): void {
  let last: EventTarget | null = null
  const look = () => {
    const isLost = last instanceof Node && !last.isConnected && document.activeElement === document.body
    if (isLost) document.querySelector('h1')?.focus({ preventScroll: true })
  }
  addEventListener('focusin', ({ target }) => {
    last = target
  })
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true })
}
