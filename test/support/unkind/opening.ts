import { onTestFinished } from 'vitest'

/** Runs `happen` before each sealed chunk is opened, until the test ends. */
export function beforeOpening(happen: (bytes: BufferSource) => unknown): void {
  const { subtle } = crypto
  const { decrypt } = subtle
  subtle.decrypt = async (...args) => {
    await happen(args[2])
    return decrypt.apply(subtle, args)
  }
  onTestFinished(() => {
    subtle.decrypt = decrypt
  })
}
