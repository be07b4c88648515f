import type { Params } from './protocol.ts'

/** Keys that do something by themselves, with their codes on Windows, by which Chromium tells keys apart. */
const CODES: Readonly<Record<string, number>> = {
  Backspace: 8,
  Tab: 9,
  Enter: 13,
  Escape: 27,
  ' ': 32,
  End: 35,
  Home: 36,
  ArrowUp: 38,
  ArrowDown: 40,
  Delete: 46,
}

/** Bits of the keys that are held. */
const MODIFIERS: Readonly<Record<string, number>> = { Alt: 1, Control: 2, Meta: 4, Shift: 8 }

/** Parameters of `Input.dispatchKeyEvent` for a key, such as `j`, `Tab` or `Control+Enter`: down, and up again. */
export function eventsOf(combination: string): readonly Params[] {
  const held = combination.split('+')
  const key = held.pop() ?? ''
  const modifiers = held.reduce((bits, name) => bits | (MODIFIERS[name] ?? 0), 0)
  const isLetter = [...key].length === 1
  const event = {
    key,
    code: /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : key,
    windowsVirtualKeyCode: CODES[key] ?? key.toUpperCase().codePointAt(0),
    modifiers,
  }
  const text = key === 'Enter' ? '\r' : isLetter ? key : ''
  const writes = text !== '' && (modifiers & ~8) === 0
  // Chromium without a window system leaves the shortcuts of editing to the caller.
  const commands = combination === 'Control+a' ? ['selectAll'] : []
  return [
    { ...event, type: writes ? 'keyDown' : 'rawKeyDown', commands, ...(writes && { text }) },
    { ...event, type: 'keyUp' },
  ]
}
